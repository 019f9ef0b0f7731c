//! Where effects go once they are durable.

use crate::wit::{Address, AppCall, CatalogVersion};

/// The world beyond a partition.
pub trait Outside {
    /// Calls an app for `from`. The outcome comes back through the partition's inbox.
    fn call(&self, from: &Address, call: AppCall);
    /// Tells whoever watches `channel`.
    fn publish(&self, channel: &str);
    /// Makes a catalog known to everything outside of the partition, before this returns.
    fn install(&self, catalog: &CatalogVersion);
}
