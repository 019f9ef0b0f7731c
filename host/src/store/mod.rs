//! A partition's file: rows of actors, who must be woken, and letters to other partitions.
//!
//! A store belongs to one partition thread. Everything is written in a transaction: [`Store::begin`], writes,
//! [`Store::commit`]. Durable means durable: write-ahead log, `synchronous=FULL`, so a commit is one fsync.
//! What becomes of the log is the work of a thread beside it (`checkpoints.rs`).

mod checkpoints;
mod letters;
mod lock;
mod rows;
mod schema;
mod wakes;

pub use letters::Stored;
pub use wakes::WakeRow;

use crate::place::Place;
use checkpoints::Checkpoints;
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
    /// What is in the file was spread over another number of partitions.
    #[error("partitions_changed: {} was made for {found} partition(s), and {wanted} were asked for, but actors do not move: start with --partitions {found}, or choose another folder with --data-dir", .path.display())]
    OtherPartitions {
        /// The file.
        path: PathBuf,
        /// For how many it was made.
        found: u32,
        /// How many there are to be.
        wanted: u32,
    },
    /// A file under the name of another.
    #[error("{} is the file of partition {found}, counted from 0, under the name of another: put the files back as they were", .path.display())]
    Misnamed {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: u32,
    },
}

/// An open file.
pub struct Store {
    /// None of what is in memory. Ends before the connection, which cleans up as the last one.
    checkpoints: Option<Checkpoints>,
    connection: Connection,
    /// Held as long as the file is open.
    _lock: Option<std::fs::File>,
}

impl Store {
    /// Opens `path`, making it and its folder where they are missing.
    ///
    /// # Errors
    /// A folder that cannot be written, a file that another server uses, is damaged, comes from a newer version, or is not of `place`.
    pub fn open(path: &Path, place: Place) -> Result<Self, StoreError> {
        let lock = lock::take(path)?;
        let connection = Connection::open(path)?;
        schema::prepare(&connection, path, place)?;
        let checkpoints = Some(Checkpoints::start(path)?);
        Ok(Self { checkpoints, connection, _lock: Some(lock) })
    }

    /// A store that is gone with the process.
    ///
    /// # Errors
    /// No memory.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        schema::prepare(&connection, Path::new(":memory:"), Place::ALONE)?;
        Ok(Self { checkpoints: None, connection, _lock: None })
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
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        if let Some(checkpoints) = &self.checkpoints {
            checkpoints.committed(&self.connection);
        }
        Ok(())
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
        let first = Store::open(&path, Place::ALONE).unwrap();
        let refused = Store::open(&path, Place::ALONE).err().unwrap();
        assert!(matches!(refused, StoreError::InUse(_)), "{refused}");
        assert!(refused.to_string().contains("--data-dir"));
        drop(first);
        Store::open(&path, Place::ALONE).unwrap();
    }

    #[test]
    fn a_file_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stepwell.db");
        Store::open(&path, Place::ALONE).unwrap().connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(Store::open(&path, Place::ALONE).err().unwrap(), StoreError::TooNew { found: 99, .. }));
    }

    #[test]
    fn a_file_stays_with_its_number_of_partitions_and_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stepwell.db");
        let second = Place { index: 1, count: 2 };
        drop(Store::open(&path, second).unwrap());
        drop(Store::open(&path, second).unwrap());
        let refused = Store::open(&path, Place { index: 1, count: 3 }).err().unwrap();
        assert!(matches!(refused, StoreError::OtherPartitions { found: 2, wanted: 3, .. }), "{refused}");
        assert!(
            refused.to_string().starts_with("partitions_changed: ") && refused.to_string().contains("--partitions 2")
        );
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors/partitions_changed.md");
        assert!(std::fs::exists(page).unwrap());
        assert!(matches!(Store::open(&path, Place { index: 0, count: 2 }), Err(StoreError::Misnamed { found: 1, .. })));
    }

    #[test]
    fn a_file_from_before_there_were_partitions_is_brought_to_the_newest_schema_as_the_only_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stepwell.db");
        let old = Connection::open(&path).unwrap();
        old.execute_batch(schema::FIRST).unwrap();
        old.execute_batch("INSERT INTO rows VALUES ('run/1', 'k', x'07'); PRAGMA user_version = 1;").unwrap();
        drop(old);
        assert!(matches!(
            Store::open(&path, Place { index: 0, count: 2 }),
            Err(StoreError::OtherPartitions { found: 1, .. })
        ));
        let store = Store::open(&path, Place::ALONE).unwrap();
        assert_eq!(store.newest_letter().unwrap(), 0);
        let all = crate::wit::Range { start: String::new(), end: "z".to_owned(), limit: 9, descending: false };
        assert_eq!(store.read("run/1", &all).unwrap().len(), 1);
    }
}
