//! The key-value store, in every way that loses or hangs.

use crate::query::Query;
use crate::time;
use anyhow::{Result, anyhow, bail};
use spin_sdk::experimental::wasi::keyvalue::{atomics, batch, store as wasi};
use spin_sdk::key_value::Store;

/// A swap that fails so often would never succeed.
const TRIES_MAX: usize = 10_000;

pub(crate) async fn answer(path: &str, query: &Query) -> Result<String> {
    let key = query.text("key");
    match path {
        "get" => Ok(text(Store::open_default().await?.get(key).await?)),
        "set" => {
            Store::open_default().await?.set(key, query.text("value")).await?;
            Ok("set".to_owned())
        }
        "delete" => {
            Store::open_default().await?.delete(key).await?;
            Ok("deleted".to_owned())
        }
        "other" => Ok(text(Store::open(query.text("store")).await?.get(key).await?)),
        "keys" => {
            let mut keys = Store::open_default().await?.get_keys().await.collect().await?;
            keys.sort();
            Ok(keys.join(" "))
        }
        "keys-while-reading" => keys_while_reading().await,
        "read-modify-write" => read_modify_write(key, query).await,
        "swap" => swap(key, query).await,
        "swap-once" => swap_once(key, query).await,
        "swap-closed" => swap_closed(key, query).await,
        "swap-unread" => swap_unread(key, query),
        "increment" => Ok(atomics::increment(&bucket()?, key, 1).map_err(debug)?.to_string()),
        "batch" => batch_of(query),
        _ => bail!("no route kv/{path}"),
    }
}

fn bucket() -> Result<wasi::Bucket> {
    wasi::open("default").map_err(debug)
}

fn debug(fault: impl std::fmt::Debug) -> anyhow::Error {
    anyhow!("{fault:?}")
}

fn text(value: Option<Vec<u8>>) -> String {
    value.map_or("nothing".to_owned(), |value| String::from_utf8_lossy(&value).into_owned())
}

fn number(value: Option<Vec<u8>>) -> u64 {
    text(value).parse().unwrap_or_default()
}

/// Reads a store while its keys are still being listed.
async fn keys_while_reading() -> Result<String> {
    let store = Store::open_default().await?;
    let mut keys = store.get_keys().await;
    let mut count = 0_usize;
    while let Some(key) = keys.next().await {
        store.get(&key).await?;
        count = count.saturating_add(1);
    }
    keys.result().await?;
    Ok(count.to_string())
}

/// Counts without any guard.
async fn read_modify_write(key: &str, query: &Query) -> Result<String> {
    let store = Store::open_default().await?;
    let next = number(store.get(key).await?).saturating_add(1);
    time::nap(query).await;
    store.set(key, next.to_string()).await?;
    Ok(next.to_string())
}

/// Counts by compare-and-swap.
async fn swap(key: &str, query: &Query) -> Result<String> {
    let bucket = bucket()?;
    let mut cas = atomics::Cas::new(&bucket, key).map_err(debug)?;
    for _ in 0..TRIES_MAX {
        let next = number(cas.current().map_err(debug)?).saturating_add(1);
        time::nap(query).await;
        match atomics::swap(cas, next.to_string().as_bytes()) {
            Ok(()) => return Ok(next.to_string()),
            Err(atomics::CasError::CasFailed(newer)) => cas = newer,
            Err(atomics::CasError::StoreError(fault)) => return Err(debug(fault)),
        }
    }
    bail!("gave up")
}

/// Reads, naps, swaps once; says whether it was swapped.
async fn swap_once(key: &str, query: &Query) -> Result<String> {
    let bucket = bucket()?;
    swap_after_a_nap(atomics::Cas::new(&bucket, key).map_err(debug)?, query).await
}

/// The same, on a bucket that is closed before.
async fn swap_closed(key: &str, query: &Query) -> Result<String> {
    let cas = atomics::Cas::new(&bucket()?, key).map_err(debug)?;
    swap_after_a_nap(cas, query).await
}

async fn swap_after_a_nap(cas: atomics::Cas, query: &Query) -> Result<String> {
    cas.current().map_err(debug)?;
    time::nap(query).await;
    match atomics::swap(cas, query.text("value").as_bytes()) {
        Ok(()) => Ok("swapped".to_owned()),
        Err(atomics::CasError::CasFailed(_)) => Ok("failed".to_owned()),
        Err(atomics::CasError::StoreError(fault)) => Err(debug(fault)),
    }
}

/// Swaps without having read.
fn swap_unread(key: &str, query: &Query) -> Result<String> {
    let cas = atomics::Cas::new(&bucket()?, key).map_err(debug)?;
    match atomics::swap(cas, query.text("value").as_bytes()) {
        Ok(()) => Ok("swapped".to_owned()),
        Err(fault) => Err(debug(fault)),
    }
}

/// Sets two keys, gets them and one more, deletes the first.
fn batch_of(query: &Query) -> Result<String> {
    let (bucket, key) = (bucket()?, query.text("key"));
    let names = ["a", "b", "c"].map(|end| format!("{key}{end}"));
    let [a, b, _] = names.clone();
    batch::set_many(&bucket, &[(a.clone(), b"1".to_vec()), (b, b"2".to_vec())]).map_err(debug)?;
    let held = batch::get_many(&bucket, &names).map_err(debug)?;
    batch::delete_many(&bucket, &[a]).map_err(debug)?;
    let mut held: Vec<_> = held.into_iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    held.sort();
    Ok(held.join(" "))
}
