//! An app in our own hands that can misbehave in every way a socket allows.

use crate::{Client, ports};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Nothing takes longer, not even a hanging app.
const SOCKET_TIME_MAX: Duration = Duration::from_secs(60);

/// A call as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method and target.
    pub line: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// `ctx.attempt`.
    pub fn attempt(&self) -> u64 {
        self.json()["ctx"]["attempt"].as_u64().expect("ctx.attempt")
    }
}

/// What is done with a call.
pub enum Reply {
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes, then nothing more, on an open connection.
    BytesThenHang(Vec<u8>),
    /// No answer, on an open connection.
    Hang,
    /// The connection is closed without an answer.
    Close,
}

/// An answer in the form of an SDK's; `headers` are whole lines, each with its line end.
pub fn sdk_reply(status: u16, headers: &str, body: &[u8]) -> Reply {
    let mut bytes = format!(
        "HTTP/1.1 {status} x\r\nx-inngest-sdk: inngest-js:v4.24.0\r\nx-inngest-req-version: 2\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Reply::Bytes(bytes)
}

type Behaviour = dyn Fn(&Request) -> Reply + Send + Sync;

/// A listening app. Its thread lives as long as the test's process.
pub struct Rogue {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Rogue {
    /// Starts to listen; every call is answered as `behaviour` says.
    pub fn start(behaviour: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let port = ports::free();
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a listener");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, behaviour): (_, Arc<Behaviour>) = (Arc::clone(&requests), Arc::new(behaviour));
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (seen, behaviour) = (Arc::clone(&seen), Arc::clone(&behaviour));
                std::thread::spawn(move || serve(socket, &seen, &*behaviour));
            }
        });
        Self { port, requests }
    }

    /// Its origin.
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The calls so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("the list").clone()
    }

    /// Registers the app `name` with one function `f` on the event `<name>/go`.
    pub fn register(&self, client: &Client, name: &str, retries: u32) {
        let answer = client.post("/fn/register", &self.registration(name, retries));
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The body of such a registration.
    pub fn registration(&self, name: &str, retries: u32) -> Value {
        let url = format!("{}/api/inngest", self.origin());
        let step = json!({"id": "step", "name": "step", "retries": {"attempts": retries},
            "runtime": {"type": "http", "url": format!("{url}?fnId={name}-f&stepId=step")}});
        json!({"url": url, "deployType": "ping", "framework": "raw", "appName": name, "sdk": "js:v4.24.0", "v": "0.1",
            "functions": [{"id": format!("{name}-f"), "name": "f", "triggers": [{"event": format!("{name}/go")}],
                "steps": {"step": step}}]})
    }
}

fn serve(mut socket: TcpStream, seen: &Mutex<Vec<Request>>, behaviour: &Behaviour) {
    socket.set_read_timeout(Some(SOCKET_TIME_MAX)).expect("a timeout");
    let Some(request) = read(&mut socket) else { return };
    seen.lock().expect("the list").push(request.clone());
    // The other side may have gone: that is its business.
    let (bytes, hangs) = match behaviour(&request) {
        Reply::Bytes(bytes) => (bytes, false),
        Reply::BytesThenHang(bytes) => (bytes, true),
        Reply::Hang => (Vec::new(), true),
        Reply::Close => return,
    };
    let _ = socket.write_all(&bytes);
    if hangs {
        // Until the other side hangs up.
        let _ = socket.read(&mut [0]);
    }
}

/// Reads one request; `None` where the other side went away.
fn read(socket: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        if let Some(head_end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
            let mut lines = head.lines();
            let line = lines.next()?.to_owned();
            let header =
                |line: &str| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
            let headers: Vec<_> = lines.filter_map(header).collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length: usize = length.map_or(0, |(_, length)| length.parse().expect("a length"));
            let mut body = bytes.split_off(head_end + 4);
            while body.len() < length {
                let count = socket.read(&mut buffer).ok().filter(|count| *count > 0)?;
                body.extend_from_slice(&buffer[..count]);
            }
            return Some(Request { line, headers, body });
        }
        let count = socket.read(&mut buffer).ok().filter(|count| *count > 0)?;
        bytes.extend_from_slice(&buffer[..count]);
    }
}
