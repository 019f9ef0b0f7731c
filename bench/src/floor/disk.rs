//! What it takes to make some bytes durable.

use crate::samples::Samples;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

/// A page of SQLite.
const APPEND_BYTES: usize = 4_096;

/// Appends to a file in `folder` and makes that durable, `times` times.
///
/// # Errors
/// The disk failed.
pub fn sync_times(folder: &Path, times: usize) -> anyhow::Result<Samples> {
    let path = folder.join("floor.bin");
    let mut file = File::create(&path)?;
    let page = vec![0x5a_u8; APPEND_BYTES];
    let mut samples = Samples::default();
    for _ in 0..times {
        let began = Instant::now();
        file.write_all(&page)?;
        file.sync_data()?;
        samples.add(began.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sync_is_timed_and_the_file_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(sync_times(folder.path(), 3).unwrap().len(), 3);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
