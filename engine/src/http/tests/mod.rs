//! What requests come to, through the door that shells use. One file per promise.

mod crons;
mod events_in;
mod events_out;
mod forms;
mod functions;
mod garbage;
mod keys;
mod routes;
mod runs;
mod sessions;
mod shards;
mod watching;

use super::{AskFailure, Exchange, Progress, Question, Request, Response};
use crate::catalog::Catalog;
use crate::error::Refusal;
use crate::ids::{Entropy, Millis};
use crate::stream::driver::catalog;
use crate::turn::Settings;
use serde::Serialize;
use serde_json::Value;

const NOW: Millis = Millis(1_790_000_000_000);
const RUN: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";

/// A server of which only the requests are looked at.
struct Desk {
    settings: Settings,
    catalog: Catalog,
}

impl Desk {
    fn dev() -> Self {
        Self {
            settings: Settings { version: "1.2.3".to_owned(), ..Settings::default() },
            catalog: catalog(&[("app-a", &["a"])]),
        }
    }

    fn open(&self, request: Request) -> Exchange {
        Exchange::new(NOW, Entropy(u128::MAX), &self.catalog, &self.settings, request)
    }

    /// The response to a request that asks nobody.
    fn at_once(&self, request: Request) -> Response {
        responded(self.open(request).start())
    }

    /// The response to a request that asks one question, which is answered with this.
    fn answered(&self, request: Request, answer: &Result<Value, Refusal>) -> Response {
        let mut exchange = self.open(request);
        asked(exchange.start());
        responded(exchange.resume(NOW, vec![told(answer)]))
    }
}

fn request(method: &str, target: &str, body: impl Into<Vec<u8>>) -> Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (method, path, query) = (method.to_owned(), path.to_owned(), query.to_owned());
    Request { method, path, query, headers: Vec::new(), body: body.into() }
}

fn get(target: &str) -> Request {
    request("GET", target, "")
}

fn with(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.push((name.to_owned(), value.to_owned()));
    request
}

#[track_caller]
fn responded(progress: Progress) -> Response {
    match progress {
        Progress::Respond(response) => response,
        other => panic!("no response yet: {other:?}"),
    }
}

/// The one question, and no channel.
#[track_caller]
fn asked(progress: Progress) -> Question {
    match progress {
        Progress::Ask { channels, questions } if channels.is_empty() => {
            let [question] = <[_; 1]>::try_from(questions).unwrap();
            question
        }
        other => panic!("no one question: {other:?}"),
    }
}

/// An answer, as an actor sends it.
fn told(answer: &impl Serialize) -> Result<Vec<u8>, AskFailure> {
    Ok(serde_json::to_vec(answer).unwrap())
}

fn json(response: &Response) -> Value {
    serde_json::from_slice(&response.body).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
}

#[track_caller]
fn assert_refused(response: &Response, status: u16, code: &str) {
    let body = json(response);
    assert_eq!((response.status, body["code"].as_str()), (status, Some(code)), "{body}");
    assert_eq!(body["status"], status, "SDKs read the status in the body");
    assert!(body["error"].as_str().is_some_and(|sentence| sentence.len() > 10), "{body}");
}
