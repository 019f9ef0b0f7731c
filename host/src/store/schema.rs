//! The tables, and how the file is kept.

use super::StoreError;
use crate::place::Place;
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;

/// The version that `user_version` holds. A newer schema gets a newer number and a step that brings older files to it.
const SCHEMA_VERSION: i64 = 2;
/// How long a statement waits for another process (a backup, an `sqlite3` shell) that holds the file.
const BUSY_TIME_MAX: Duration = Duration::from_secs(5);
/// How long the log may become, in pages of 8 KiB, before the thread that commits copies it whatever others do ([`super::checkpoints`]): 128 MiB.
pub(super) const LOG_PAGES_MAX: i64 = 16 << 10;
/// Prepared statements that are kept: more than there are.
const STATEMENTS_KEPT: usize = 32;
/// Pages of the file that are kept in memory once they were read. SQLite's own 2 MiB do not hold the inner pages of a file with 100,000
/// runs that wait; no more of it is taken than the file has.
const PAGE_CACHE_KIB_MAX: i64 = 32 << 10;

/// `rows`: keys of an actor lie together, and actors are named so that they sort by time (law 5).
/// `wakes`: `owing` actors are resumed after a restart and their exact times are kept in memory alone; parked ones are
/// found by their time.
pub(super) const FIRST: &str = "
CREATE TABLE rows (
    actor TEXT NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (actor, key)
) WITHOUT ROWID, STRICT;
CREATE TABLE wakes (
    actor TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL,
    owing INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
CREATE INDEX wakes_parked ON wakes (at, actor) WHERE owing = 0;
";

/// `letters`: messages to actors of other partitions, until these have taken them in. `facts`: which partition this is, of how many.
const SECOND: &str = "
CREATE TABLE letters (
    id INTEGER PRIMARY KEY,
    actor TEXT NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE facts (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID, STRICT;
";

/// Makes the tables where they are missing and sets how the file is kept.
///
/// # Errors
/// A file from a newer version, or not of `place`; SQLite's own words.
pub fn prepare(connection: &Connection, path: &Path, place: Place) -> Result<(), StoreError> {
    connection.busy_timeout(BUSY_TIME_MAX)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Before the first table, or it has no effect. Twice SQLite's default: journal rows of a step are often some KB.
    connection.pragma_update(None, "page_size", 8192)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -PAGE_CACHE_KIB_MAX)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > SCHEMA_VERSION {
        return Err(StoreError::TooNew { path: path.to_owned(), found, known: SCHEMA_VERSION });
    }
    let Place { index, count } = if found == 1 { Place::ALONE } else { place };
    let facts = format!("INSERT INTO facts VALUES ('partition', {index}), ('partitions', {count});");
    let first = if found == 0 { FIRST } else { "" };
    if found < SCHEMA_VERSION {
        connection
            .execute_batch(&format!("BEGIN;{first}{SECOND}{facts}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;"))?;
    }
    check(connection, path, place)
}

/// Sets how a connection behaves that does nothing but copy the log.
///
/// # Errors
/// SQLite's own words.
pub fn prepare_to_copy(connection: &Connection) -> Result<(), StoreError> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection.busy_timeout(BUSY_TIME_MAX)?)
}

/// Whether the file is the one of `place`.
fn check(connection: &Connection, path: &Path, place: Place) -> Result<(), StoreError> {
    let fact = |name: &str| -> Result<u32, StoreError> {
        Ok(connection.query_row("SELECT value FROM facts WHERE name = ?1", [name], |row| row.get(0))?)
    };
    let (index, count) = (fact("partition")?, fact("partitions")?);
    if count != place.count {
        return Err(StoreError::OtherPartitions { path: path.to_owned(), found: count, wanted: place.count });
    }
    if index != place.index {
        return Err(StoreError::Misnamed { path: path.to_owned(), found: index });
    }
    Ok(())
}
