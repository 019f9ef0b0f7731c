//! Spin's key-value store, by `wasi:keyvalue`: that interface alone has atomics.

use spin_sdk::experimental::wasi::keyvalue::atomics::{self, Cas, CasError};
use spin_sdk::experimental::wasi::keyvalue::store::{self, Bucket, Error};
use stepwell_spin_home::store::{Put, Store, StoreError};

/// The label of `key_value_stores` in spin.toml.
const LABEL: &str = "default";

/// An open store.
pub struct KeyValue(Bucket);

impl KeyValue {
    /// Opens it.
    pub fn open() -> Result<Self, String> {
        store::open(LABEL)
            .map(Self)
            .map_err(|error| format!("the key-value store {LABEL:?} cannot be opened: {error:?}"))
    }
}

fn failed(error: Error) -> StoreError {
    StoreError(format!("{error:?}"))
}

impl Store for KeyValue {
    type Seen = Cas;

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.0.get(key).map_err(failed)
    }

    async fn look(&self, key: &str) -> Result<(Option<Vec<u8>>, Cas), StoreError> {
        let cas = Cas::new(&self.0, key).map_err(failed)?;
        Ok((cas.current().map_err(failed)?, cas))
    }

    async fn put(&self, put: Put) -> Result<(), StoreError> {
        self.0.set(&put.key, &put.value).map_err(failed)
    }

    async fn delete(&self, key: &str) -> Result<(), StoreError> {
        self.0.delete(key).map_err(failed)
    }

    async fn increment(&self, key: &str, delta: i64) -> Result<i64, StoreError> {
        atomics::increment(&self.0, key, delta).map_err(failed)
    }

    async fn swap(&self, seen: Cas, value: Vec<u8>) -> Result<bool, StoreError> {
        match atomics::swap(seen, &value) {
            Ok(()) => Ok(true),
            Err(CasError::CasFailed(_)) => Ok(false),
            Err(CasError::StoreError(error)) => Err(failed(error)),
        }
    }
}
