//! The HTTP client: keep-alive connections without Nagle's delay, TLS only once somebody needs it.

use super::connection::{Noting, Used};
use super::public::{NotPublic, is_public};
use super::starts::Starts;
use crate::limits;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::client::legacy::{Client as Pooled, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::error::Error as _;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tower_service::Service;

/// A request whose connection was cut off within this time may never have reached the app: a keep-alive connection that
/// the app closes at this very moment. Later than that, the app may be at work on it.
const CUT_OFF_TIME_MAX: Duration = Duration::from_secs(1);

type Plain = Pooled<Noting<HttpConnector<Resolver>>, Full<Bytes>>;
type Secure = Pooled<Noting<HttpsConnector<HttpConnector<Resolver>>>, Full<Bytes>>;

/// A pooled client; clones share the pool.
#[derive(Clone)]
pub struct Client {
    plain: Plain,
    /// Never pools: for a request that a stale connection has swallowed.
    plain_fresh: Plain,
    secure: Arc<OnceLock<(Secure, Secure)>>,
    starts: Starts,
    public_only: bool,
}

/// The clients for calls of every kind. Their connections are apart: one that leads to a private address is in no pool of the other.
#[derive(Clone, Default)]
pub struct Clients {
    /// Goes anywhere.
    pub any: Client,
    public: Arc<OnceLock<Client>>,
}

impl Clients {
    /// Goes to public addresses only, as far as they are looked up: those that a URL writes out are not.
    pub fn public(&self) -> &Client {
        self.public.get_or_init(|| Client::new(true))
    }
}

/// Why a request was not answered.
#[derive(Debug)]
pub struct Unsent {
    /// A sentence with every cause.
    pub why: String,
    /// The address is not public, and had to be.
    pub is_refused: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(false)
    }
}

impl Client {
    fn new(public_only: bool) -> Self {
        Self {
            plain: pooled(Noting(connector(public_only)), limits::CONNECTIONS_IDLE_MAX),
            plain_fresh: pooled(Noting(connector(public_only)), 0),
            secure: Arc::default(),
            starts: Starts::default(),
            public_only,
        }
    }

    /// Sends a request; once more, on a fresh connection, where a used one was closed before any of the answer came.
    ///
    /// # Errors
    /// No connection, or one that broke.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unsent> {
        let again = request.clone();
        let app = request.uri().authority().cloned();
        let (began, sent) =
            self.starts.pace(app.as_ref(), async { (Instant::now(), self.send_once(request, false).await) }).await;
        match sent {
            Ok(response) => {
                if let Some(used) = response.extensions().get::<Used>() {
                    used.note();
                }
                Ok(response)
            }
            Err(error) if was_cut_off(&error) && began.elapsed() < CUT_OFF_TIME_MAX => {
                self.send_once(again, true).await.map_err(|error| Unsent::of(&error))
            }
            Err(error) => Err(Unsent::of(&error)),
        }
    }

    async fn send_once(&self, request: Request<Full<Bytes>>, fresh: bool) -> Result<Response<Incoming>, Error> {
        if request.uri().scheme_str() == Some("https") {
            let (pooled, unpooled) = self.secure.get_or_init(|| secure(self.public_only));
            return if fresh { unpooled.request(request).await } else { pooled.request(request).await };
        }
        if fresh { self.plain_fresh.request(request).await } else { self.plain.request(request).await }
    }
}

fn connector(public_only: bool) -> HttpConnector<Resolver> {
    let mut connector = HttpConnector::new_with_resolver(Resolver { system: GaiResolver::new(), public_only });
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(limits::CONNECT_TIME_MAX));
    connector.enforce_http(false);
    connector
}

fn pooled<C>(connector: C, idle_max: usize) -> Pooled<C, Full<Bytes>>
where
    C: hyper_util::client::legacy::connect::Connect + Clone,
{
    Pooled::builder(TokioExecutor::new())
        .pool_idle_timeout(limits::CONNECTION_IDLE_TIME_MAX)
        .pool_max_idle_per_host(idle_max)
        .pool_timer(TokioTimer::new())
        .timer(TokioTimer::new())
        .build(connector)
}

/// The machine's own certificates, so that a company's private authority is trusted; where it has none (an empty
/// container), Mozilla's.
fn secure(public_only: bool) -> (Secure, Secure) {
    let tls = || {
        HttpsConnectorBuilder::new()
            .with_native_roots()
            .unwrap_or_else(|_| HttpsConnectorBuilder::new().with_webpki_roots())
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector(public_only))
    };
    let connector = tls();
    (pooled(Noting(connector.clone()), limits::CONNECTIONS_IDLE_MAX), pooled(Noting(connector), 0))
}

/// The connection had brought an answer before, and was gone before any of this one came.
fn was_cut_off(error: &Error) -> bool {
    let mut extras = hyper::http::Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut extras);
    }
    let reused = extras.get::<Used>().is_some_and(Used::is_noted);
    let cause = error.source().and_then(|cause| cause.downcast_ref::<hyper::Error>());
    reused && cause.is_some_and(|cause| cause.is_incomplete_message() || cause.is_canceled() || is_reset(cause))
}

fn is_reset(error: &hyper::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let io = error.source().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|io| matches!(io.kind(), ConnectionReset | ConnectionAborted | BrokenPipe))
}

impl Unsent {
    fn of(error: &Error) -> Self {
        let (mut is_refused, mut cause) = (false, error.source());
        while let Some(deeper) = cause {
            // Whoever wraps an error in one of input and output hides it from `source`.
            let inner = deeper.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            is_refused |= deeper.is::<NotPublic>() || inner.is_some_and(|inner| inner.is::<NotPublic>());
            cause = deeper.source();
        }
        Self { why: describe(error), is_refused }
    }
}

/// An error and its causes in one line, without saying anything twice.
fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let said = deeper.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = deeper.source();
    }
    text
}

/// Resolves names as the system does, but `localhost` to both of its addresses: apps listen on one or the other.
#[derive(Clone)]
pub struct Resolver {
    system: GaiResolver,
    /// Says nothing of addresses that are not public.
    public_only: bool,
}

impl Service<Name> for Resolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = std::io::Error;
    type Future = Pin<Box<dyn Future<Output = std::io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        self.system.poll_ready(context)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        if self.public_only {
            let (resolving, shown) = (self.system.call(name.clone()), name.as_str().to_owned());
            return Box::pin(async move {
                let public: Vec<_> = resolving.await?.filter(|found| is_public(found.ip())).collect();
                if public.is_empty() { Err(std::io::Error::other(NotPublic(shown))) } else { Ok(public.into_iter()) }
            });
        }
        if name.as_str().eq_ignore_ascii_case("localhost") {
            let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
            let addresses: Vec<_> = both.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            return Box::pin(async move { Ok(addresses.into_iter()) });
        }
        let resolving = self.system.call(name);
        Box::pin(async move { Ok(resolving.await?.collect::<Vec<_>>().into_iter()) })
    }
}
