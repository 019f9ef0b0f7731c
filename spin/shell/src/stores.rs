//! The stores under Spin, as one.

use crate::key_value::KeyValue;
use crate::sqlite::Sqlite;
use stepwell_spin_home::setup::StoreKind;
use stepwell_spin_home::store::{Put, Store, StoreError};

/// The one that was chosen.
pub enum Stores {
    /// The key-value store.
    KeyValue(KeyValue),
    /// SQLite.
    Sqlite(Sqlite),
}

/// What was seen in it.
pub enum Seen {
    /// By the key-value store.
    KeyValue(<KeyValue as Store>::Seen),
    /// By SQLite.
    Sqlite(<Sqlite as Store>::Seen),
}

impl Stores {
    /// Opens the one that was chosen.
    pub async fn open(kind: StoreKind) -> Result<Self, String> {
        match kind {
            StoreKind::KeyValue => KeyValue::open().map(Self::KeyValue),
            StoreKind::Sqlite => Sqlite::open().await.map(Self::Sqlite),
        }
    }
}

/// It cannot be: what is seen in a store is swapped in it.
fn mixed<T>() -> Result<T, StoreError> {
    Err(StoreError("what was seen in one store was to be swapped in another".to_owned()))
}

impl Store for Stores {
    type Seen = Seen;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        match self {
            Self::KeyValue(store) => store.get(key).await,
            Self::Sqlite(store) => store.get(key).await,
        }
    }

    async fn look(&self, key: &str) -> Result<(Option<Vec<u8>>, Seen), StoreError> {
        match self {
            Self::KeyValue(store) => store.look(key).await.map(|(value, seen)| (value, Seen::KeyValue(seen))),
            Self::Sqlite(store) => store.look(key).await.map(|(value, seen)| (value, Seen::Sqlite(seen))),
        }
    }

    async fn put(&self, put: Put) -> Result<(), StoreError> {
        match self {
            Self::KeyValue(store) => store.put(put).await,
            Self::Sqlite(store) => store.put(put).await,
        }
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        match self {
            Self::KeyValue(store) => store.delete(key).await,
            Self::Sqlite(store) => store.delete(key).await,
        }
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        match self {
            Self::KeyValue(store) => store.increment(key, delta).await,
            Self::Sqlite(store) => store.increment(key, delta).await,
        }
    }

    async fn swap(&self, seen: Seen, value: Vec<u8>) -> Result<bool, StoreError> {
        self.commit(Vec::new(), seen, value).await
    }

    async fn commit(&self, puts: Vec<Put>, seen: Seen, value: Vec<u8>) -> Result<bool, StoreError> {
        match (self, seen) {
            (Self::KeyValue(store), Seen::KeyValue(seen)) => store.commit(puts, seen, value).await,
            (Self::Sqlite(store), Seen::Sqlite(seen)) => store.commit(puts, seen, value).await,
            _ => mixed(),
        }
    }
}
