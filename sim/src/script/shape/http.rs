//! Requests: what an exchange is made of, what it goes on with, and what it gives.

use super::{Address, Bytes, Headers, Outcome, Response, U64, address, halves, headers};
use serde::Serialize;
use stepwell_engine::http;

#[derive(Serialize)]
pub struct Request<'a> {
    method: &'a str,
    path: &'a str,
    query: &'a str,
    headers: Headers<'a>,
    body: Bytes<'a>,
}

/// What an exchange is made of.
pub fn exchange(now: u64, entropy: u128, catalog: u64, request: &http::Request) -> (U64, (U64, U64), U64, Request<'_>) {
    let request = Request {
        method: &request.method,
        path: &request.path,
        query: &request.query,
        headers: headers(&request.headers),
        body: Bytes(&request.body),
    };
    (U64(now), halves(entropy), U64(catalog), request)
}

#[derive(Serialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
pub enum AskFailure<'a> {
    Fault(&'a str),
    TimedOut,
    Overloaded,
}

type Answers<'a> = Vec<Outcome<Bytes<'a>, AskFailure<'a>>>;

/// What an exchange goes on with.
pub fn resume(now: u64, answers: &[Result<Vec<u8>, http::AskFailure>]) -> (U64, Answers<'_>) {
    (U64(now), answers.iter().map(answer).collect())
}

fn answer(answer: &Result<Vec<u8>, http::AskFailure>) -> Outcome<Bytes<'_>, AskFailure<'_>> {
    match answer {
        Ok(body) => Outcome::Ok(Bytes(body)),
        Err(http::AskFailure::Fault(why)) => Outcome::Err(AskFailure::Fault(why)),
        Err(http::AskFailure::TimedOut) => Outcome::Err(AskFailure::TimedOut),
        Err(http::AskFailure::Overloaded) => Outcome::Err(AskFailure::Overloaded),
    }
}

#[derive(Serialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
pub enum Progress<'a> {
    Respond(Response<'a>),
    Ask { channels: &'a [String], questions: Vec<Question<'a>> },
    Watch(U64),
}

#[derive(Serialize)]
pub struct Question<'a> {
    to: Address<'a>,
    body: Bytes<'a>,
}

/// What an exchange came to.
pub fn progress(progress: &http::Progress) -> Progress<'_> {
    match progress {
        http::Progress::Respond(made) => Progress::Respond(Response::new(made.status, &made.headers, &made.body)),
        http::Progress::Ask { channels, questions } => {
            Progress::Ask { channels, questions: questions.iter().map(question).collect() }
        }
        http::Progress::Watch(until) => Progress::Watch(U64(until.0)),
    }
}

fn question(question: &http::Question) -> Question<'_> {
    Question { to: address(&question.to), body: Bytes(&question.body) }
}
