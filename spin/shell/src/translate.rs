//! Between the generated types and the home's own. Bytes are moved, never copied.

use crate::bindings::stepwell::engine::{actors, http, types};
use stepwell_spin_home::types as home;

pub(crate) fn settings(given: &home::Settings) -> types::Settings {
    types::Settings {
        kind: if given.is_cloud { types::ServerKind::Cloud } else { types::ServerKind::Dev },
        signing_keys: given.signing_keys.clone(),
        event_keys: given.event_keys.clone(),
        retry_interval_ms: given.retry_interval_ms,
        wait_look_back_ms: given.wait_look_back_ms,
        cron_catch_up: match given.cron_catch_up {
            home::CatchUp::None => types::CatchUp::None,
            home::CatchUp::Last => types::CatchUp::Last,
            home::CatchUp::All => types::CatchUp::All,
        },
        shards: given.shards,
        private_addresses: given.private_addresses,
        backlog_max: given.backlog_max,
        calls_per_app_max: given.calls_per_app_max,
        version: given.version.clone(),
    }
}

pub(crate) fn address_out(given: &home::Address) -> types::Address {
    let kind = match given.kind {
        home::Kind::Catalog => types::ActorKind::Catalog,
        home::Kind::Stream => types::ActorKind::Stream,
        home::Kind::History => types::ActorKind::History,
        home::Kind::Gate => types::ActorKind::Gate,
        home::Kind::Waits => types::ActorKind::Waits,
        home::Kind::Cron => types::ActorKind::Cron,
        home::Kind::Run => types::ActorKind::Run,
    };
    types::Address { kind, key: given.key.clone() }
}

fn address(made: types::Address) -> home::Address {
    let kind = match made.kind {
        types::ActorKind::Catalog => home::Kind::Catalog,
        types::ActorKind::Stream => home::Kind::Stream,
        types::ActorKind::History => home::Kind::History,
        types::ActorKind::Gate => home::Kind::Gate,
        types::ActorKind::Waits => home::Kind::Waits,
        types::ActorKind::Cron => home::Kind::Cron,
        types::ActorKind::Run => home::Kind::Run,
    };
    home::Address { kind, key: made.key }
}

pub(crate) fn range(made: types::Range) -> home::Range {
    home::Range { start: made.start, end: made.end, limit: made.limit, descending: made.descending }
}

pub(crate) fn range_rows(given: home::RangeRows) -> types::RangeRows {
    let home::Range { start, end, limit, descending } = given.range;
    types::RangeRows {
        range: types::Range { start, end, limit, descending },
        rows: given.rows.into_iter().map(|row| types::Row { key: row.key, value: row.value }).collect(),
    }
}

pub(crate) fn turn_input(given: home::TurnInput) -> actors::TurnInput {
    actors::TurnInput {
        now: given.now,
        entropy: given.entropy,
        catalog: given.catalog,
        message: match given.message {
            home::Message::Tell(body) => actors::Message::Tell(body),
            home::Message::Ask(token, body) => actors::Message::Ask((token, body)),
            home::Message::Answered(outcome) => actors::Message::Answered(call_outcome(outcome)),
            home::Message::Wake => actors::Message::Wake,
            home::Message::Resume => actors::Message::Resume,
            home::Message::Lost(calls) => actors::Message::Lost(calls),
        },
        supplied: given.supplied.into_iter().map(range_rows).collect(),
    }
}

fn call_outcome(given: home::CallOutcome) -> types::CallOutcome {
    let answer = match given.answer {
        Ok(said) => Ok(types::AppAnswer { status: said.status, headers: said.headers, body: said.body }),
        Err(failure) => Err(match failure {
            home::CallFailure::Unreachable(why) => types::CallFailure::Unreachable(why),
            home::CallFailure::TimedOut(why) => types::CallFailure::TimedOut(why),
            home::CallFailure::TooLarge(why) => types::CallFailure::TooLarge(why),
            home::CallFailure::Unreadable(why) => types::CallFailure::Unreadable(why),
            home::CallFailure::Refused(why) => types::CallFailure::Refused(why),
        }),
    };
    types::CallOutcome { id: given.id, answer }
}

pub(crate) fn outcome(made: actors::Outcome) -> home::Outcome {
    match made {
        actors::Outcome::Done(done) => home::Outcome::Done(home::Done {
            writes: done.writes.into_iter().map(|write| home::Write { key: write.key, value: write.value }).collect(),
            effects: done.effects.into_iter().map(effect).collect(),
            wake_at: done.wake_at,
            owing: done.owing,
        }),
        actors::Outcome::Needs(ranges) => home::Outcome::Needs(ranges.into_iter().map(range).collect()),
    }
}

fn effect(made: actors::Effect) -> home::Effect {
    match made {
        actors::Effect::Reply(reply) => home::Effect::Reply(reply.token, reply.body),
        actors::Effect::Send(send) => home::Effect::Send(address(send.to), send.body),
        actors::Effect::Call(call) => home::Effect::Call(home::AppCall {
            id: call.id,
            kind: match call.kind {
                types::CallKind::App => home::CallKind::App,
                types::CallKind::Fetch => home::CallKind::Fetch,
                types::CallKind::FetchPublic => home::CallKind::FetchPublic,
            },
            method: call.method,
            url: call.url,
            headers: call.headers,
            body: call.body,
            time_ms_max: call.time_ms_max,
            answer_bytes_max: call.answer_bytes_max,
            redirects_max: call.redirects_max,
        }),
        actors::Effect::Publish(_) => home::Effect::Publish,
        actors::Effect::Install(made) => home::Effect::Install(made.version, made.snapshot),
    }
}

pub(crate) fn fault(made: actors::Fault) -> home::Fault {
    home::Fault { code: made.code, message: made.message }
}

pub(crate) fn request(given: home::Request) -> http::Request {
    http::Request {
        method: given.method,
        path: given.path,
        query: given.query,
        headers: given.headers,
        body: given.body,
    }
}

pub(crate) fn response(made: http::Response) -> home::Response {
    home::Response { status: made.status, headers: made.headers, body: made.body }
}

pub(crate) fn progress(made: http::Progress) -> home::Progress {
    match made {
        http::Progress::Respond(made) => home::Progress::Respond(response(made)),
        http::Progress::Ask(ask) => home::Progress::Ask {
            channels: ask.channels,
            questions: ask
                .questions
                .into_iter()
                .map(|question| home::Question { to: address(question.to), body: question.body })
                .collect(),
        },
        http::Progress::Watch(until) => home::Progress::Watch(until),
    }
}

pub(crate) fn answer(given: home::Answer) -> http::Answer {
    given.map_err(|failure| match failure {
        home::AskFailure::Fault(why) => http::AskFailure::Fault(why),
        home::AskFailure::TimedOut => http::AskFailure::TimedOut,
        home::AskFailure::Overloaded => http::AskFailure::Overloaded,
    })
}
