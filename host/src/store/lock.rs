//! One server per file.

use super::StoreError;
use std::fs::{File, TryLockError, create_dir_all};
use std::path::Path;

/// Takes the lock that stands beside `path`; it is held until the file that this gives is dropped, or the process dies.
///
/// # Errors
/// Another server holds it, or the folder cannot be written.
pub fn take(path: &Path) -> Result<File, StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    create_dir_all(folder).map_err(|cause| StoreError::Folder { path: folder.to_owned(), cause })?;
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let lock_path = Path::new(&name);
    let unusable = |cause| StoreError::Folder { path: lock_path.to_owned(), cause };
    let file = File::options().create(true).truncate(false).write(true).open(lock_path).map_err(unusable)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse(path.to_owned())),
        Err(TryLockError::Error(cause)) => Err(unusable(cause)),
    }
}
