//! The write-ahead log is copied into the file beside the commits, not by them.
//!
//! SQLite has the thread that commits copy the log, a thousand pages and a flush of the file every hundred commits or so; whoever waits for that commit
//! waits for them too. Here a thread with a connection of its own copies what is there, while commits go on. A log begins anew only once it is copied
//! whole, which never is while commits go on: so the thread, when it has next to nothing left, asks the one that commits to copy the rest.

use super::{StoreError, schema};
use rusqlite::Connection;
use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// So many rows are written before the log is copied: some MiB of it.
const ROWS_PER_COPY: u64 = 500;
/// How long the log becomes, in pages of 8 KiB, before it begins anew. Where copies cannot keep up it becomes longer, up to the bound in `schema.rs`.
const LOG_PAGES: i64 = 1_000;

/// The thread that copies.
pub(super) struct Checkpoints {
    /// The rows that had been written when the last copy was asked for.
    rows: Cell<u64>,
    /// Holds one request: what is asked for twice is done once. Closed, it ends the thread.
    due: Option<SyncSender<()>>,
    /// Next to nothing is left to copy, and the log is long.
    is_nearly_copied: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread.
    ///
    /// # Errors
    /// The file cannot be opened once more; no thread.
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(path)?;
        schema::prepare_to_copy(&connection)?;
        let (due, asked) = sync_channel(1);
        let is_nearly_copied = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&is_nearly_copied);
        let thread = std::thread::Builder::new()
            .name("checkpoints".to_owned())
            .spawn(move || copy_when_due(&connection, &asked, &told))
            .map_err(|cause| StoreError::Folder { path: path.to_owned(), cause })?;
        Ok(Self { rows: Cell::new(0), due: Some(due), is_nearly_copied, thread: Some(thread) })
    }

    /// A commit of `connection` is over.
    pub(super) fn committed(&self, connection: &Connection) {
        let rows = connection.total_changes();
        if rows.saturating_sub(self.rows.get()) >= ROWS_PER_COPY {
            self.rows.set(rows);
            // Where one is asked for already, that one will do.
            let _ = self.due.as_ref().map(|due| due.try_send(()));
        }
        if self.is_nearly_copied.swap(false, Ordering::Relaxed)
            && let Err(error) = copy(connection)
        {
            warn(&error);
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.due = None;
        // It only ever ends by itself.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn copy_when_due(connection: &Connection, due: &Receiver<()>, is_nearly_copied: &AtomicBool) {
    while due.recv().is_ok() {
        // The second time it copies what came during the first, which took longer.
        match copy(connection).and_then(|_| copy(connection)) {
            Ok(pages) => is_nearly_copied.store(pages >= LOG_PAGES, Ordering::Relaxed),
            Err(error) => warn(&error),
        }
    }
}

/// Nothing is lost: what was committed is in the log.
fn warn(error: &StoreError) {
    tracing::warn!(%error, "the write-ahead log was not copied into the file; it is tried again");
}

/// Copies what is in the log, as far as nobody reads what was there before; how many pages the log has.
fn copy(connection: &Connection) -> Result<i64, StoreError> {
    let pages = |row: &rusqlite::Row<'_>| row.get(1);
    Ok(connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?.query_row([], pages)?)
}

#[cfg(test)]
mod tests {
    use crate::place::Place;
    use crate::store::{Store, schema};
    use crate::wit::Write;
    use std::path::Path;

    fn commit(store: &Store, number: u64) {
        store.begin().unwrap();
        for row in 0..20 {
            let key = format!("{number:08}/{row}");
            store.write("run/1", &Write { key, value: Some(vec![7; 300]) }).unwrap();
        }
        store.commit().unwrap();
    }

    /// How often the log has begun anew: bytes 12 to 15 of its header (SQLite's file format, "The Write-Ahead Log").
    fn beginnings(log: &Path) -> u32 {
        let header = std::fs::read(log).unwrap();
        u32::from_be_bytes(header[12..16].try_into().unwrap())
    }

    #[test]
    fn the_log_begins_anew_while_commits_go_on_and_is_gone_with_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stepwell.db");
        let log = folder.path().join("stepwell.db-wal");
        let store = Store::open(&path, Place::ALONE).unwrap();
        commit(&store, 0);
        let (first, pages_max) = (beginnings(&log), u64::try_from(schema::LOG_PAGES_MAX).unwrap());
        let mut commits = 1;
        while beginnings(&log) < first + 3 {
            commit(&store, commits);
            commits += 1;
            assert!(log.metadata().unwrap().len() < pages_max / 2 * 8_192, "nobody copies it");
        }
        drop(store);
        assert!(!log.exists());
        let again = Store::open(&path, Place::ALONE).unwrap();
        let range = crate::wit::Range { start: String::new(), end: "~".to_owned(), limit: u32::MAX, descending: false };
        assert_eq!(again.read("run/1", &range).unwrap().len(), usize::try_from(commits).unwrap() * 20);
    }
}
