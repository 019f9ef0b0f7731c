//! The table, and what is done to it.

use crate::gate::Gate;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use tokio::sync::mpsc::Sender;
use wasmtime::{Result, format_err};

/// The file that Spin keeps its default store in.
pub(crate) const FILE: &str = "sqlite_key_value.db";

const CREATE: &str = "CREATE TABLE IF NOT EXISTS spin_key_value (
    store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (store, key))";
const GET: &str = "SELECT value FROM spin_key_value WHERE store = ?1 AND key = ?2";
const SET: &str = "INSERT INTO spin_key_value (store, key, value) VALUES (?1, ?2, ?3) ON CONFLICT (store, key) DO UPDATE SET value = ?3";
const SWAP: &str = "UPDATE spin_key_value SET value = ?4 WHERE store = ?1 AND key = ?2 AND value = ?3";
const DELETE: &str = "DELETE FROM spin_key_value WHERE store = ?1 AND key = ?2";
const KEYS: &str = "SELECT key FROM spin_key_value WHERE store = ?1";

/// All stores of an application.
pub(crate) struct Stores {
    gate: Gate<Connection>,
    /// Whether there are compare-and-swap and increment.
    is_atomic: bool,
}

/// Keys with their values.
pub(crate) type Pairs = Vec<(String, Option<Vec<u8>>)>;

/// What a store says of its own failure: a text.
pub(crate) type Said<T> = std::result::Result<T, String>;

/// Runs `work` without holding up other tasks of its thread.
fn blocking<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    tokio::task::block_in_place(work)
}

fn said(fault: rusqlite::Error) -> String {
    format!("{fault:?}")
}

impl Stores {
    pub(crate) fn open(directory: &Path, is_atomic: bool) -> rusqlite::Result<Self> {
        let connection = Connection::open(directory.join(FILE))?;
        connection.execute(CREATE, [])?;
        Ok(Self { gate: Gate::new(connection), is_atomic })
    }

    fn with<T>(&self, what: &str, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Result<Said<T>> {
        blocking(|| Ok(work(self.gate.enter(what)?.kept()).map_err(said)))
    }

    pub(crate) fn get(&self, label: &str, key: &str) -> Result<Said<Option<Vec<u8>>>> {
        self.with("a get", |connection| get(connection, label, key))
    }

    pub(crate) fn set(&self, label: &str, key: &str, value: &[u8]) -> Result<Said<()>> {
        self.with("a set", |connection| set(connection, label, key, value))
    }

    pub(crate) fn delete(&self, label: &str, key: &str) -> Result<Said<()>> {
        self.with("a delete", |connection| delete(connection, label, key))
    }

    pub(crate) fn keys(&self, label: &str) -> Result<Said<Vec<String>>> {
        self.with("a listing", |connection| {
            let mut statement = connection.prepare_cached(KEYS)?;
            statement.query_map([label], |row| row.get(0))?.collect()
        })
    }

    /// Sends all keys; the store is locked until the last is taken.
    pub(crate) fn send_keys(&self, label: &str, keys: &Sender<String>) -> Said<()> {
        let mut inside = self.gate.enter("a listing").map_err(|fault| fault.to_string())?;
        let (connection, streams) = inside.parts();
        let mut statement = connection.prepare_cached(KEYS).map_err(said)?;
        streams();
        let mut rows = statement.query([label]).map_err(said)?;
        while let Some(row) = rows.next().map_err(said)? {
            keys.blocking_send(row.get(0).map_err(said)?).map_err(|fault| fault.to_string())?;
        }
        Ok(())
    }

    /// Those that are there: a key that is not there is not in the answer, in spite of the interface's words.
    pub(crate) fn get_many(&self, label: &str, keys: &[String]) -> Result<Said<Pairs>> {
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        self.with("a batch", |connection| {
            let mut held = Vec::new();
            for key in keys {
                if let Some(value) = get(connection, label, &key)? {
                    held.push((key, Some(value)));
                }
            }
            Ok(held)
        })
    }

    pub(crate) fn set_many(&self, label: &str, pairs: &[(String, Vec<u8>)]) -> Result<Said<()>> {
        self.with("a batch", |connection| {
            let transaction = connection.transaction()?;
            for (key, value) in pairs {
                set(&transaction, label, key, value)?;
            }
            transaction.commit()
        })
    }

    pub(crate) fn delete_many(&self, label: &str, keys: &[String]) -> Result<Said<()>> {
        self.with("a batch", |connection| {
            let transaction = connection.transaction()?;
            for key in keys {
                delete(&transaction, label, key)?;
            }
            transaction.commit()
        })
    }

    /// Adds to a number of eight bytes, which is 0 where there is none.
    pub(crate) fn increment(&self, label: &str, key: &str, delta: i64) -> Result<Said<i64>> {
        if !self.is_atomic {
            return Ok(Err(NOT_ATOMIC.to_owned()));
        }
        blocking(|| {
            let mut inside = self.gate.enter("an increment")?;
            let transaction = inside.kept().transaction()?;
            let held = get(&transaction, label, key)?.unwrap_or_else(|| vec![0; 8]);
            let held: [u8; 8] = held.try_into().map_err(|_| {
                format_err!("an increment of {key:?}, whose value is no number: Spin would panic here, and fail every use of the store from then on")
            })?;
            let sum = i64::from_le_bytes(held).wrapping_add(delta);
            set(&transaction, label, key, &sum.to_le_bytes())?;
            transaction.commit()?;
            Ok(Ok(sum))
        })
    }

    /// Whether a swap may be begun.
    pub(crate) fn swaps(&self) -> Said<()> {
        if self.is_atomic { Ok(()) } else { Err(NOT_ATOMIC.to_owned()) }
    }

    /// Whether the value was `seen`, and is `value` now. Where nothing was seen it is set, whatever is there.
    pub(crate) fn swap(&self, label: &str, key: &str, seen: Option<&[u8]>, value: &[u8]) -> Result<Said<bool>> {
        self.with("a swap", |connection| match seen {
            Some(seen) => {
                let changed = connection.prepare_cached(SWAP)?.execute(params![label, key, seen, value])?;
                Ok(changed == 1)
            }
            None => set(connection, label, key, value).map(|()| true),
        })
    }
}

const NOT_ATOMIC: &str = "this store has no atomic operations";

fn get(connection: &Connection, label: &str, key: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    connection.prepare_cached(GET)?.query_row([label, key], |row| row.get(0)).optional()
}

fn set(connection: &Connection, label: &str, key: &str, value: &[u8]) -> rusqlite::Result<()> {
    connection.prepare_cached(SET)?.execute(params![label, key, value]).map(drop)
}

fn delete(connection: &Connection, label: &str, key: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(DELETE)?.execute([label, key]).map(drop)
}
