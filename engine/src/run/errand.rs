//! What a run asks of somebody else's server, which this server does for it: `step.fetch` and `step.ai.infer`
//! (PROTOCOL §7.7, §7.8).
//!
//! An errand is a unit of work like a planned step, with a call that does not go to the app. So it is retried, fenced and, after a
//! crash, sent again as calls are.

use super::answer::too_large;
use super::journal::What;
use super::problem::Problem;
use super::retry::Advice;
use super::unit::CallId;
use crate::duration::parse_retry_after;
use crate::error::{Code, Fault};
use crate::ids::{Millis, RunId};
use crate::limits::{
    ERRAND_HEADERS_BYTES_MAX, ERRAND_REDIRECTS_MAX, ERRAND_TIME_MAX, ERRAND_URL_BYTES_MAX, FOREIGN_BODY_BYTES_KEPT,
    STEP_OUTPUT_BYTES_MAX,
};
use crate::turn::{AppAnswer, AppCall, CallFailure, CallKind, Turn};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// What shells make of a request themselves, or what is about one connection alone.
const HEADERS_LEFT_OUT: &[&str] =
    &["connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];
/// What an answer's body is no longer like once a shell has decoded it.
const ANSWER_HEADERS_LEFT_OUT: &[&str] = &["connection", "content-encoding", "content-length", "transfer-encoding"];
/// Headers that are secrets whatever their value.
const SECRET_HEADERS: &[&str] =
    &["authorization", "cookie", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// A request to somebody else's server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Errand {
    /// What it is for.
    pub kind: Kind,
    /// In capitals.
    pub method: String,
    /// Where to.
    pub url: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// What is sent.
    pub body: String,
}

/// What an errand is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// `step.fetch`: every answer is a result.
    Fetch,
    /// `step.ai.infer`: an answer in JSON, with a status of success.
    Infer,
}

impl Kind {
    /// As people and SDKs call the step.
    #[must_use]
    pub const fn op(self) -> &'static str {
        match self {
            Self::Fetch => "step.fetch",
            Self::Infer => "step.ai.infer",
        }
    }

    fn problem(self, code: Code, cause: &str) -> Problem {
        match self {
            Self::Fetch => Problem::named(code, "GatewayError", format!("Error making gateway request: {cause}")),
            Self::Infer => Problem::named(code, "AIGatewayError", format!("Error making AI request: {cause}")),
        }
    }
}

impl Errand {
    /// A step's news: that it is under way, or that it cannot be.
    #[must_use]
    pub fn news(mut self) -> What {
        self.method.make_ascii_uppercase();
        self.headers = std::mem::take(&mut self.headers)
            .into_iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .filter(|(name, _)| !HEADERS_LEFT_OUT.contains(&name.as_str()))
            .collect();
        match self.fault() {
            None => What::Asked { errand: Box::new(self) },
            Some(fault) => What::Failed { problem: self.kind.problem(Code::GatewayInvalid, &fault) },
        }
    }

    /// Why it cannot be sent, if it cannot.
    fn fault(&self) -> Option<String> {
        let is_token = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&b))
        };
        if self.url.len() > ERRAND_URL_BYTES_MAX {
            return Some(format!("the URL is longer than {ERRAND_URL_BYTES_MAX} bytes"));
        }
        let url =
            url::Url::parse(&self.url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        if url.is_none() {
            return Some(format!("{:?} is not an http or https URL", shown(&self.url)));
        }
        if !is_token(&self.method) || self.method.len() > 32 {
            return Some("the method is no HTTP method".to_owned());
        }
        let bytes = self
            .headers
            .iter()
            .fold(0_usize, |sum, (name, value)| sum.saturating_add(name.len()).saturating_add(value.len()));
        if bytes > ERRAND_HEADERS_BYTES_MAX {
            return Some(format!("the headers are larger than {ERRAND_HEADERS_BYTES_MAX} bytes"));
        }
        let unfit = self
            .headers
            .iter()
            .find(|(name, value)| !is_token(name) || value.bytes().any(|b| (b < 32 && b != b'\t') || b == 127));
        if let Some((name, _)) = unfit {
            return Some(format!("the header {name:?} cannot be sent"));
        }
        let is_large = self.body.len() > STEP_OUTPUT_BYTES_MAX;
        is_large.then(|| format!("the body is larger than {STEP_OUTPUT_BYTES_MAX} bytes"))
    }

    /// The call that does it.
    #[must_use]
    pub fn call(&self, turn: &Turn<'_>, run: RunId, call: &CallId) -> AppCall {
        let headers = self.headers.iter().map(|(name, value)| (name.clone().into(), value.clone()));
        let is_named = self.headers.contains_key("user-agent");
        let agent =
            (!is_named).then(|| ("user-agent".into(), concat!("Stepwell/", env!("CARGO_PKG_VERSION")).to_owned()));
        let is_open = !turn.settings.cloud || turn.settings.private_addresses;
        AppCall {
            id: call.in_run(run),
            kind: if is_open { CallKind::Fetch } else { CallKind::FetchPublic },
            method: self.method.clone().into(),
            url: self.url.clone(),
            headers: headers.chain(agent).collect(),
            body: self.body.clone().into_bytes(),
            time_max: ERRAND_TIME_MAX,
            answer_bytes_max: STEP_OUTPUT_BYTES_MAX,
            redirects_max: ERRAND_REDIRECTS_MAX,
        }
    }

    /// The step's result; or what went wrong, and whether and when to try again.
    ///
    /// # Errors
    /// The attempt failed.
    pub fn read(
        &self,
        outcome: Result<AppAnswer, CallFailure>,
        now: Millis,
    ) -> Result<Box<RawValue>, Box<(Problem, Advice)>> {
        let answer = outcome.map_err(|failure| Box::new(self.failed(failure)))?;
        let data = match self.kind {
            Kind::Fetch => self.fetched(&answer),
            Kind::Infer if (200..300).contains(&answer.status) => json_of(&answer.body),
            Kind::Infer => return Err(Box::new(self.refused(&answer, now))),
        };
        let once = Advice { no_retry: true, ..Advice::default() };
        let failed = |problem| Box::new((problem, once));
        let data = data.map_err(|fault| failed(self.kind.problem(Code::GatewayFailed, &fault.to_string())))?;
        let bytes = data.get().len();
        if bytes > STEP_OUTPUT_BYTES_MAX { Err(failed(too_large(bytes))) } else { Ok(data) }
    }

    fn fetched(&self, answer: &AppAnswer) -> Result<Box<RawValue>, Fault> {
        let mut headers: BTreeMap<&str, String> = BTreeMap::new();
        for (name, value) in &answer.headers {
            if ANSWER_HEADERS_LEFT_OUT.contains(&name.as_str()) {
                continue;
            }
            let held = headers.entry(name).or_default();
            if !held.is_empty() {
                held.push(',');
            }
            held.push_str(value);
        }
        // A response of these kinds has no body, and SDKs that make one of it do not take an empty text for none.
        let is_bodiless = answer.body.is_empty() && matches!(answer.status, 101 | 103 | 204 | 205 | 304);
        let fetched = Fetched {
            body: (!is_bodiless).then(|| String::from_utf8_lossy(&answer.body)),
            headers,
            status_code: answer.status,
            url: &self.url,
        };
        to_raw_value(&fetched).map_err(|e| Fault::new("result of a fetch", e))
    }

    /// A model's server answered with an error.
    fn refused(&self, answer: &AppAnswer, now: Millis) -> (Problem, Advice) {
        let cause = format!("unsuccessful status code: {}", answer.status);
        let mut problem = self.kind.problem(Code::GatewayFailed, &cause);
        problem.data = Some(answer.body.as_slice())
            .filter(|body| body.len() <= FOREIGN_BODY_BYTES_KEPT)
            .and_then(|body| json_of(body).ok());
        let asked = answer.headers.iter().find(|(name, _)| name == "retry-after");
        let retry_after = asked.and_then(|(_, value)| parse_retry_after(value, now));
        (problem, Advice { no_retry: false, retry_after })
    }

    fn failed(&self, failure: CallFailure) -> (Problem, Advice) {
        let (code, text, no_retry) = match failure {
            CallFailure::Refused(text) => (Code::AddressNotPublic, text, true),
            CallFailure::TooLarge(text) => (Code::OutputTooLarge, text, true),
            CallFailure::Unreachable(text) | CallFailure::TimedOut(text) | CallFailure::Unreadable(text) => {
                (Code::GatewayFailed, text, false)
            }
            CallFailure::EngineFault(text) => (Code::EngineFault, text, false),
        };
        (self.kind.problem(code, &text), Advice { no_retry, retry_after: None })
    }

    /// As people may see it: without what is secret.
    #[must_use]
    pub fn shown(&self) -> Self {
        let mask = |(name, value): (&String, &String)| {
            let is_secret = SECRET_HEADERS.contains(&name.as_str());
            (name.clone(), if is_secret { "***".to_owned() } else { value.clone() })
        };
        Self { url: shown(&self.url), headers: self.headers.iter().map(mask).collect(), ..self.clone() }
    }
}

/// A URL without the key that some servers want in its query.
fn shown(text: &str) -> String {
    let Ok(mut url) = url::Url::parse(text) else { return text.to_owned() };
    if !url.query_pairs().any(|(name, _)| name == "key") {
        return text.to_owned();
    }
    let pairs: Vec<(String, String)> = url
        .query_pairs()
        .map(|(name, value)| (name.to_string(), if name == "key" { "***".to_owned() } else { value.into_owned() }))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(pairs);
    url.into()
}

/// A body as JSON: itself, or a text where it is none.
fn json_of(body: &[u8]) -> Result<Box<RawValue>, Fault> {
    serde_json::from_slice(body)
        .or_else(|_| to_raw_value(&String::from_utf8_lossy(body)))
        .map_err(|e| Fault::new("answer to an errand", e))
}

/// Keys in canonical order.
#[derive(Serialize)]
struct Fetched<'a> {
    body: Option<std::borrow::Cow<'a, str>>,
    headers: BTreeMap<&'a str, String>,
    status_code: u16,
    url: &'a str,
}
