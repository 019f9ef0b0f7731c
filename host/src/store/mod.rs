//! The one file: rows of actors, and who must be woken.
//!
//! A store belongs to one partition thread. Everything is written in a transaction: [`Store::begin`], writes,
//! [`Store::commit`]. Durable means durable: write-ahead log, `synchronous=FULL`, so a commit is one fsync.

mod lock;
mod rows;
mod schema;
mod wakes;

pub use wakes::WakeRow;

use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// Why the file cannot be opened, or a statement failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite's own words.
    #[error("the store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The folder or the lock file cannot be made.
    #[error("cannot use {}: {cause}", .path.display())]
    Folder {
        /// What cannot be used.
        path: PathBuf,
        /// The operating system's words.
        cause: std::io::Error,
    },
    /// Another server has the file open.
    #[error("another stepwell is using {}: stop it, or choose another folder with --data-dir", .0.display())]
    InUse(PathBuf),
    /// Written by a newer version.
    #[error("{} was written by a newer stepwell (its schema is {found}, this one knows {known}): update stepwell, or choose another folder with --data-dir", .path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// Its schema's version.
        found: i64,
        /// The newest that this program knows.
        known: i64,
    },
}

/// An open file.
pub struct Store {
    connection: Connection,
    /// Held as long as the file is open.
    _lock: Option<std::fs::File>,
}

impl Store {
    /// Opens `path`, making it and its folder where they are missing.
    ///
    /// # Errors
    /// A folder that cannot be written, a file that another server uses, is damaged, or comes from a newer version.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = lock::take(path)?;
        let connection = Connection::open(path)?;
        schema::prepare(&connection, path)?;
        Ok(Self { connection, _lock: Some(lock) })
    }

    /// A store that is gone with the process.
    ///
    /// # Errors
    /// No memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        schema::prepare(&connection, Path::new(":memory:"))?;
        Ok(Self { connection, _lock: None })
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// Another process writes to the file for longer than the busy timeout.
    pub fn begin(&self) -> Result<(), StoreError> {
        Ok(self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]).map(drop)?)
    }

    /// Makes the transaction durable. When this returns, power may fail.
    ///
    /// # Errors
    /// A full disk, a failed write: the transaction must be rolled back.
    pub fn commit(&self) -> Result<(), StoreError> {
        Ok(self.connection.prepare_cached("COMMIT")?.execute([]).map(drop)?)
    }

    /// Undoes the transaction, if one is open.
    ///
    /// # Errors
    /// SQLite's own words; the transaction is gone all the same.
    pub fn rollback(&self) -> Result<(), StoreError> {
        if self.connection.is_autocommit() {
            return Ok(());
        }
        Ok(self.connection.execute_batch("ROLLBACK")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_servers_cannot_open_one_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/stepwell.db");
        let first = Store::open(&path).unwrap();
        let refused = Store::open(&path).err().unwrap();
        assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
        assert!(refused.to_string().contains("--data-dir"));
        drop(first);
        Store::open(&path).unwrap();
    }

    #[test]
    fn a_file_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stepwell.db");
        Store::open(&path).unwrap().connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(Store::open(&path).err().unwrap(), StoreError::TooNew { found: 99, .. }));
    }
}
