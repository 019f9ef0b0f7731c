//! Finding apps and asking them for their functions (PROTOCOL §1.9).
//!
//! Everything goes through the server's own `POST /fn/sync`, as if a user had asked.

use crate::config::Config;
use crate::server::Gateway;
use crate::wit::{Request, Response};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::TcpStream;

const PORTS: &[u16] = &[
    80, 443, 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, 3008, 3009, 3010, 4321, 5000, 5173, 8000, 8080, 8081,
    8787, 8888, 8910, 8911, 8912, 8913, 8914, 8915,
];
const PATHS: &[&str] = &["/api/inngest", "/x/inngest", "/.netlify/functions/inngest", "/.redwood/functions/inngest"];
/// Connecting to a port of this machine takes microseconds where somebody listens.
const CONNECT_TIME_MAX: Duration = Duration::from_millis(200);
/// An app that compiles its pages when they are first asked for takes its time.
const PROBE_TIME_MAX: Duration = Duration::from_secs(5);

/// Looks for apps, syncs those that the user named, and all again and again.
pub struct Discovery {
    gateway: Gateway,
    /// Named by the user and not synced yet.
    waiting: Vec<String>,
    looks: bool,
    only_failed: bool,
    interval: Duration,
    signing_key: Option<String>,
}

impl Discovery {
    /// As the user configured it.
    #[must_use]
    pub fn new(config: &Config, gateway: Gateway) -> Self {
        Self {
            gateway,
            waiting: config.sdk_urls.clone(),
            looks: config.discovery,
            only_failed: !config.poll,
            interval: config.poll_interval,
            signing_key: config.signing_keys.first().cloned(),
        }
    }

    /// Works until it is aborted.
    pub async fn run(mut self) {
        loop {
            for url in std::mem::take(&mut self.waiting) {
                if !self.sync(&url).await {
                    self.waiting.push(url);
                }
            }
            if self.looks && self.waiting.is_empty() {
                self.looks = !self.find().await;
            }
            tokio::time::sleep(self.interval).await;
            let body = if self.only_failed { json!({ "only_failed": true }) } else { json!({}) };
            let again = self.request("POST", "/fn/sync", body.to_string()).await;
            if again.status >= 400 {
                tracing::warn!(status = again.status, why = text(&again), "cannot sync the apps");
            }
        }
    }

    /// Whether the app at `url` is registered now.
    async fn sync(&self, url: &str) -> bool {
        let answer = self.request("POST", "/fn/sync", json!({ "url": url }).to_string()).await;
        let ok = answer.status < 300 && !mentions_error(&answer.body);
        if ok {
            tracing::info!(url, "app synced");
        } else {
            tracing::debug!(url, status = answer.status, why = text(&answer), "the app is not there yet");
        }
        ok
    }

    /// Looks for an app on this machine; true once one is known.
    async fn find(&self) -> bool {
        if self.knows_functions().await {
            return true;
        }
        let more = std::env::var("PORT").ok().and_then(|port| port.parse().ok());
        for port in PORTS.iter().copied().chain(more) {
            if !is_open(port).await {
                continue;
            }
            for path in PATHS {
                if serves_functions(port, path).await {
                    let url = format!("http://localhost:{port}{path}");
                    tracing::info!(url, "found an app");
                    if self.sync(&url).await {
                        return true;
                    }
                }
            }
        }
        false
    }

    async fn knows_functions(&self) -> bool {
        let overview = self.request("GET", "/dev", String::new()).await;
        let overview: Value = serde_json::from_slice(&overview.body).unwrap_or(Value::Null);
        overview.get("functions").and_then(Value::as_array).is_some_and(|functions| !functions.is_empty())
    }

    async fn request(&self, method: &str, path: &str, body: String) -> Response {
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        if let Some(key) = &self.signing_key {
            headers.push(("authorization".to_owned(), format!("Bearer {key}")));
        }
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers,
            body: body.into_bytes(),
        };
        self.gateway.answer(request).await
    }
}

/// The sync of one app may fail within an answer of 200.
fn mentions_error(body: &[u8]) -> bool {
    fn failed(value: &Value) -> bool {
        match value {
            Value::Object(members) => members.iter().any(|(name, value)| match name.as_str() {
                "error" => {
                    !matches!(value, Value::Null | Value::String(_)) || value.as_str().is_some_and(|e| !e.is_empty())
                }
                "ok" => *value == Value::Bool(false),
                _ => failed(value),
            }),
            Value::Array(values) => values.iter().any(failed),
            _ => false,
        }
    }
    serde_json::from_slice(body).is_ok_and(|value| failed(&value))
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).chars().take(500).collect()
}

fn addresses(port: u16) -> [SocketAddr; 2] {
    [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]
}

async fn connect(port: u16) -> Option<TcpStream> {
    for address in addresses(port) {
        if let Ok(Ok(stream)) = tokio::time::timeout(CONNECT_TIME_MAX, TcpStream::connect(address)).await {
            return Some(stream);
        }
    }
    None
}

async fn is_open(port: u16) -> bool {
    connect(port).await.is_some()
}

/// Whether what answers there is an SDK.
async fn serves_functions(port: u16, path: &str) -> bool {
    let probe = async {
        let stream = connect(port).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        let driving = tokio::spawn(connection);
        let request = hyper::Request::get(path)
            .header("host", format!("localhost:{port}"))
            .header("user-agent", "stepwell")
            .body(Empty::<Bytes>::new())
            .ok()?;
        let answer = sender.send_request(request).await.ok();
        driving.abort();
        Some(answer?.headers().contains_key("x-inngest-sdk"))
    };
    tokio::time::timeout(PROBE_TIME_MAX, probe).await.ok().flatten().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sync_that_failed_is_told_from_one_that_did_not() {
        for failed in [r#"{"error":"unreachable"}"#, r#"{"apps":[{"error":null},{"error":"x"}]}"#, r#"{"ok":false}"#] {
            assert!(mentions_error(failed.as_bytes()), "{failed}");
        }
        for fine in ["", "null", r#"{"ok":true,"error":null,"error_count":1}"#, r#"{"apps":[{"error":""}]}"#] {
            assert!(!mentions_error(fine.as_bytes()), "{fine}");
        }
    }
}
