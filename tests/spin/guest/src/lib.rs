//! A component that does what Spin punishes, one route for each thing, so that the harness can be held to what was seen of Spin.
#![cfg(target_family = "wasm")]

mod key_value;
mod outside;
mod query;
mod sqlite;
mod time;

use anyhow::{Result, bail};
use query::Query;
use spin_sdk::http::{Request, Response, StatusCode};
use spin_sdk::http_service;
use std::sync::atomic::{AtomicU64, Ordering};

/// Requests that this instance was given: it lives as long as the instance.
static REQUESTS: AtomicU64 = AtomicU64::new(0);
static IN_FLIGHT: AtomicU64 = AtomicU64::new(0);

struct InFlight;

impl InFlight {
    fn begin() -> Self {
        IN_FLIGHT.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        IN_FLIGHT.fetch_sub(1, Ordering::Relaxed);
    }
}

#[http_service]
async fn handle(request: Request) -> Response<String> {
    let _in_flight = InFlight::begin();
    let nth = REQUESTS.fetch_add(1, Ordering::Relaxed).saturating_add(1);
    let query = Query::of(request.uri().query().unwrap_or_default());
    let path = request.uri().path().to_owned();
    let (status, body) = match answer(&path, &query, nth, &request).await {
        Ok(body) => (StatusCode::OK, body),
        Err(fault) => (StatusCode::BAD_GATEWAY, format!("{fault:#}")),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

async fn answer(path: &str, query: &Query, nth: u64, request: &Request) -> Result<String> {
    match path {
        "/instance" => {
            time::nap(query).await;
            Ok(format!("{nth} {}", IN_FLIGHT.load(Ordering::Relaxed)))
        }
        "/headers" => Ok(format!("{} {:?}", request.uri(), request.headers())),
        "/panic" => trap(),
        "/variable" => Ok(spin_sdk::variables::get(query.text("name")).await?),
        "/call" => outside::call(query.text("url")).await,
        "/spawn" => Ok(time::spawn(query).await),
        _ => match path.split_once("/kv/") {
            Some(("", rest)) => key_value::answer(rest, query).await,
            _ => match path.split_once("/sql/") {
                Some(("", rest)) => sqlite::answer(rest, query).await,
                _ => bail!("no route {path}"),
            },
        },
    }
}

#[expect(clippy::panic, reason = "to see what becomes of the instance")]
fn trap() -> ! {
    panic!("as asked");
}
