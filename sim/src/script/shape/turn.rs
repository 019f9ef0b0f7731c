//! Turns: what an actor is told, and what it gives.

use super::{
    Address, Bytes, Headers, Outcome, Range, RangeRows, Response, U64, address, halves, headers, range, supplied,
};
use serde::Serialize;
use stepwell_engine::error::{Code, Fault};
use stepwell_engine::turn;

#[derive(Serialize)]
pub struct TurnInput<'a> {
    now: U64,
    entropy: (U64, U64),
    catalog: U64,
    message: Message<'a>,
    supplied: Vec<RangeRows<'a>>,
}

/// What a turn is given.
pub fn input<'a>(given: &turn::Turn<'a>, about: &'a turn::Message) -> TurnInput<'a> {
    TurnInput {
        now: U64(given.now.0),
        entropy: halves(given.entropy.0),
        catalog: U64(given.catalog.version),
        message: message(about),
        supplied: supplied(&given.supplied.0),
    }
}

#[derive(Serialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum Message<'a> {
    Tell(Bytes<'a>),
    Ask((U64, Bytes<'a>)),
    Answered(CallOutcome<'a>),
    Wake,
    Resume,
    Lost(&'a [String]),
}

fn message(message: &turn::Message) -> Message<'_> {
    match message {
        turn::Message::Tell(body) => Message::Tell(Bytes(body)),
        turn::Message::Ask { token, body } => Message::Ask((U64(*token), Bytes(body))),
        turn::Message::Answered(outcome) => Message::Answered(call_outcome(outcome)),
        turn::Message::Wake => Message::Wake,
        turn::Message::Resume => Message::Resume,
        turn::Message::Lost(calls) => Message::Lost(calls),
    }
}

#[derive(Serialize)]
struct CallOutcome<'a> {
    id: &'a str,
    answer: Outcome<Response<'a>, CallFailure<'a>>,
}

#[derive(Serialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum CallFailure<'a> {
    Unreachable(&'a str),
    TimedOut(&'a str),
    TooLarge(&'a str),
    Unreadable(&'a str),
    Refused(&'a str),
    EngineFault(&'a str),
}

fn call_outcome(outcome: &turn::CallOutcome) -> CallOutcome<'_> {
    let answer = match &outcome.answer {
        Ok(said) => Outcome::Ok(Response::new(said.status, &said.headers, &said.body)),
        Err(failure) => Outcome::Err(match failure {
            turn::CallFailure::Unreachable(why) => CallFailure::Unreachable(why),
            turn::CallFailure::TimedOut(why) => CallFailure::TimedOut(why),
            turn::CallFailure::TooLarge(why) => CallFailure::TooLarge(why),
            turn::CallFailure::Unreadable(why) => CallFailure::Unreadable(why),
            turn::CallFailure::Refused(why) => CallFailure::Refused(why),
            turn::CallFailure::EngineFault(why) => CallFailure::EngineFault(why),
        }),
    };
    CallOutcome { id: &outcome.id, answer }
}

#[derive(Serialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
pub enum Decided<'a> {
    Done(Done<'a>),
    Needs(Vec<Range<'a>>),
}

#[derive(Serialize)]
pub struct Failed {
    code: &'static str,
    message: String,
}

/// What a turn gave.
pub fn output(outcome: &Result<turn::Outcome, Fault>) -> Outcome<Decided<'_>, Failed> {
    match outcome {
        Ok(turn::Outcome::Done(decided)) => Outcome::Ok(Decided::Done(done(decided))),
        Ok(turn::Outcome::Needs(ranges)) => Outcome::Ok(Decided::Needs(ranges.iter().map(range).collect())),
        Err(fault) => Outcome::Err(Failed { code: Code::EngineFault.as_str(), message: fault.to_string() }),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Done<'a> {
    writes: Vec<Write<'a>>,
    effects: Vec<Effect<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_at: Option<U64>,
    owing: bool,
}

#[derive(Serialize)]
struct Write<'a> {
    key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Bytes<'a>>,
}

fn done(done: &turn::Done) -> Done<'_> {
    Done {
        writes: done.writes.iter().map(write).collect(),
        effects: done.effects.iter().map(effect).collect(),
        wake_at: done.wake_at.map(|at| U64(at.0)),
        owing: done.owing,
    }
}

#[derive(Serialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
enum Effect<'a> {
    Reply { token: U64, body: Bytes<'a> },
    Send { to: Address<'a>, body: Bytes<'a> },
    Call(AppCall<'a>),
    Publish { channel: &'a str, data: Bytes<'a> },
    Install { version: U64, snapshot: Bytes<'a> },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AppCall<'a> {
    id: &'a str,
    kind: &'static str,
    method: &'a str,
    url: &'a str,
    headers: Headers<'a>,
    body: Bytes<'a>,
    time_ms_max: U64,
    answer_bytes_max: U64,
    redirects_max: u32,
}

fn write(write: &turn::Write) -> Write<'_> {
    Write { key: &write.key, value: write.value.as_deref().map(Bytes) }
}

fn effect(effect: &turn::Effect) -> Effect<'_> {
    match effect {
        turn::Effect::Reply { token, body } => Effect::Reply { token: U64(*token), body: Bytes(body) },
        turn::Effect::Send { to, body } => Effect::Send { to: address(to), body: Bytes(body) },
        turn::Effect::Call(call) => Effect::Call(AppCall {
            id: &call.id,
            kind: match call.kind {
                turn::CallKind::App => "app",
                turn::CallKind::Fetch => "fetch",
                turn::CallKind::FetchPublic => "fetch-public",
            },
            method: &call.method,
            url: &call.url,
            headers: headers(&call.headers),
            body: Bytes(&call.body),
            time_ms_max: U64(call.time_max.0),
            answer_bytes_max: U64(u64::try_from(call.answer_bytes_max).unwrap_or(u64::MAX)),
            redirects_max: call.redirects_max,
        }),
        turn::Effect::Publish { channel, data } => Effect::Publish { channel, data: Bytes(data) },
        turn::Effect::Install { version, snapshot } => {
            Effect::Install { version: U64(*version), snapshot: Bytes(snapshot) }
        }
    }
}
