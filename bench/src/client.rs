//! HTTP/1.1 over one kept connection: events to the server, raw calls to the app.

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use std::net::Ipv4Addr;
use tokio::net::TcpStream;

/// How this crate's app calls itself.
pub const SDK: &str = "bench:v0.0.1";

/// A connection to a server of this machine.
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Connection {
    /// Connects to `port`.
    ///
    /// # Errors
    /// Nobody listens there.
    pub async fn open(port: u16) -> anyhow::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self { sender, host: format!("127.0.0.1:{port}") })
    }

    /// `GET path`.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<(StatusCode, Bytes)> {
        let request = Request::get(path).header(HOST, &self.host).body(Full::default())?;
        self.send(request).await
    }

    /// `POST path`, with the headers that an SDK sends.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn post(
        &mut self,
        path: &str,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, &self.host)
            .header(USER_AGENT, SDK)
            .header(CONTENT_TYPE, "application/json")
            .header(AUTHORIZATION, "Bearer undefined")
            .header("x-inngest-sdk", SDK)
            .header("x-inngest-framework", "bench");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Full::new(body))?).await
    }

    /// `POST path` as a server calls an app (PROTOCOL §3.1).
    ///
    /// # Errors
    /// The connection broke, or the app did not answer 206.
    pub async fn call(&mut self, path: &str, body: Bytes) -> anyhow::Result<()> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header(HOST, &self.host)
            .header(USER_AGENT, "Inngest")
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT_ENCODING, "gzip")
            .header("x-inngest-req-version", "2")
            .header("x-inngest-step-id", "step")
            .header("x-request-id", "01M80QH4PFS3F0E05ZCB14QZ2N")
            .header("x-run-id", "01M80QH4FMB6PKCTKSZ2JYT6AZ");
        let (status, answer) = self.send(request.body(Full::new(body))?).await?;
        anyhow::ensure!(status == StatusCode::PARTIAL_CONTENT, "the app answered {status}: {}", text(&answer));
        Ok(())
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> anyhow::Result<(StatusCode, Bytes)> {
        self.sender.ready().await.context("the connection was closed")?;
        let response = self.sender.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}

/// A body for an error message.
pub fn text(body: &Bytes) -> String {
    String::from_utf8_lossy(body).chars().take(300).collect()
}
