//! The catalog as this instance knows it. Every turn decides by a version, and nobody who has heard of one decides by an older:
//! each message between parts carries the version of whoever sent it, and each request from the world looks whether there is a
//! newer one. The catalog's document has the newest, in the same commit as the actor's rows.

use crate::document::OpenError;
use crate::engine::Engine;
use crate::home::Home;
use crate::limits::STALE_READS_MAX;
use crate::outside::Outside;
use crate::store::Store;
use crate::types::{Fault, Range};
use std::rc::Rc;

/// The document of the catalog's actor.
pub(crate) const NAME: &str = "catalog/0";
/// The row of the snapshot: above everything that an actor may ask for.
pub(crate) const SNAPSHOT: &str = "\u{10ffff}c";

impl<S: Store, E: Engine, O: Outside> Home<S, E, O> {
    /// Which version is known here.
    pub(crate) fn known(&self) -> u64 {
        self.catalog.borrow().version
    }

    /// Takes over a newer one.
    pub(crate) fn learn(&self, version: u64, snapshot: Vec<u8>) {
        let mut known = self.catalog.borrow_mut();
        if version > known.version {
            (known.version, known.snapshot) = (version, Rc::new(snapshot));
        }
    }

    /// At least the version that a message speaks of.
    pub(crate) async fn know(&self, version: u64) -> Result<(), OpenError> {
        let is_known = {
            let known = self.catalog.borrow();
            known.is_asked && known.version >= version
        };
        if is_known { Ok(()) } else { self.know_newest().await }
    }

    /// The newest that there is.
    pub(crate) async fn know_newest(&self) -> Result<(), OpenError> {
        for _ in 0..STALE_READS_MAX {
            let head = self.documents.peek(NAME).await?;
            if head.catalog > self.known() {
                let row =
                    Range { start: SNAPSHOT.to_owned(), end: format!("{SNAPSHOT}\0"), limit: 1, descending: false };
                match self.documents.rows(NAME, &head, &row).await {
                    Err(OpenError::Gone) => continue,
                    rows => {
                        let snapshot =
                            rows?.pop().ok_or_else(|| OpenError::Damaged("the catalog is missing".to_owned()))?;
                        self.learn(head.catalog, snapshot.value);
                    }
                }
            }
            self.catalog.borrow_mut().is_asked = true;
            return Ok(());
        }
        Err(OpenError::Gone)
    }

    /// Lets the engine decide by what is known; gives the version.
    pub(crate) fn install(&self) -> Result<u64, Fault> {
        let (version, snapshot, installed) = {
            let known = self.catalog.borrow();
            (known.version, known.snapshot.clone(), known.installed)
        };
        if version != installed {
            self.engine.install(version, &snapshot)?;
            self.catalog.borrow_mut().installed = version;
        }
        Ok(version)
    }
}
