//! `spin:key-value`.

use super::Bucket;
use crate::bindings::spin::key_value::key_value::{Error, Host, HostStore, HostStoreWithStore};
use crate::instance::{Given, Instance};
use crate::streamed::{Streamed, WAITING_MAX};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use wasmtime::Result;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

impl Host for Instance {}

impl HostStore for Instance {
    async fn drop(&mut self, bucket: Resource<Bucket>) -> Result<()> {
        self.table.delete(bucket)?;
        Ok(())
    }
}

impl Instance {
    /// Opens a store, where the manifest allows it. Spin sets no bound to how many are open.
    pub(crate) fn open_bucket(&mut self, label: String) -> Result<Result<Resource<Bucket>, Error>> {
        if !self.component.key_value_stores.contains(&label) {
            return Ok(Err(Error::AccessDenied));
        }
        let stores = Arc::clone(&self.component.stores);
        Ok(Ok(self.table.push(Bucket { stores, label })?))
    }
}

type Answer<T> = Result<std::result::Result<T, Error>>;

/// Does `work` on a store, unless the instance is killed before or after.
fn on<S, T>(
    accessor: &Accessor<S, Given>,
    bucket: Resource<Bucket>,
    work: impl FnOnce(&Bucket) -> Result<std::result::Result<T, String>>,
) -> Answer<T> {
    let (stores, label, chaos) = accessor.with(|mut access| {
        let instance = access.get();
        let bucket = instance.table.get(&bucket)?;
        wasmtime::error::Ok((Arc::clone(&bucket.stores), bucket.label.clone(), Arc::clone(&instance.component.chaos)))
    })?;
    let answer = chaos.around(|| work(&Bucket { stores, label }))?;
    Ok(answer.map_err(Error::Other))
}

impl<S> HostStoreWithStore<S> for Given {
    async fn open(accessor: &Accessor<S, Self>, label: String) -> Answer<Resource<Bucket>> {
        accessor.with(|mut access| access.get().open_bucket(label))
    }

    async fn get(accessor: &Accessor<S, Self>, bucket: Resource<Bucket>, key: String) -> Answer<Option<Vec<u8>>> {
        on(accessor, bucket, |bucket| bucket.stores.get(&bucket.label, &key))
    }

    async fn set(accessor: &Accessor<S, Self>, bucket: Resource<Bucket>, key: String, value: Vec<u8>) -> Answer<()> {
        on(accessor, bucket, |bucket| bucket.stores.set(&bucket.label, &key, &value))
    }

    async fn delete(accessor: &Accessor<S, Self>, bucket: Resource<Bucket>, key: String) -> Answer<()> {
        on(accessor, bucket, |bucket| bucket.stores.delete(&bucket.label, &key))
    }

    async fn exists(accessor: &Accessor<S, Self>, bucket: Resource<Bucket>, key: String) -> Answer<bool> {
        on(accessor, bucket, |bucket| Ok(bucket.stores.get(&bucket.label, &key)?.map(|value| value.is_some())))
    }

    async fn get_keys(
        accessor: &Accessor<S, Self>,
        bucket: Resource<Bucket>,
    ) -> Result<(StreamReader<String>, FutureReader<std::result::Result<(), Error>>)> {
        let (keys, listed) = mpsc::channel(WAITING_MAX);
        let (end, ended) = oneshot::channel();
        let listing = on(accessor, bucket, |bucket| Ok(Ok((Arc::clone(&bucket.stores), bucket.label.clone()))))?;
        let (stores, label) = listing.map_err(|fault| wasmtime::format_err!("{fault:?}"))?;
        tokio::task::spawn_blocking(move || {
            let result = stores.send_keys(&label, &keys);
            // Where the instance is gone nobody is left to be told.
            let _ = end.send(result.map_err(Error::Other));
        });
        accessor.with(|mut access| {
            let keys = StreamReader::new(&mut access, Streamed(listed))?;
            Ok((keys, FutureReader::new(&mut access, ended)?))
        })
    }
}
