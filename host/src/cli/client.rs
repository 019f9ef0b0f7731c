//! Requests to a running server.

use crate::calls::Client;
use anyhow::Context as _;
use clap::Args;
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use serde_json::Value;

/// Which server is meant.
#[derive(Args, Clone)]
pub struct ServerFlags {
    /// The server
    #[arg(long, env = "STEPWELL_URL", default_value = "http://127.0.0.1:8288", value_name = "URL")]
    server: String,

    /// The server's signing key, where it has one
    #[arg(long, env = "STEPWELL_SIGNING_KEY", hide_env_values = true, value_name = "KEY")]
    signing_key: Option<String>,
}

/// A server, ready to be asked.
pub struct ServerClient {
    client: Client,
    origin: String,
    signing_key: Option<String>,
}

impl ServerFlags {
    /// A client for that server.
    #[must_use]
    pub fn client(self) -> ServerClient {
        let origin = if self.server.contains("://") { self.server } else { format!("http://{}", self.server) };
        let key = self.signing_key.or_else(|| std::env::var("INNGEST_SIGNING_KEY").ok()).filter(|key| !key.is_empty());
        ServerClient { client: Client::default(), origin: origin.trim_end_matches('/').to_owned(), signing_key: key }
    }
}

impl ServerClient {
    /// Sends a request; gives the answer as JSON (null where it is empty).
    ///
    /// # Errors
    /// No server, or its refusal in its own words.
    pub async fn ask(&self, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.origin);
        let mut request = Request::builder().method(method).uri(&url).header("content-type", "application/json");
        if let Some(key) = &self.signing_key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let request =
            request.body(Full::new(Bytes::from(body.to_owned()))).with_context(|| format!("cannot ask {url}"))?;
        let response = self.client.send(request).await.map_err(|why| {
            anyhow::anyhow!(
                "no server at {}: {why}. Start one with `stepwell dev`, or name another with --server",
                self.origin
            )
        })?;
        let status = response.status();
        let bytes = response.into_body().collect().await.context("the server's answer broke off")?.to_bytes();
        let value = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        anyhow::ensure!(status.is_success(), "{}", refusal(status.as_u16(), &value));
        Ok(value)
    }
}

/// The server's words for why not.
fn refusal(status: u16, body: &Value) -> String {
    let text = |name| body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let said = text("error").or_else(|| text("message")).unwrap_or("the server gave no reason");
    match text("code") {
        Some(code) => format!("{said} ({code}, status {status})"),
        None => format!("{said} (status {status})"),
    }
}
