//! One request at a time over hyper, which the server has in the binary anyway.

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use hyper::{Method, Request};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::{Client, Error, ResponseFuture};
use hyper_util::rt::TokioExecutor;
use std::error::Error as _;
use std::io;
use std::time::Duration;
use tokio::runtime::Runtime;

/// A run's state may be 32 MiB; its timeline, with what JSON adds, is less than twice that.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// How long a server may take to take a connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(5);

/// An event loop and the connections on it.
pub struct Transport {
    runtime: Runtime,
    pool: Pool,
}

/// Reading the system's certificates takes longer than most commands, so only those do it that need them.
enum Pool {
    Plain(Client<HttpConnector, Full<Bytes>>),
    Tls(Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

/// An answer, read to its end.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
}

impl Transport {
    /// To a server with this URL.
    ///
    /// # Errors
    /// What the system cannot give.
    pub fn new(server: &str) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut connector = HttpConnector::new();
        connector.set_connect_timeout(Some(CONNECT_TIME_MAX));
        let builder = Client::builder(TokioExecutor::new());
        let pool = if server.starts_with("https://") {
            connector.enforce_http(false);
            let tls = HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_http1();
            Pool::Tls(builder.build(tls.wrap_connector(connector)))
        } else {
            Pool::Plain(builder.build(connector))
        };
        Ok(Self { runtime, pool })
    }

    /// Sends a request and waits for its whole answer.
    ///
    /// # Errors
    /// Why there is none, for people.
    pub fn send(
        &self,
        method: Method,
        url: &str,
        key: Option<&str>,
        body: Option<Vec<u8>>,
        time_max: Duration,
    ) -> Result<Answer, String> {
        let mut request = Request::builder().method(method).uri(url);
        request = request.header(USER_AGENT, concat!("stepwell/", env!("CARGO_PKG_VERSION")));
        if let Some(key) = key {
            request = request.header(AUTHORIZATION, format!("Bearer {key}"));
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = Full::new(Bytes::from(body.unwrap_or_default()));
        let request = request.body(body).map_err(|e| format!("the request cannot be made: {e}"))?;
        self.runtime.block_on(async {
            match tokio::time::timeout(time_max, self.exchange(request)).await {
                Ok(answer) => answer,
                Err(_) => Err(format!("no answer within {} s", time_max.as_secs())),
            }
        })
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let response = self.pool.request(request).await.map_err(|e| innermost(&e))?;
        let status = response.status().as_u16();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|e| format!("the answer broke off: {e}"))?;
        Ok(Answer { status, body: body.to_bytes() })
    }
}

impl Pool {
    fn request(&self, request: Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            Self::Plain(client) => client.request(request),
            Self::Tls(client) => client.request(request),
        }
    }
}

/// "client error (Connect)" says nothing; the cause at the bottom says "Connection refused".
fn innermost(error: &Error) -> String {
    let mut reason = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        reason = cause.to_string();
        source = cause.source();
    }
    reason
}
