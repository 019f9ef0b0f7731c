//! The app: raw HTTP that speaks the protocol, with a notebook of what it saw and when.

mod notebook;
mod protocol;

pub(crate) use notebook::{Notebook, Record};

use anyhow::Result;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use protocol::Answer;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;
use tokio::net::TcpListener;

/// The app's name.
pub(crate) const APP: &str = "bench";

/// What the app can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    /// `data.steps` steps, one after the other.
    Steps,
    /// A sleep until `data.until`.
    Sleep,
}

/// All of it.
pub(crate) const FUNCTIONS: [Function; 2] = [Function::Steps, Function::Sleep];

impl Function {
    pub(crate) const fn slug(self) -> &'static str {
        match self {
            Self::Steps => "bench-steps",
            Self::Sleep => "bench-sleep",
        }
    }

    /// The event that starts it.
    pub(crate) const fn event(self) -> &'static str {
        match self {
            Self::Steps => "bench/steps",
            Self::Sleep => "bench/sleep",
        }
    }
}

/// The running app.
pub(crate) struct App {
    /// The serve endpoint.
    pub(crate) url: String,
    pub(crate) notebook: Arc<Notebook>,
}

impl App {
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/api/inngest", listener.local_addr()?);
        let notebook = Arc::new(Notebook::default());
        tokio::spawn(serve(listener, Arc::clone(&notebook)));
        Ok(Self { url, notebook })
    }
}

async fn serve(listener: TcpListener, notebook: Arc<Notebook>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Without it small answers would wait for an acknowledgement.
        let _ = stream.set_nodelay(true);
        let notebook = Arc::clone(&notebook);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(request, Arc::clone(&notebook)));
            // A connection that breaks is the server's to mend.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, notebook: Arc<Notebook>) -> Result<Response<Full<Bytes>>, Infallible> {
    let arrived = Instant::now();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let Answer { status, body } = protocol::answer(&query, &body, arrived, &notebook);
    let response = Response::builder()
        .status(status)
        .header("content-type", "application/json")
        .header("x-inngest-sdk", "inngest-js:v4.24.0")
        .header("x-inngest-req-version", "2")
        .body(Full::new(Bytes::from(body)));
    Ok(response.unwrap_or_default())
}
