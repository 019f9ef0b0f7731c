//! Sockets and connections.

use super::body::{self, Body};
use super::gateway::Gateway;
use crate::limits;
use crate::wit::{Request, Response};
use anyhow::Context as _;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request as HttpRequest, Response as HttpResponse, StatusCode, Version};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::convert::Infallible;
use std::io::ErrorKind;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

/// Opens the server's port; where that is taken and `may_move`, the next free one above it.
///
/// # Errors
/// A port that is taken or may not be used, a host that is not this machine's.
pub async fn bind(host: &str, port: u16, may_move: bool) -> anyhow::Result<TcpListener> {
    let tried = if may_move { limits::PORTS_TRIED_MAX } else { 1 };
    let last = port.saturating_add(tried.saturating_sub(1));
    for candidate in port..=last {
        match TcpListener::bind((host, candidate)).await {
            Ok(listener) => return Ok(listener),
            Err(taken) if taken.kind() == ErrorKind::AddrInUse && candidate < last => {}
            Err(cause) if cause.kind() == ErrorKind::AddrInUse => {
                return Err(cause).with_context(|| {
                    format!("port {port} of {host} is taken: stop what uses it, or choose another with --port")
                });
            }
            Err(cause) => return Err(cause).with_context(|| format!("cannot listen on {host}:{candidate}")),
        }
    }
    anyhow::bail!("no free port above {port}")
}

/// Answers requests until `stop` is true, and then those that are under way, for a while.
pub async fn serve(listener: TcpListener, gateway: Gateway, mut stop: watch::Receiver<bool>) {
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    let bodies = Arc::new(Semaphore::new(limits::REQUEST_BODIES_KIB_MAX));
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(limits::REQUEST_HEAD_TIME_MAX);
    loop {
        let accepted = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = accept(&listener, &connections) => accepted,
        };
        let Some((stream, place)) = accepted else { continue };
        let (gateway, bodies) = (gateway.clone(), Arc::clone(&bodies));
        let service = service_fn(move |request| {
            let (gateway, bodies) = (gateway.clone(), Arc::clone(&bodies));
            async move { Ok::<_, Infallible>(answer(&gateway, &bodies, request).await) }
        });
        let connection = graceful.watch(server.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(cause) = connection.await {
                tracing::debug!(%cause, "a connection ended badly");
            }
            drop(place);
        });
    }
    drop(listener);
    if tokio::time::timeout(limits::SHUTDOWN_TIME_MAX, graceful.shutdown()).await.is_err() {
        tracing::warn!("some requests were still under way and were cut off");
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(connections).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Small answers must not wait for more to send.
            stream.set_nodelay(true).ok()?;
            Some((stream, place))
        }
        Err(cause) => {
            // Out of file descriptors, most likely: more will come free.
            tracing::warn!(%cause, "cannot accept a connection");
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            None
        }
    }
}

async fn answer(gateway: &Gateway, bodies: &Semaphore, request: HttpRequest<Incoming>) -> HttpResponse<Full<Bytes>> {
    let (head, mut incoming) = request.into_parts();
    let version = head.version;
    match body::read(&mut incoming, gateway.limits(), bodies).await {
        Ok(Body { bytes, _room }) => {
            let request = Request {
                method: head.method.as_str().to_owned(),
                path: head.uri.path().to_owned(),
                query: head.uri.query().unwrap_or_default().to_owned(),
                headers: head
                    .headers
                    .iter()
                    .map(|(name, value)| {
                        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                    })
                    .collect(),
                body: bytes,
            };
            to_http(gateway.answer(request).await, version)
        }
        Err(code) => {
            body::drain(incoming, gateway.limits()).await;
            let mut refusal = to_http(gateway.refuse(code).await, version);
            refusal.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            refusal
        }
    }
}

fn to_http(response: Response, version: Version) -> HttpResponse<Full<Bytes>> {
    let mut http = HttpResponse::new(Full::new(Bytes::from(response.body)));
    *http.version_mut() = version;
    *http.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            http.headers_mut().append(name, value);
        }
    }
    http
}
