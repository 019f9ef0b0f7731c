//! Stands in for `stepwell_engine::http` until it is there: every request is refused.
#![allow(missing_docs, reason = "gone with the next merge")]

use stepwell_engine::catalog::Catalog;
use stepwell_engine::error::Code;
use stepwell_engine::ids::{Entropy, Millis};
use stepwell_engine::limits;
use stepwell_engine::turn::{Address, Settings};

pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Question {
    pub(crate) to: Address,
    pub(crate) body: Vec<u8>,
}

pub(crate) enum AskFailure {
    Fault(String),
    TimedOut,
    Overloaded,
}

pub(crate) enum Progress {
    Respond(Response),
    Ask { channels: Vec<String>, questions: Vec<Question> },
    Watch(Millis),
}

pub(crate) struct Exchange(Request);

impl Exchange {
    pub(crate) fn new(_now: Millis, _entropy: Entropy, _: &Catalog, _: &Settings, request: Request) -> Self {
        Self(request)
    }

    pub(crate) fn start(&mut self) -> Progress {
        let Request { method, path, query, headers, body } = &self.0;
        match (method.as_str(), headers.len(), body.len()) {
            ("ASK", 0, 0) => Progress::Ask {
                channels: vec![query.clone()],
                questions: vec![Question { to: Address::stream(), body: path.clone().into_bytes() }],
            },
            ("WATCH", 0, 0) => Progress::Watch(limits::WATCH_TIME_MAX),
            _ => Progress::Respond(refuse(Code::RouteUnknown.as_str())),
        }
    }

    pub(crate) fn resume(&mut self, _now: Millis, answers: Vec<Result<Vec<u8>, AskFailure>>) -> Progress {
        match answers.into_iter().next() {
            Some(Err(AskFailure::Fault(why))) => Progress::Respond(refuse(&why)),
            _ => Progress::Respond(refuse(Code::Overloaded.as_str())),
        }
    }
}

pub(crate) fn refuse(code: &str) -> Response {
    let body = format!(r#"{{"error":"not built yet","code":"{code}"}}"#).into_bytes();
    Response { status: 503, headers: vec![("content-type".into(), "application/json".into())], body }
}

pub(crate) const fn request_limits() -> (usize, Millis) {
    (limits::REQUEST_BODY_BYTES_MAX, limits::REQUEST_BODY_TIME_MAX)
}
