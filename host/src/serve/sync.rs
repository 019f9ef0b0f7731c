//! Keeping apps synced through the server's own `POST /fn/sync`, as if a user had asked.

use crate::config::ServeOptions;
use crate::discovery::{self, Search, SyncReport, SyncRequest};
use crate::server::Gateway;
use crate::wit::{Request, Response};
use std::future::Future;
use std::pin::Pin;

/// What there is to keep synced.
pub fn options(options: &ServeOptions, own_port: u16) -> discovery::Options {
    let named = std::env::var("PORT").ok();
    discovery::Options {
        sdk_urls: options.sdk_urls.clone(),
        search: options.discovery.then(|| Search::usual(own_port, named.as_deref())),
        poll: options.poll,
        poll_interval: options.poll_interval,
    }
}

type Syncing = Pin<Box<dyn Future<Output = Result<SyncReport, String>> + Send>>;

/// Asks `gateway` to sync, with the server's own key where it has one.
pub fn through(gateway: Gateway, signing_key: Option<String>) -> impl Fn(SyncRequest) -> Syncing + Send {
    move |wanted| {
        let (gateway, signing_key) = (gateway.clone(), signing_key.clone());
        Box::pin(async move {
            let body = serde_json::to_vec(&wanted).map_err(|e| e.to_string())?;
            read(&gateway.answer(request(body, signing_key)).await)
        })
    }
}

fn request(body: Vec<u8>, signing_key: Option<String>) -> Request {
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(signing_key.map(|key| ("authorization".to_owned(), format!("Bearer {key}"))));
    Request { method: "POST".to_owned(), path: "/fn/sync".to_owned(), query: String::new(), headers, body }
}

fn read(response: &Response) -> Result<SyncReport, String> {
    if response.status >= 300 {
        return Err(format!("status {}: {}", response.status, String::from_utf8_lossy(&response.body)));
    }
    serde_json::from_slice(&response.body).map_err(|e| format!("the report cannot be read: {e}"))
}
