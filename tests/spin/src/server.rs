//! Listens, as Spin does: HTTP/1.1, without `TCP_NODELAY`.

use crate::app::App;
use anyhow::{Context, Result};
use http_body_util::BodyExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use wasmtime_wasi_http::Error;

/// Serves an application until dropped.
///
/// # Errors
/// The address is taken.
pub async fn serve(app: Arc<App>, address: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(address).await.with_context(|| format!("{address}"))?;
    let address = listener.local_addr()?;
    app.listen_on(address);
    println!("Serving http://{address}\nAvailable Routes:");
    for (route, component) in app.routes() {
        println!("  {component}: http://{address}{route}");
    }
    loop {
        match listener.accept().await {
            Ok((stream, client)) => drop(tokio::spawn(converse(Arc::clone(&app), stream, client))),
            Err(fault) => eprintln!("a connection that could not be taken: {fault}"),
        }
    }
}

async fn converse(app: Arc<App>, stream: TcpStream, client: SocketAddr) {
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let (app, request) = (Arc::clone(&app), request.map(|body| body.map_err(Error::Hyper).boxed_unsync()));
        async move { Ok::<_, Infallible>(app.answer(request, client).await) }
    });
    // Whoever leaves in the middle of a request is nothing to be told of.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
