//! The same store in Spin's SQLite: one table, and each commit a transaction, so that what a turn writes is one flush.
//!
//! Each connection is one transaction at a time; a request has its own, since what is done by others of this instance goes on
//! between two statements. `BEGIN IMMEDIATE`: a deferred one fails as soon as two want to write. The rows of a statement are read
//! to their end before the next one: otherwise that one never ends.
//!
//! The journal is a WAL: a commit is one flush rather than several, and whoever reads waits for nobody. SQLite's own waiting (5 s) is
//! not fair, so that whoever was unlucky tries again.

use spin_sdk::sqlite::{Connection, Error, Value};
use std::cell::RefCell;
use stepwell_spin_home::store::{Put, Store, StoreError};

/// The label of `sqlite_databases` in spin.toml.
const LABEL: &str = "default";
/// How often a transaction is begun before it is given up; each time waits for 5 s.
const BEGINNINGS_MAX: u32 = 4;
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
        let _ = run(&connection, "PRAGMA journal_mode = WAL", Vec::new()).await;
        run(&connection, table, Vec::new()).await.map_err(unusable)?;
        pool.give_back(connection);
        Ok(pool)
    }

    async fn connection(&self) -> Result<Connection, StoreError> {
        if let Some(connection) = self.0.borrow_mut().pop() {
            return Ok(connection);
        }
        Connection::open(LABEL).await.map_err(failed)
    }

    /// One in the middle of a transaction is never given back: it is closed, which rolls back.
    fn give_back(&self, connection: Connection) {
        let mut idle = self.0.borrow_mut();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }

    /// A connection in a transaction that may write.
    async fn begin(&self) -> Result<Connection, StoreError> {
        let mut tried = 1_u32;
        loop {
            let connection = self.connection().await?;
            match run(&connection, "BEGIN IMMEDIATE", Vec::new()).await {
                Ok(_) => return Ok(connection),
                Err(error) if tried >= BEGINNINGS_MAX || !error.0.contains("locked") => return Err(error),
                Err(_) => tried = tried.saturating_add(1),
            }
        }
    }

    async fn one(&self, statement: &str, parameters: Vec<Value>) -> Result<Option<Value>, StoreError> {
        let connection = self.connection().await?;
        let value = run(&connection, statement, parameters).await?;
        self.give_back(connection);
        Ok(value)
    }
}

const READ: &str = "SELECT value FROM stepwell WHERE key = ?";
const WRITE: &str =
    "INSERT INTO stepwell (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";

/// The first value of the first row.
async fn run(connection: &Connection, statement: &str, parameters: Vec<Value>) -> Result<Option<Value>, StoreError> {
    let rows = connection.execute(statement, parameters).await.map_err(failed)?.collect().await.map_err(failed)?;
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
        bytes(self.one(READ, vec![text(key)]).await?)
    }

    async fn look(&self, key: &str) -> Result<(Option<Vec<u8>>, Held), StoreError> {
        let value = self.get(key).await?;
        Ok((value.clone(), Held { key: key.to_owned(), value }))
    }

    async fn put(&self, put: Put) -> Result<(), StoreError> {
        self.one(WRITE, vec![Value::Text(put.key), Value::Blob(put.value)]).await.map(drop)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.one("DELETE FROM stepwell WHERE key = ?", vec![text(key)]).await.map(drop)
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        let connection = self.begin().await?;
        let held = bytes(run(&connection, READ, vec![text(key)]).await?)?;
        let number = match held.map(<[u8; 8]>::try_from) {
            None => 0,
            Some(Ok(bytes)) => i64::from_le_bytes(bytes),
            Some(Err(_)) => return Err(StoreError("what is to be counted up is no number".to_owned())),
        };
        let number = number.saturating_add(delta);
        run(&connection, WRITE, vec![text(key), Value::Blob(number.to_le_bytes().to_vec())]).await?;
        run(&connection, "COMMIT", Vec::new()).await?;
        self.give_back(connection);
        Ok(number)
    }

    async fn swap(&self, seen: Held, value: Vec<u8>) -> Result<bool, StoreError> {
        self.commit(Vec::new(), seen, value).await
    }

    async fn commit(&self, puts: Vec<Put>, seen: Held, value: Vec<u8>) -> Result<bool, StoreError> {
        let connection = self.begin().await?;
        if bytes(run(&connection, READ, vec![text(&seen.key)]).await?)? != seen.value {
            run(&connection, "ROLLBACK", Vec::new()).await?;
            self.give_back(connection);
            return Ok(false);
        }
        for put in puts {
            run(&connection, WRITE, vec![Value::Text(put.key), Value::Blob(put.value)]).await?;
        }
        run(&connection, WRITE, vec![Value::Text(seen.key), Value::Blob(value)]).await?;
        run(&connection, "COMMIT", Vec::new()).await?;
        self.give_back(connection);
        Ok(true)
    }
}
