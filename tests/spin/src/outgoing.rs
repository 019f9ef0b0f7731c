//! Calls that a component makes: to others of the application, to itself, and to whoever else it may call.

use crate::app::{App, Component};
use crate::headers::Way;
use crate::outbound;
use http::uri::Scheme;
use http::{Request, Response, Uri, header};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::time::Duration;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

/// As Spin's.
const FIRST_BYTE_TIME_MAX: Duration = Duration::from_secs(600);
/// Who calls by service chaining.
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
/// A host that stands for the application itself.
const OWN: &str = "self.alt";

/// Keeps connections for all instances.
pub(crate) type Pool = Client<HttpConnector, WasiBody>;

/// What an instance calls through.
pub(crate) struct Outgoing {
    pub(crate) app: Weak<App>,
    pub(crate) component: Arc<Component>,
}

type Outcome = Result<Response<WasiBody>, Error>;

impl Outgoing {
    fn send(
        &self,
        mut request: Request<WasiBody>,
        options: Option<RequestOptions>,
    ) -> impl Future<Output = Outcome> + use<> {
        let (app, component) = (self.app.upgrade(), Arc::clone(&self.component));
        async move {
            let app = app.ok_or(Error::ConnectionTerminated)?;
            request.headers_mut().remove(header::HOST);
            let host = request.uri().host().unwrap_or_default();
            if host.is_empty() || host == OWN {
                if !component.allowed_hosts.allow_own() {
                    return Err(denied(&component, request.uri()));
                }
                *request.uri_mut() = own(&app, request.uri())?;
            } else if !component.allowed_hosts.allow(request.uri()) {
                return Err(denied(&component, request.uri()));
            } else if let Some(name) = outbound::chained(request.uri()).map(ToOwned::to_owned) {
                return chain(&app, &name, request).await;
            }
            if request.uri().scheme() != Some(&Scheme::HTTP) {
                eprintln!("{}: the harness speaks no TLS: {}", component.name, request.uri());
                return Err(Error::HttpProtocolError);
            }
            let patience = options.and_then(|options| options.first_byte_timeout).unwrap_or(FIRST_BYTE_TIME_MAX);
            let answer = tokio::time::timeout(patience, app.pool().request(request)).await;
            let answer = answer.map_err(|_| Error::ConnectionReadTimeout)?.map_err(|fault| failed(&fault))?;
            Ok(answer.map(|body| body.map_err(Error::Hyper).boxed_unsync()))
        }
    }
}

/// A call of another component; one that traps is a 500, as it is for anybody else.
async fn chain(app: &Arc<App>, name: &str, request: Request<WasiBody>) -> Outcome {
    let path = request.uri().path().to_owned();
    let way = Way { route: None, rest: &path, client: CHAINED_CLIENT };
    match app.component(name) {
        Some(component) => Ok(component.serve(request, &way).await),
        None => Err(Error::InternalError(Some(format!("unknown component {name:?}")))),
    }
}

fn own(app: &App, uri: &Uri) -> Result<Uri, Error> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    format!("http://{}{path}", app.listens()).parse().map_err(|_| Error::HttpRequestUriInvalid)
}

fn denied(component: &Component, uri: &Uri) -> Error {
    eprintln!("{} may not call {uri}: its allowed_outbound_hosts does not name it", component.name);
    Error::HttpRequestDenied
}

fn failed(fault: &hyper_util::client::legacy::Error) -> Error {
    if fault.is_connect() { Error::ConnectionRefused } else { Error::ConnectionTerminated }
}

impl WasiHttpHooks for Outgoing {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _outcome: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<
        dyn Future<Output = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>>
            + Send,
    > {
        let answer = self.send(request, options);
        Box::new(async move {
            let done: Pin<Box<dyn Future<Output = Result<(), Error>> + Send>> = Box::pin(async { Ok(()) });
            let done: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(done);
            Ok((answer.await?, done))
        })
    }
}
