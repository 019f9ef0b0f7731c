//! The same store in Spin's SQLite: one table, and each commit a single statement, so that what a turn writes is one flush.
//!
//! A statement that reads, compares and writes needs no transaction around it, and so no lock is held while the host waits for this guest. That matters:
//! the host has a thread for each statement that waits for a lock, 512 of them, and once so many wait there is none left for the next statement of whoever
//! has it.
//!
//! The rows of a statement are read to their end before the next one: otherwise that one never ends. The journal is a WAL: a commit is one flush rather
//! than several, and whoever reads waits for nobody. SQLite's own waiting (5 s) is not fair, so that whoever was unlucky tries again.

use spin_sdk::sqlite::{Connection, Error, Value};
use std::cell::RefCell;
use stepwell_spin_home::store::{Put, Store, StoreError};

/// The label of `sqlite_databases` in spin.toml.
const LABEL: &str = "default";
/// How often a statement is tried that meets a lock; each time waits for 5 s.
const TRIES_MAX: u32 = 4;
/// How often a number is read and written anew that others count up meanwhile.
const COUNTINGS_MAX: u32 = 1_000;
/// Connections that are kept for later.
const IDLE_MAX: usize = 8;

/// A pool of connections.
pub struct Sqlite(RefCell<Vec<Connection>>);

/// What was seen under a key.
pub struct Held {
    key: String,
    value: Option<Vec<u8>>,
}

impl Sqlite {
    /// Opens it, and makes the table.
    pub async fn open() -> Result<Self, String> {
        let unusable = |error: StoreError| format!("the SQLite database {LABEL:?} cannot be used: {error}");
        let pool = Self(RefCell::default());
        let connection = pool.connection().await.map_err(unusable)?;
        let table = "CREATE TABLE IF NOT EXISTS stepwell (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID";
        // Where it is not to be had, the usual one is slower, and no less safe.
        let _ = run(&connection, "PRAGMA journal_mode = WAL", &[]).await;
        run(&connection, table, &[]).await.map_err(unusable)?;
        pool.give_back(connection);
        Ok(pool)
    }

    async fn connection(&self) -> Result<Connection, StoreError> {
        if let Some(connection) = self.0.borrow_mut().pop() {
            return Ok(connection);
        }
        Connection::open(LABEL).await.map_err(failed)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.0.borrow_mut();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }

    /// The first value of the first row that a statement gives. A connection whose statement failed is not used again.
    async fn one(&self, statement: &str, parameters: &[Value]) -> Result<Option<Value>, StoreError> {
        let connection = self.connection().await?;
        let value = run(&connection, statement, parameters).await?;
        self.give_back(connection);
        Ok(value)
    }
}

const READ: &str = "SELECT value FROM stepwell WHERE key = ?";
const WRITE: &str =
    "INSERT INTO stepwell (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";

/// Writes so many rows, where a key is as it was seen; gives a row where it does.
fn conditional(seen: &Held, rows: usize) -> String {
    let condition = match seen.value {
        Some(_) => "EXISTS (SELECT 1 FROM stepwell WHERE key = ? AND value = ?)",
        None => "NOT EXISTS (SELECT 1 FROM stepwell WHERE key = ?)",
    };
    let rows = vec!["(?, ?)"; rows].join(", ");
    format!(
        "INSERT INTO stepwell (key, value) SELECT column1, column2 FROM (VALUES {rows}) WHERE {condition} \
         ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING 1"
    )
}

/// As [`Sqlite::one`], tried again where others write.
async fn run(connection: &Connection, statement: &str, parameters: &[Value]) -> Result<Option<Value>, StoreError> {
    let mut tried = 1_u32;
    loop {
        match run_once(connection, statement, parameters).await {
            Err(error) if tried < TRIES_MAX && error.0.contains("locked") => tried = tried.saturating_add(1),
            settled => return settled,
        }
    }
}

async fn run_once(connection: &Connection, statement: &str, parameters: &[Value]) -> Result<Option<Value>, StoreError> {
    let rows =
        connection.execute(statement, parameters.to_vec()).await.map_err(failed)?.collect().await.map_err(failed)?;
    Ok(rows.into_iter().next().and_then(|row| row.values.into_iter().next()))
}

fn failed(error: Error) -> StoreError {
    StoreError(format!("{error:?}"))
}

fn text(key: &str) -> Value {
    Value::Text(key.to_owned())
}

fn bytes(value: Option<Value>) -> Result<Option<Vec<u8>>, StoreError> {
    match value {
        None => Ok(None),
        Some(Value::Blob(bytes)) => Ok(Some(bytes)),
        Some(_) => Err(StoreError("the table has something else than bytes".to_owned())),
    }
}

impl Store for Sqlite {
    type Seen = Held;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        bytes(self.one(READ, &[text(key)]).await?)
    }

    async fn look(&self, key: &str) -> Result<(Option<Vec<u8>>, Held), StoreError> {
        let value = self.get(key).await?;
        Ok((value.clone(), Held { key: key.to_owned(), value }))
    }

    async fn put(&self, put: Put) -> Result<(), StoreError> {
        self.one(WRITE, &[Value::Text(put.key), Value::Blob(put.value)]).await.map(drop)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.one("DELETE FROM stepwell WHERE key = ?", &[text(key)]).await.map(drop)
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        for _ in 0..COUNTINGS_MAX {
            let (held, seen) = self.look(key).await?;
            let number = match held.map(<[u8; 8]>::try_from) {
                None => 0,
                Some(Ok(bytes)) => i64::from_le_bytes(bytes),
                Some(Err(_)) => return Err(StoreError("what is to be counted up is no number".to_owned())),
            };
            let number = number.saturating_add(delta);
            // Whoever was beaten to it was beaten by somebody who is done.
            if self.swap(seen, number.to_le_bytes().to_vec()).await? {
                return Ok(number);
            }
        }
        Err(StoreError("others counted it up again and again".to_owned()))
    }

    async fn swap(&self, seen: Held, value: Vec<u8>) -> Result<bool, StoreError> {
        self.commit(Vec::new(), seen, value).await
    }

    async fn commit(&self, puts: Vec<Put>, seen: Held, value: Vec<u8>) -> Result<bool, StoreError> {
        let statement = conditional(&seen, puts.len().saturating_add(1));
        let head = Put { key: seen.key.clone(), value };
        let rows = puts.into_iter().chain([head]);
        let mut parameters: Vec<Value> = rows.flat_map(|put| [Value::Text(put.key), Value::Blob(put.value)]).collect();
        parameters.push(Value::Text(seen.key));
        parameters.extend(seen.value.map(Value::Blob));
        Ok(self.one(&statement, &parameters).await?.is_some())
    }
}
