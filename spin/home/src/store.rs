//! The store, as little of it as is used: what a key-value store with atomics has, and what SQLite can be made to have.

use std::future::Future;

/// The store did not answer, or refused. Whether a write took effect is not known.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("the store failed: {0}")]
pub struct StoreError(pub String);

/// Some bytes under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Put {
    /// Under which key.
    pub key: String,
    /// What.
    pub value: Vec<u8>,
}

/// A key-value store with atomics.
///
/// What is known of Spin's, and relied on nowhere else: a swap **on an absent key** is unconditional, so that none is ever made;
/// `increment` is exact, also on an absent key, where it leaves a number; plain reads may be of what was there a moment ago, and
/// only what is looked at for a swap is what the swap will find.
pub trait Store: 'static {
    /// What was seen under a key, to be swapped for something else.
    type Seen;

    /// What is under a key.
    fn get(&self, key: &str) -> impl Future<Output = Result<Option<Vec<u8>>, StoreError>>;
    /// The same, to be swapped.
    fn look(&self, key: &str) -> impl Future<Output = Result<(Option<Vec<u8>>, Self::Seen), StoreError>>;
    /// Whatever was there is gone.
    fn put(&self, put: Put) -> impl Future<Output = Result<(), StoreError>>;
    /// Nothing is there any more.
    fn delete(&self, key: &str) -> impl Future<Output = Result<(), StoreError>>;
    /// Adds to the number under a key, which is 0 where there is nothing.
    fn increment(&self, key: &str, delta: i64) -> impl Future<Output = Result<i64, StoreError>>;
    /// Replaces what was seen; false where something else is there by now. Never on an absent key.
    fn swap(&self, seen: Self::Seen, value: Vec<u8>) -> impl Future<Output = Result<bool, StoreError>>;

    /// Puts what nobody looks at yet, then swaps. A store with transactions makes one of it.
    fn commit(
        &self,
        puts: Vec<Put>,
        seen: Self::Seen,
        value: Vec<u8>,
    ) -> impl Future<Output = Result<bool, StoreError>> {
        async move {
            for put in puts {
                self.put(put).await?;
            }
            self.swap(seen, value).await
        }
    }
}
