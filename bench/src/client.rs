//! The HTTP client: pooled hyper, as the host's own.

use anyhow::{Result, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client as Pooled;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

/// Clones share the connections.
#[derive(Clone)]
pub(crate) struct Client(Pooled<HttpConnector, Full<Bytes>>);

impl Default for Client {
    fn default() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Pooled::builder(TokioExecutor::new()).build(connector))
    }
}

impl Client {
    /// Posts JSON and reads the whole answer, which must be a success.
    pub(crate) async fn post(&self, url: &str, body: impl Into<Bytes>) -> Result<Bytes> {
        let request = Request::post(url).header("content-type", "application/json").body(Full::new(body.into()))?;
        self.send(request).await
    }

    pub(crate) async fn get(&self, url: &str) -> Result<Bytes> {
        self.send(Request::get(url).body(Full::default())?).await
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Bytes> {
        let what = format!("{} {}", request.method(), request.uri());
        let response = self.0.request(request).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{what} was answered {status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }
}
