//! What SQLite does on this disk, as durable as the server's file.

use crate::samples::rate;
use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, Instant};

/// Commits of one row each, one after another, for `time`.
///
/// # Errors
/// SQLite failed.
pub fn commits_per_second(folder: &Path, time: Duration) -> anyhow::Result<f64> {
    let path = folder.join("floor.db");
    let connection = Connection::open(&path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch("CREATE TABLE row (id INTEGER PRIMARY KEY, value BLOB NOT NULL)")?;
    let value = [0x5a_u8; 200];
    let mut insert = connection.prepare("INSERT INTO row (value) VALUES (?1)")?;
    let (mut commits, began) = (0_usize, Instant::now());
    while began.elapsed() < time {
        insert.execute([&value[..]])?;
        commits = commits.saturating_add(1);
    }
    Ok(rate(commits, began.elapsed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commits_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        assert!(commits_per_second(folder.path(), Duration::from_millis(20)).unwrap() > 0.0);
    }
}
