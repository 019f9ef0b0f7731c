//! Between the generated types and the engine's own. Bytes are moved, never copied.

use crate::bindings::exports::stepwell::engine::actors as wit;
use crate::bindings::exports::stepwell::engine::types;
use stepwell_engine::error::{Code, Fault};
use stepwell_engine::ids::{Entropy, Millis};
use stepwell_engine::shard::Shards;
use stepwell_engine::turn::{
    ActorKind, Address, AppAnswer, AppCall, CallFailure, CallKind, CallOutcome, CatchUp, Done, Effect, Message,
    Outcome, Range, Row, Settings, Write,
};

/// The two halves of `turn-input.entropy` and of an exchange, the high one first.
#[must_use]
pub fn entropy((high, low): (u64, u64)) -> Entropy {
    Entropy(u128::from(high) << 64 | u128::from(low))
}

pub(crate) fn settings(given: types::Settings) -> Settings {
    Settings {
        cloud: matches!(given.kind, types::ServerKind::Cloud),
        signing_keys: given.signing_keys,
        event_keys: given.event_keys,
        retry_interval: given.retry_interval_ms.map(Millis),
        wait_look_back: given.wait_look_back_ms.map(Millis),
        cron_catch_up: match given.cron_catch_up {
            types::CatchUp::None => CatchUp::None,
            types::CatchUp::Last => CatchUp::Last,
            types::CatchUp::All => CatchUp::All,
        },
        shards: Shards::new(given.shards),
        private_addresses: given.private_addresses,
        backlog_max: given.backlog_max,
        calls_per_app_max: given.calls_per_app_max,
        version: given.version,
    }
}

pub(crate) fn address_in(given: types::Address) -> Address {
    let kind = match given.kind {
        types::ActorKind::Catalog => ActorKind::Catalog,
        types::ActorKind::Stream => ActorKind::Stream,
        types::ActorKind::History => ActorKind::History,
        types::ActorKind::Gate => ActorKind::Gate,
        types::ActorKind::Waits => ActorKind::Waits,
        types::ActorKind::Cron => ActorKind::Cron,
        types::ActorKind::Run => ActorKind::Run,
    };
    Address { kind, key: given.key }
}

fn address_out(made: Address) -> types::Address {
    let kind = match made.kind {
        ActorKind::Catalog => types::ActorKind::Catalog,
        ActorKind::Stream => types::ActorKind::Stream,
        ActorKind::History => types::ActorKind::History,
        ActorKind::Gate => types::ActorKind::Gate,
        ActorKind::Waits => types::ActorKind::Waits,
        ActorKind::Cron => types::ActorKind::Cron,
        ActorKind::Run => types::ActorKind::Run,
    };
    types::Address { kind, key: made.key }
}

fn range_in(given: types::Range) -> Range {
    Range { start: given.start, end: given.end, limit: given.limit, descending: given.descending }
}

pub(crate) fn range_out(made: Range) -> types::Range {
    types::Range { start: made.start, end: made.end, limit: made.limit, descending: made.descending }
}

pub(crate) fn range_rows(given: types::RangeRows) -> (Range, Vec<Row>) {
    let rows = given.rows.into_iter().map(|row| Row { key: row.key, value: row.value }).collect();
    (range_in(given.range), rows)
}

pub(crate) fn message(given: wit::Message) -> Message {
    match given {
        wit::Message::Tell(body) => Message::Tell(body),
        wit::Message::Ask((token, body)) => Message::Ask { token, body },
        wit::Message::Answered(outcome) => Message::Answered(call_outcome(outcome)),
        wit::Message::Wake => Message::Wake,
        wit::Message::Resume => Message::Resume,
        wit::Message::Lost(calls) => Message::Lost(calls),
    }
}

fn call_outcome(given: types::CallOutcome) -> CallOutcome {
    let answer = match given.answer {
        Ok(said) => Ok(AppAnswer { status: said.status, headers: said.headers, body: said.body }),
        Err(failure) => Err(match failure {
            types::CallFailure::Unreachable(why) => CallFailure::Unreachable(why),
            types::CallFailure::TimedOut(why) => CallFailure::TimedOut(why),
            types::CallFailure::TooLarge(why) => CallFailure::TooLarge(why),
            types::CallFailure::Unreadable(why) => CallFailure::Unreadable(why),
            types::CallFailure::Refused(why) => CallFailure::Refused(why),
            types::CallFailure::EngineFault(why) => CallFailure::EngineFault(why),
        }),
    };
    CallOutcome { id: given.id, answer }
}

pub(crate) fn outcome(made: Outcome) -> wit::Outcome {
    match made {
        Outcome::Done(done) => wit::Outcome::Done(self::done(done)),
        Outcome::Needs(ranges) => wit::Outcome::Needs(ranges.into_iter().map(range_out).collect()),
    }
}

fn done(made: Done) -> wit::Done {
    wit::Done {
        writes: made.writes.into_iter().map(write).collect(),
        effects: made.effects.into_iter().map(effect).collect(),
        wake_at: made.wake_at.map(|at| at.0),
        owing: made.owing,
    }
}

fn write(made: Write) -> types::Write {
    types::Write { key: made.key, value: made.value }
}

fn effect(made: Effect) -> wit::Effect {
    match made {
        Effect::Reply { token, body } => wit::Effect::Reply(wit::Reply { token, body }),
        Effect::Send { to, body } => wit::Effect::Send(wit::Send { to: address_out(to), body }),
        Effect::Call(call) => wit::Effect::Call(app_call(call)),
        Effect::Publish { channel, data } => wit::Effect::Publish(wit::Publish { channel, data }),
        Effect::Install { version, snapshot } => wit::Effect::Install(wit::CatalogVersion { version, snapshot }),
    }
}

fn app_call(made: AppCall) -> types::AppCall {
    types::AppCall {
        id: made.id,
        kind: match made.kind {
            CallKind::App => types::CallKind::App,
            CallKind::Fetch => types::CallKind::Fetch,
            CallKind::FetchPublic => types::CallKind::FetchPublic,
        },
        method: made.method.into_owned(),
        url: made.url,
        headers: made.headers.into_iter().map(|(name, value)| (name.into_owned(), value)).collect(),
        body: made.body,
        time_ms_max: made.time_max.0,
        answer_bytes_max: u64::try_from(made.answer_bytes_max).unwrap_or(u64::MAX),
        redirects_max: made.redirects_max,
    }
}

pub(crate) fn fault(made: Fault) -> wit::Fault {
    wit::Fault { code: Code::EngineFault.as_str().to_owned(), message: made.to_string() }
}
