//! The world beyond a partition: apps, requests that wait, and the instances that answer requests.

use crate::calls::Calls;
use crate::catalog_cell::CatalogCell;
use crate::hub::Hub;
use crate::partition::{Inbox, Letter, Outside, Receipt};
use crate::place::Place;
use crate::wit::{Address, AppCall, CatalogVersion};
use std::sync::Arc;

/// Where the effects of one partition go.
pub struct World {
    /// Makes calls.
    pub calls: Calls,
    /// The partition whose effects these are.
    pub place: Place,
    /// The way into each partition: the outcomes of calls come back through its own.
    pub inboxes: Arc<[Inbox]>,
    /// Requests that wait for news.
    pub hub: Hub,
    /// The catalog of those who answer requests.
    pub catalog: CatalogCell,
}

impl Outside for World {
    fn call(&self, from: &Address, call: AppCall) {
        if let Some(inbox) = self.inbox_of(self.place.index).cloned() {
            self.calls.begin(from.clone(), call, move |to, outcome| inbox.answered(to, outcome));
        }
    }

    fn publish(&self, channel: &str) {
        self.hub.publish(channel);
    }

    fn install(&self, catalog: &CatalogVersion) {
        self.catalog.put(catalog);
    }

    fn newest_catalog(&self) -> Option<Arc<CatalogVersion>> {
        self.catalog.get()
    }

    fn send(&self, to: u32, letter: Letter) {
        if let Some(inbox) = self.inbox_of(to) {
            inbox.letter(letter);
        }
    }

    fn receipt(&self, to: u32, receipt: Receipt) {
        if let Some(inbox) = self.inbox_of(to) {
            inbox.receipt(receipt);
        }
    }
}

impl World {
    fn inbox_of(&self, index: u32) -> Option<&Inbox> {
        usize::try_from(index).ok().and_then(|index| self.inboxes.get(index))
    }
}
