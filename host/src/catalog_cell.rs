//! The newest durable catalog, for whoever is not a partition.

use crate::wit::CatalogVersion;
use std::sync::{Arc, PoisonError, RwLock};

/// Shared by all that answer requests.
#[derive(Clone, Default)]
pub struct CatalogCell(Arc<RwLock<Option<Arc<CatalogVersion>>>>);

impl CatalogCell {
    /// Replaces an older catalog.
    pub fn put(&self, catalog: &CatalogVersion) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(catalog.clone()));
    }

    /// The newest catalog; `None` before the first.
    #[must_use]
    pub fn get(&self) -> Option<Arc<CatalogVersion>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
