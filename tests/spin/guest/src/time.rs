//! Time, and work that goes on after the response.

use crate::query::Query;
use spin_sdk::key_value::Store;
use spin_sdk::time::sleep;
use std::time::Duration;

/// Sleeps for the `ms` of the query.
pub(crate) async fn nap(query: &Query) {
    if query.number("ms") > 0 {
        sleep(Duration::from_millis(query.number("ms"))).await;
    }
}

/// Starts work that writes a key after the `ms` of the query; comes back after its `nap`.
pub(crate) async fn spawn(query: &Query) -> String {
    let (ms, key) = (query.number("ms"), query.text("key").to_owned());
    spin_sdk::wit_bindgen::spawn(async move {
        sleep(Duration::from_millis(ms)).await;
        if let Ok(store) = Store::open_default().await {
            // Nobody hears of a failure here: the key is not there.
            let _ = store.set(key, "done").await;
        }
    });
    sleep(Duration::from_millis(query.number("nap"))).await;
    "spawned".to_owned()
}
