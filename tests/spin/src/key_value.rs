//! `spin:key-value` and `wasi:keyvalue`, as Spin's own store does them, on the same table in the same file.
//!
//! There is one connection for all, in SQLite's default journal mode.

mod host;
mod store;
mod wasi;

pub(crate) use store::{Pairs, Stores};

use std::sync::{Arc, Mutex};

/// An open store.
pub struct Bucket {
    pub(crate) stores: Arc<Stores>,
    pub(crate) label: String,
}

/// A compare-and-swap that was begun.
pub struct Swap {
    pub(crate) stores: Arc<Stores>,
    pub(crate) label: String,
    /// The number of the bucket that it was begun on: where that one is closed when the swap fails, there is no other to be begun.
    pub(crate) bucket: u32,
    pub(crate) key: String,
    /// What was read last; `None` is also where nothing has been read yet, and then the swap is unconditional.
    pub(crate) seen: Mutex<Option<Vec<u8>>>,
}
