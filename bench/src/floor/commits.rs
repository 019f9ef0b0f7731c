//! How many commits of one row SQLite makes durable in a second, one after the other, set as the host sets it.

use crate::statistics::rate;
use anyhow::Result;
use rusqlite::Connection;
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) fn per_second(folder: &Path, time: Duration) -> Result<f64> {
    let connection = Connection::open(folder.join("commits.db"))?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.execute_batch("CREATE TABLE rows (key INTEGER PRIMARY KEY, value BLOB) STRICT")?;
    let mut insert = connection.prepare("INSERT INTO rows (value) VALUES (?1)")?;
    let (start, mut count) = (Instant::now(), 0_u64);
    while start.elapsed() < time {
        insert.execute([[7_u8; 200]])?;
        count = count.saturating_add(1);
    }
    Ok(rate(count, start.elapsed()))
}
