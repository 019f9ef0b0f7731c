//! A running server, asked over HTTP.

mod refusal;
mod transport;

pub use refusal::Refusal;

use super::exit::Exit;
use crate::config::ClientOptions;
use hyper::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::fmt::Write;
use std::time::Duration;
use transport::{Answer, Transport};

/// How long the server may take to answer what it need not wait for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

/// A running server.
pub struct Client {
    options: ClientOptions,
    transport: Transport,
}

/// Why there is no answer to make use of.
#[derive(Debug)]
pub enum Failure {
    /// Nobody is there, or the connection broke.
    Unreachable(String),
    /// The server said no.
    Refused(Refusal),
    /// Whoever answered does not speak as this server does.
    Foreign(String),
}

/// v1's envelope (PROTOCOL §10.1).
#[derive(Debug, Deserialize)]
pub struct Envelope<T> {
    /// What was asked for.
    pub data: T,
    /// About the answer.
    #[serde(default)]
    pub metadata: Metadata,
}

/// About an answer.
#[derive(Debug, Default, Deserialize)]
pub struct Metadata {
    /// Where the next page begins.
    pub next_cursor: Option<String>,
}

impl Client {
    /// A client of this server; connects when asked for something.
    ///
    /// # Errors
    /// A system that has no event loop to give.
    pub fn new(options: ClientOptions) -> Result<Self, Exit> {
        let transport =
            Transport::new(&options.server).map_err(|e| Exit::failed(format!("cannot open connections: {e}")))?;
        Ok(Self { options, transport })
    }

    /// The server's URL.
    pub fn server(&self) -> &str {
        &self.options.server
    }

    /// The key that events are sent with; a development server takes any.
    pub fn event_key(&self) -> &str {
        self.options.event_key.as_deref().unwrap_or("dev")
    }

    /// What `GET <path>` answers.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        self.get_within(path, Duration::ZERO)
    }

    /// What `GET <path>` answers, where the server may wait for `wait` before it does.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn get_within<T: DeserializeOwned>(&self, path: &str, wait: Duration) -> Result<T, Failure> {
        self.read(&self.ask(Method::GET, path, None, wait)?)
    }

    /// What `POST <path>` answers to `body`. The server may ask an app in its turn, for up to `wait`.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: Vec<u8>, wait: Duration) -> Result<T, Failure> {
        self.read(&self.ask(Method::POST, path, Some(body), wait)?)
    }

    /// `DELETE <path>`, whose answer says nothing.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn delete(&self, path: &str) -> Result<(), Failure> {
        self.ask(Method::DELETE, path, None, Duration::ZERO).map(|_| ())
    }

    fn ask(&self, method: Method, path: &str, body: Option<Vec<u8>>, wait: Duration) -> Result<Answer, Failure> {
        let url = format!("{}{path}", self.options.server);
        let time_max = ANSWER_TIME_MAX.saturating_add(wait);
        let key = self.options.signing_key.as_deref();
        let answer = self.transport.send(method, &url, key, body, time_max).map_err(Failure::Unreachable)?;
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(self.refused(&answer)) }
    }

    fn read<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        serde_json::from_slice(&answer.body).map_err(|e| {
            let server = &self.options.server;
            Failure::Foreign(format!("{server} answered something else than expected: {e}"))
        })
    }

    fn refused(&self, answer: &Answer) -> Failure {
        match serde_json::from_slice::<Refusal>(&answer.body) {
            Ok(refusal) => Failure::Refused(refusal),
            Err(_) => {
                let server = &self.options.server;
                Failure::Foreign(format!("{server} answered with status {} and no reason", answer.status))
            }
        }
    }
}

impl Failure {
    /// The server knows no such run, or not yet.
    pub fn is_unknown_run(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.code.as_deref() == Some("run_unknown"))
    }

    /// As the user is told, with what to do next.
    pub fn into_exit(self, client: &Client) -> Exit {
        match self {
            Self::Unreachable(reason) => Exit::Failed {
                message: format!("there is no server at {}: {reason}", client.server()),
                hint: Some(
                    "start it with `stepwell dev`; if it runs elsewhere, say where with --server or STEPWELL_URL"
                        .to_owned(),
                ),
            },
            Self::Refused(refusal) => Exit::Failed { hint: refusal.hint(), message: refusal.to_string() },
            Self::Foreign(message) => Exit::Failed {
                message,
                hint: Some(
                    "is --server (or STEPWELL_URL) the address of a Stepwell server of this version?".to_owned(),
                ),
            },
        }
    }
}

/// A part of a path or query as it may stand in a URL.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            // Writing to a String does not fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_leave_its_part_of_a_url_is_encoded() {
        assert_eq!(encoded("01KA-x.y_z~"), "01KA-x.y_z~");
        assert_eq!(encoded("a/../b?c#ü"), "a%2F..%2Fb%3Fc%23%C3%BC");
    }

    #[test]
    fn a_server_that_is_not_there_is_told_with_the_next_step() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = format!("http://127.0.0.1:{port}");
        let client = Client::new(ClientOptions { server, signing_key: None, event_key: None }).unwrap();
        let failure = client.get::<serde_json::Value>("/health").unwrap_err();
        let Exit::Failed { message, hint } = failure.into_exit(&client) else { panic!("not a failure") };
        assert!(message.starts_with(&format!("there is no server at http://127.0.0.1:{port}: ")), "{message}");
        assert!(hint.unwrap().contains("start it with `stepwell dev`"));
    }
}
