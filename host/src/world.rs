//! The world beyond a partition: apps, requests that wait, and the instances that answer requests.

use crate::calls::Calls;
use crate::catalog_cell::CatalogCell;
use crate::hub::Hub;
use crate::partition::{Inbox, Outside};
use crate::wit::{Address, AppCall, CatalogVersion};

/// Where the effects of one partition go.
pub struct World {
    /// Makes calls.
    pub calls: Calls,
    /// Where their outcomes come back.
    pub inbox: Inbox,
    /// Requests that wait for news.
    pub hub: Hub,
    /// The catalog of those who answer requests.
    pub catalog: CatalogCell,
}

impl Outside for World {
    fn call(&self, from: &Address, call: AppCall) {
        let inbox = self.inbox.clone();
        self.calls.begin(from.clone(), call, move |to, outcome| inbox.answered(to, outcome));
    }

    fn publish(&self, channel: &str) {
        self.hub.publish(channel);
    }

    fn install(&self, catalog: &CatalogVersion) {
        self.catalog.put(catalog);
    }
}
