//! Whether a store can hold the promises: tried, not believed.

use crate::store::{Put, Store, StoreError};

/// Where what was found out is kept, with the store that it was found out of.
const VERDICT: &str = "stepwell:atomics";
const EXACT: &[u8] = b"exact";
const UNHEARD: &[u8] = b"unheard";

/// What is known of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atomics {
    /// A swap does what it says.
    Exact,
    /// A swap that was lost is reported as done (Spin's Redis): each is to be looked after.
    Unheard,
}

/// Finds out, once for each store.
///
/// # Errors
/// Why it cannot be used, for people.
pub async fn probe(store: &impl Store, draw: u64) -> Result<Atomics, String> {
    match store.get(VERDICT).await.map_err(unusable("be read"))?.as_deref() {
        Some(EXACT) => return Ok(Atomics::Exact),
        Some(UNHEARD) => return Ok(Atomics::Unheard),
        _ => {}
    }
    let key = format!("{VERDICT}:{draw:016x}");
    let exact = "increment exactly";
    let counts = [
        store.increment(&key, 0).await.map_err(unusable(exact))?,
        store.increment(&key, 0).await.map_err(unusable(exact))?,
    ];
    if counts != [0, 0] {
        return Err(format!("the key-value store counts {counts:?} where it should count 0 twice; see docs/SPIN.md"));
    }
    let swap = "compare and swap";
    let (_, one) = store.look(&key).await.map_err(unusable(swap))?;
    let (_, other) = store.look(&key).await.map_err(unusable(swap))?;
    let first = store.swap(one, b"first".to_vec()).await.map_err(unusable(swap))?;
    let second = store.swap(other, b"other".to_vec()).await.map_err(unusable(swap))?;
    let held = store.get(&key).await.map_err(unusable("be read"))?;
    // It is of no use any more; where it stays, it is small.
    let _ = store.delete(&key).await;
    let verdict = match (first, second, held.as_deref()) {
        (true, false, Some(b"first")) => (Atomics::Exact, EXACT),
        (true, true, Some(b"first")) => (Atomics::Unheard, UNHEARD),
        _ => {
            let why = "of two swaps of the same value both were made, or none";
            return Err(format!(
                "the key-value store has no atomic swap ({why}), and loses what is written at once; see docs/SPIN.md"
            ));
        }
    };
    // Found out again where this is lost.
    let _ = store.put(Put { key: VERDICT.to_owned(), value: verdict.1.to_vec() }).await;
    Ok(verdict.0)
}

fn unusable(what: &'static str) -> impl Fn(StoreError) -> String {
    move |error| {
        format!(
            "the key-value store cannot {what} ({error}): Stepwell needs one with atomic operations; see docs/SPIN.md"
        )
    }
}
