//! Where effects go once they are durable.

use super::post::{Letter, Receipt};
use crate::wit::{Address, AppCall, CatalogVersion};
use std::sync::Arc;

/// The world beyond a partition.
pub trait Outside {
    /// Calls an app for `from`. The outcome comes back through the partition's inbox.
    fn call(&self, from: &Address, call: AppCall);
    /// Tells whoever watches `channel`.
    fn publish(&self, channel: &str);
    /// Makes a catalog known to everything outside of the partition, before this returns.
    fn install(&self, catalog: &CatalogVersion);
    /// The newest catalog that was installed, by whichever partition; `None` before the first.
    fn newest_catalog(&self) -> Option<Arc<CatalogVersion>>;
    /// Hands a letter to the partition `to`.
    fn send(&self, to: u32, letter: Letter);
    /// Tells the partition `to` what became of its letters.
    fn receipt(&self, to: u32, receipt: Receipt);
}
