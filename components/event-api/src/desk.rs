//! The interface `http`: the component's front desk.

use crate::bindings::exports::stepwell::engine::http as wit;
use crate::bindings::exports::stepwell::engine::types;
use std::cell::RefCell;
use stepwell_engine::error::{Code, Fault};
use stepwell_engine::http;
use stepwell_engine::ids::Millis;
use stepwell_engine::turn::{ActorKind, Address};

/// Requests in, responses out.
pub struct Desk;

/// One request under way; or, where it could not be taken up, the fault that its refusal stands for.
pub struct Exchange(RefCell<Result<http::Exchange, Fault>>);

impl wit::Guest for Desk {
    type Exchange = Exchange;

    fn request_limits() -> wit::Limits {
        let limits = http::request_limits();
        wit::Limits {
            body_bytes_max: u64::try_from(limits.body_bytes_max).unwrap_or(u64::MAX),
            body_time_ms_max: limits.body_time_max.0,
        }
    }

    fn refuse(code: String) -> wit::Response {
        response(http::refuse(&code))
    }
}

impl wit::GuestExchange for Exchange {
    fn new(now: u64, entropy: (u64, u64), catalog: u64, request: wit::Request) -> Self {
        let taken_up = stepwell_glue::knowledge(catalog).map(|known| {
            http::Exchange::new(
                Millis(now),
                stepwell_glue::entropy(entropy),
                &known.catalog,
                &known.settings,
                self::request(request),
            )
        });
        Self(RefCell::new(taken_up))
    }

    fn start(&self) -> wit::Progress {
        self.proceed(http::Exchange::start)
    }

    fn resume(&self, now: u64, answers: Vec<wit::Answer>) -> wit::Progress {
        let answers = answers.into_iter().map(answer).collect();
        self.proceed(|exchange| exchange.resume(Millis(now), answers))
    }
}

impl Exchange {
    fn proceed(&self, step: impl FnOnce(&mut http::Exchange) -> http::Progress) -> wit::Progress {
        match self.0.try_borrow_mut().as_deref_mut() {
            Ok(Ok(exchange)) => progress(step(exchange)),
            Ok(Err(_)) | Err(_) => wit::Progress::Respond(response(http::refuse(Code::EngineFault.as_str()))),
        }
    }
}

fn request(given: wit::Request) -> http::Request {
    http::Request {
        method: given.method,
        path: given.path,
        query: given.query,
        headers: given.headers,
        body: given.body,
    }
}

fn response(made: http::Response) -> wit::Response {
    wit::Response { status: made.status, headers: made.headers, body: made.body }
}

fn progress(made: http::Progress) -> wit::Progress {
    match made {
        http::Progress::Respond(made) => wit::Progress::Respond(response(made)),
        http::Progress::Ask { channels, questions } => {
            wit::Progress::Ask(wit::Ask { channels, questions: questions.into_iter().map(question).collect() })
        }
        http::Progress::Watch(until) => wit::Progress::Watch(until.0),
    }
}

fn question(made: http::Question) -> wit::Question {
    wit::Question { to: address(made.to), body: made.body }
}

fn address(made: Address) -> types::Address {
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

fn answer(given: wit::Answer) -> Result<Vec<u8>, http::AskFailure> {
    given.map_err(|failure| match failure {
        wit::AskFailure::Fault(why) => http::AskFailure::Fault(why),
        wit::AskFailure::TimedOut => http::AskFailure::TimedOut,
        wit::AskFailure::Overloaded => http::AskFailure::Overloaded,
    })
}
