//! `wasi:keyvalue`: stores, compare-and-swap, batches.

use super::{Bucket, Pairs, Swap};
use crate::bindings::spin::key_value::key_value::Error as SpinError;
use crate::bindings::wasi::keyvalue::atomics::{self, CasError};
use crate::bindings::wasi::keyvalue::batch;
use crate::bindings::wasi::keyvalue::store::{self, Error, KeyResponse};
use crate::instance::Instance;
use std::sync::{Arc, Mutex, PoisonError};
use wasmtime::Result;
use wasmtime::component::Resource;

type Answer<T> = Result<std::result::Result<T, Error>>;

impl Instance {
    /// Does `work` on a store, unless the instance is killed before or after.
    fn on<T>(
        &self,
        bucket: &Resource<Bucket>,
        work: impl FnOnce(&Bucket) -> Result<std::result::Result<T, String>>,
    ) -> Answer<T> {
        let bucket = self.table.get(bucket)?;
        Ok(self.component.chaos.around(|| work(bucket))?.map_err(Error::Other))
    }

    /// Begins a swap.
    fn begin(&mut self, bucket: &Resource<Bucket>, key: String) -> Answer<Resource<Swap>> {
        let Ok(open) = self.table.get(bucket) else { return Ok(Err(Error::NoSuchStore)) };
        if let Err(why) = open.stores.swaps() {
            return Ok(Err(Error::Other(why)));
        }
        let (stores, label) = (Arc::clone(&open.stores), open.label.clone());
        let swap = Swap { stores, label, bucket: bucket.rep(), key, seen: Mutex::new(None) };
        Ok(Ok(self.table.push(swap)?))
    }

    fn read(&self, swap: &Resource<Swap>) -> Answer<Option<Vec<u8>>> {
        let swap = self.table.get(swap)?;
        let value = swap.stores.get(&swap.label, &swap.key)?;
        if let Ok(value) = &value {
            swap.seen.lock().unwrap_or_else(PoisonError::into_inner).clone_from(value);
        }
        Ok(value.map_err(Error::Other))
    }

    /// Swaps; where that fails, gives a new swap that has read.
    fn try_swap(&mut self, swap: Resource<Swap>, value: &[u8]) -> Result<std::result::Result<(), CasError>> {
        let begun = self.table.delete(swap)?;
        let seen = begun.seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match begun.stores.swap(&begun.label, &begun.key, seen.as_deref(), value)? {
            Ok(true) => return Ok(Ok(())),
            Ok(false) => {}
            Err(why) => return Ok(Err(CasError::StoreError(Error::Other(why)))),
        }
        let again = match self.begin(&Resource::new_borrow(begun.bucket), begun.key)? {
            Ok(again) => again,
            Err(fault) => return Ok(Err(CasError::StoreError(fault))),
        };
        let read = self.read(&Resource::new_borrow(again.rep()))?;
        Ok(Err(read.map_or_else(CasError::StoreError, |_| CasError::CasFailed(again))))
    }
}

impl store::Host for Instance {
    async fn open(&mut self, identifier: String) -> Answer<Resource<Bucket>> {
        Ok(self.open_bucket(identifier)?.map_err(|fault| match fault {
            SpinError::AccessDenied => Error::AccessDenied,
            SpinError::NoSuchStore => Error::NoSuchStore,
            SpinError::StoreTableFull => Error::Other("store table full".to_owned()),
            SpinError::Other(why) => Error::Other(why),
        }))
    }
}

impl store::HostBucket for Instance {
    async fn get(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<Option<Vec<u8>>> {
        self.on(&bucket, |bucket| bucket.stores.get(&bucket.label, &key))
    }

    async fn set(&mut self, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Answer<()> {
        self.on(&bucket, |bucket| bucket.stores.set(&bucket.label, &key, &value))
    }

    async fn delete(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<()> {
        self.on(&bucket, |bucket| bucket.stores.delete(&bucket.label, &key))
    }

    async fn exists(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<bool> {
        self.on(&bucket, |bucket| Ok(bucket.stores.get(&bucket.label, &key)?.map(|value| value.is_some())))
    }

    async fn list_keys(&mut self, bucket: Resource<Bucket>, cursor: Option<String>) -> Answer<KeyResponse> {
        if cursor.is_some() {
            return Ok(Err(Error::Other("list_keys: cursor not supported".to_owned())));
        }
        let keys = self.on(&bucket, |bucket| bucket.stores.keys(&bucket.label))?;
        Ok(keys.map(|keys| KeyResponse { keys, cursor: None }))
    }

    async fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl atomics::HostCas for Instance {
    async fn new(&mut self, bucket: Resource<Bucket>, key: String) -> Answer<Resource<Swap>> {
        self.begin(&bucket, key)
    }

    async fn current(&mut self, swap: Resource<Swap>) -> Answer<Option<Vec<u8>>> {
        let chaos = Arc::clone(&self.component.chaos);
        chaos.around(|| self.read(&swap))
    }

    async fn drop(&mut self, swap: Resource<Swap>) -> Result<()> {
        self.table.delete(swap)?;
        Ok(())
    }
}

impl atomics::Host for Instance {
    async fn increment(&mut self, bucket: Resource<Bucket>, key: String, delta: i64) -> Answer<i64> {
        self.on(&bucket, |bucket| bucket.stores.increment(&bucket.label, &key, delta))
    }

    async fn swap(&mut self, swap: Resource<Swap>, value: Vec<u8>) -> Result<std::result::Result<(), CasError>> {
        let chaos = Arc::clone(&self.component.chaos);
        chaos.around(|| self.try_swap(swap, &value))
    }
}

impl batch::Host for Instance {
    async fn get_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Answer<Pairs> {
        self.on(&bucket, |bucket| bucket.stores.get_many(&bucket.label, &keys))
    }

    async fn set_many(&mut self, bucket: Resource<Bucket>, pairs: Vec<(String, Vec<u8>)>) -> Answer<()> {
        self.on(&bucket, |bucket| bucket.stores.set_many(&bucket.label, &pairs))
    }

    async fn delete_many(&mut self, bucket: Resource<Bucket>, keys: Vec<String>) -> Answer<()> {
        self.on(&bucket, |bucket| bucket.stores.delete_many(&bucket.label, &keys))
    }
}
