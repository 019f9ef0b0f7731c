//! The shapes of responses (PROTOCOL §10.1, §8.1).

use crate::error::{Code, Detail, Refusal};
use crate::ids::Millis;
use serde::Serialize;

/// A response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// JSON, or empty.
    pub body: Vec<u8>,
}

/// How a route speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// As PROTOCOL §10.1.
    Api,
    /// As PROTOCOL §8.1: SDKs read `status` and `error`; browsers may post, so the answer says CORS.
    Events,
    /// As `Api`, to a request whose method is not among these.
    NotAllowed(&'static str),
}

/// The answer to a request that the shell could not read or the engine could not take in (wit/http.wit lists the codes).
/// It lacks the kind of server, which [`Response::from_kind`] adds.
#[must_use]
pub fn refuse(code: &str) -> Response {
    let known = Code::ALL.iter().copied().find(|known| known.as_str() == code).unwrap_or(Code::EngineFault);
    let message = match known {
        Code::BodyTooLarge => "the request's body is larger than 32 MiB; send the events in several requests",
        Code::BodyTimeout => "the request's body did not arrive within a minute",
        Code::BodyUnreadable => "the connection broke, or the transfer was malformed",
        Code::Overloaded => "the server has more work waiting than it may hold; try again shortly",
        _ => "the server could not decide, which is a defect in it; nothing is known to have changed",
    };
    // Whoever posts events from a browser must be able to read why it was refused, and the route is not known here.
    Response::refusal(Manner::Api, &Refusal::new(known, message)).with("access-control-allow-origin", "*")
}

impl Response {
    /// A bare JSON body.
    pub(super) fn json(status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self { status, headers: Vec::new(), body }.with("content-type", "application/json"),
            // Nothing that is answered has keys that are not text; JSON cannot fail for another reason.
            Err(_) => Self::json(Code::EngineFault.status(), &serde_json::Value::Null),
        }
    }

    /// No body.
    pub(super) const fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// v1's envelope around `data`.
    pub(super) fn data(now: Millis, data: &impl Serialize) -> Self {
        Self::page(now, data, None)
    }

    /// v1's envelope around a page; `next` is the cursor of the next one, if there may be one.
    pub(super) fn page(now: Millis, data: &impl Serialize, next: Option<String>) -> Self {
        Self::json(200, &Envelope { data, metadata: Metadata { fetched_at: now.rfc3339(), next_cursor: next } })
    }

    /// A refusal, with its real status.
    pub(super) fn refusal(manner: Manner, refusal: &Refusal) -> Self {
        let (status, code) = (refusal.code.status(), refusal.code.as_str());
        let (error, details) = (refusal.message.as_str(), refusal.details.as_slice());
        match manner {
            Manner::Api => Self::json(status, &ApiError { error, data: (), status, code, details }),
            Manner::NotAllowed(methods) => {
                Self::json(status, &ApiError { error, data: (), status, code, details }).with("allow", methods)
            }
            Manner::Events if refusal.code == Code::EventKeyUnknown => {
                let body = KeyError { status, message: error, error: "Event key not found", code };
                Self::json(status, &body).with("access-control-allow-origin", "*")
            }
            Manner::Events => {
                let body = EventError { ids: [], status, error, code, details };
                Self::json(status, &body).with("access-control-allow-origin", "*")
            }
        }
    }

    /// With one more header.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With the header that says which kind of server this is (PROTOCOL §1.1); a shell adds it to what [`refuse`] gives.
    #[must_use]
    pub fn from_kind(self, cloud: bool) -> Self {
        self.with("x-inngest-server-kind", kind(cloud))
    }
}

/// The server's kind, as SDKs spell it (PROTOCOL §1.1).
pub(super) const fn kind(cloud: bool) -> &'static str {
    if cloud { "cloud" } else { "dev" }
}

#[derive(Serialize)]
struct Envelope<'a, T> {
    data: &'a T,
    metadata: Metadata,
}

#[derive(Serialize)]
struct Metadata {
    fetched_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

#[derive(Serialize)]
struct ApiError<'a> {
    error: &'a str,
    data: (),
    status: u16,
    code: &'a str,
    #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
    details: &'a [Detail],
}

#[derive(Serialize)]
struct EventError<'a> {
    ids: [&'a str; 0],
    status: u16,
    error: &'a str,
    code: &'a str,
    #[serde(skip_serializing_if = "<[Detail]>::is_empty")]
    details: &'a [Detail],
}

#[derive(Serialize)]
struct KeyError<'a> {
    status: u16,
    message: &'a str,
    error: &'a str,
    code: &'a str,
}
