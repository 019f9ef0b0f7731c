//! An app on this machine, found by knocking at the usual doors (PROTOCOL §1.9).

use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// The ports that frameworks serve on.
pub const CANDIDATES: &[u16] = &[
    80, 443, 3000, 3001, 3002, 3003, 3004, 3005, 3006, 3007, 3008, 3009, 3010, 4321, 5000, 5173, 8000, 8080, 8081,
    8787, 8888, 8910, 8911, 8912, 8913, 8914, 8915,
];
/// The paths that SDKs serve at.
const PATHS: &[&str] = &["/api/inngest", "/x/inngest", "/.netlify/functions/inngest", "/.redwood/functions/inngest"];
/// On this machine, a port that is not taken refuses at once.
const CONNECT_TIME_MAX: Duration = Duration::from_millis(250);
/// A development server may compile the page that it is asked for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(5);
/// The header that only SDKs send.
const SDK_HEADER: &str = "x-inngest-sdk";
/// Where `localhost` may be.
const HERE: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Where to look for an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    ports: Vec<u16>,
}

impl Search {
    /// On the usual ports and on `$PORT`, if that is set to a port; never on `own_port`.
    pub fn usual(own_port: u16, port_variable: Option<&str>) -> Self {
        let named = port_variable.and_then(|text| text.trim().parse().ok()).filter(|port| *port != 0);
        Self::of(named.into_iter().chain(CANDIDATES.iter().copied()), own_port)
    }

    /// On these ports, but for `own_port`.
    pub fn of(ports: impl IntoIterator<Item = u16>, own_port: u16) -> Self {
        let mut distinct = Vec::new();
        for port in ports {
            if port != own_port && !distinct.contains(&port) {
                distinct.push(port);
            }
        }
        Self { ports: distinct }
    }

    /// The serve URL of the app that answers first.
    pub async fn find_app(&self) -> Option<String> {
        let mut knocks = JoinSet::new();
        for port in &self.ports {
            knocks.spawn(at(*port));
        }
        while let Some(knock) = knocks.join_next().await {
            // Dropping the set ends the other knocks.
            if let Ok(Some(url)) = knock {
                return Some(url);
            }
        }
        None
    }
}

async fn at(port: u16) -> Option<String> {
    let mut address = None;
    for here in HERE {
        if connect(here, port).await.is_some() {
            address = Some(here);
            break;
        }
    }
    let address = address?;
    for path in PATHS {
        if timeout(ANSWER_TIME_MAX, speaks_sdk(address, port, path)).await.is_ok_and(|speaks| speaks == Some(true)) {
            return Some(format!("http://localhost:{port}{path}"));
        }
    }
    None
}

async fn connect(address: IpAddr, port: u16) -> Option<TcpStream> {
    timeout(CONNECT_TIME_MAX, TcpStream::connect((address, port))).await.ok()?.ok()
}

/// Whether an SDK answers there; `None` where nobody does, or not in HTTP.
async fn speaks_sdk(address: IpAddr, port: u16, path: &str) -> Option<bool> {
    let stream = connect(address, port).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
    let request = Request::get(path)
        .header(HOST, format!("localhost:{port}"))
        .header(USER_AGENT, concat!("stepwell/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())
        .ok()?;
    // The connection moves the bytes. That it ends says nothing: the answer may have come before that.
    let carry = async {
        let _ = connection.await;
        std::future::pending().await
    };
    tokio::select! {
        response = sender.send_request(request) => Some(response.ok()?.headers().contains_key(SDK_HEADER)),
        never = carry => never,
    }
}
