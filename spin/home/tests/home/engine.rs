//! The engine, linked in, in the home's words.

use std::cell::RefCell;
use std::marker::PhantomData;
use stepwell_engine as engine;
use stepwell_engine::actor::{self, Part};
use stepwell_engine::catalog::Catalog;
use stepwell_engine::ids::{Entropy, Millis};
use stepwell_engine::shard::Shards;
use stepwell_engine::turn::{self, ActorKind, Supplied, Turn};
use stepwell_spin_home::engine::{Desk, Engine};
use stepwell_spin_home::types::{
    Address, Answer, AppCall, AskFailure, CallFailure, CallKind, CatchUp, Done, Effect, Fault, Kind, Message, Outcome,
    Progress, Question, Range, RangeRows, Request, RequestLimits, Response, Row, Settings, TurnInput, Write,
};

/// One of the three parts, and what its instance knows.
pub struct Linked<P> {
    settings: RefCell<turn::Settings>,
    catalog: RefCell<Catalog>,
    part: PhantomData<P>,
}

pub type EventApi = Linked<actor::EventApi>;
/// The scheduler and the executor in one; each instance is asked for the actors of one of them.
pub type Inside = Linked<Either>;

pub enum Either {
    Scheduler(actor::Scheduler),
    Executor(Box<actor::Executor>),
}

impl Part for Either {
    fn preload(address: &turn::Address) -> Vec<turn::Range> {
        match address.kind {
            ActorKind::Run => actor::Executor::preload(address),
            _ => actor::Scheduler::preload(address),
        }
    }

    fn load(address: &turn::Address, rows: &[(turn::Range, Vec<turn::Row>)]) -> Result<Self, engine::error::Fault> {
        match address.kind {
            ActorKind::Run => actor::Executor::load(address, rows).map(|part| Self::Executor(Box::new(part))),
            _ => actor::Scheduler::load(address, rows).map(Self::Scheduler),
        }
    }

    fn turn(&mut self, turn: &Turn<'_>, message: turn::Message) -> Result<turn::Outcome, engine::error::Fault> {
        match self {
            Self::Scheduler(part) => part.turn(turn, message),
            Self::Executor(part) => part.turn(turn, message),
        }
    }
}

impl<P> Linked<P> {
    pub fn new() -> Self {
        Self { settings: RefCell::default(), catalog: RefCell::default(), part: PhantomData }
    }
}

impl<P: Part + 'static> Engine for Linked<P> {
    type Actor = RefCell<Result<P, engine::error::Fault>>;

    fn configure(&self, settings: &Settings) {
        *self.settings.borrow_mut() = turn::Settings {
            cloud: settings.is_cloud,
            signing_keys: settings.signing_keys.clone(),
            event_keys: settings.event_keys.clone(),
            retry_interval: settings.retry_interval_ms.map(Millis),
            wait_look_back: settings.wait_look_back_ms.map(Millis),
            cron_catch_up: match settings.cron_catch_up {
                CatchUp::None => turn::CatchUp::None,
                CatchUp::Last => turn::CatchUp::Last,
                CatchUp::All => turn::CatchUp::All,
            },
            shards: Shards::new(settings.shards),
            private_addresses: settings.private_addresses,
            backlog_max: settings.backlog_max,
            calls_per_app_max: settings.calls_per_app_max,
            version: settings.version.clone(),
        };
    }

    fn install(&self, version: u64, snapshot: &[u8]) -> Result<(), Fault> {
        let catalog = Catalog::decode(snapshot).map_err(fault)?;
        assert_eq!(catalog.version, version);
        *self.catalog.borrow_mut() = catalog;
        Ok(())
    }

    fn preload(&self, address: &Address) -> Vec<Range> {
        P::preload(&address_in(address)).into_iter().map(range_out).collect()
    }

    fn actor(&self, address: &Address, rows: Vec<RangeRows>) -> Self::Actor {
        let rows: Vec<_> = rows.into_iter().map(rows_in).collect();
        RefCell::new(P::load(&address_in(address), &rows))
    }

    fn turn(&self, actor: &Self::Actor, input: TurnInput) -> Result<Outcome, Fault> {
        let supplied = Supplied(input.supplied.into_iter().map(rows_in).collect());
        let (catalog, settings) = (self.catalog.borrow(), self.settings.borrow());
        assert_eq!(catalog.version, input.catalog, "a turn must decide by the catalog that it was told of");
        let turn = Turn {
            now: Millis(input.now),
            entropy: Entropy(u128::from(input.entropy.0) << 64 | u128::from(input.entropy.1)),
            catalog: &catalog,
            settings: &settings,
            supplied: &supplied,
        };
        match actor.borrow_mut().as_mut() {
            Ok(part) => part.turn(&turn, message(input.message)).map(outcome).map_err(fault),
            Err(cause) => Err(fault(cause.clone())),
        }
    }
}

impl Desk for EventApi {
    type Exchange = RefCell<engine::http::Exchange>;

    fn request_limits(&self) -> RequestLimits {
        RequestLimits { body_bytes_max: u64::MAX, body_time_ms_max: u64::MAX }
    }

    fn refuse(&self, code: &str) -> Response {
        response(engine::http::refuse(code))
    }

    fn exchange(&self, now: u64, entropy: (u64, u64), catalog: u64, request: Request) -> Self::Exchange {
        let entropy = Entropy(u128::from(entropy.0) << 64 | u128::from(entropy.1));
        let Request { method, path, query, headers, body } = request;
        let request = engine::http::Request { method, path, query, headers, body };
        let (held, settings) = (self.catalog.borrow(), self.settings.borrow());
        assert_eq!(held.version, catalog);
        RefCell::new(engine::http::Exchange::new(Millis(now), entropy, &held, &settings, request))
    }

    fn start(&self, exchange: &Self::Exchange) -> Progress {
        progress(exchange.borrow_mut().start())
    }

    fn resume(&self, exchange: &Self::Exchange, now: u64, answers: Vec<Answer>) -> Progress {
        let answers = answers.into_iter().map(|answer| {
            answer.map_err(|failure| match failure {
                AskFailure::Fault(why) => engine::http::AskFailure::Fault(why),
                AskFailure::TimedOut => engine::http::AskFailure::TimedOut,
                AskFailure::Overloaded => engine::http::AskFailure::Overloaded,
            })
        });
        progress(exchange.borrow_mut().resume(Millis(now), answers.collect()))
    }
}

const KINDS: [(Kind, ActorKind); 7] = [
    (Kind::Catalog, ActorKind::Catalog),
    (Kind::Stream, ActorKind::Stream),
    (Kind::History, ActorKind::History),
    (Kind::Gate, ActorKind::Gate),
    (Kind::Waits, ActorKind::Waits),
    (Kind::Cron, ActorKind::Cron),
    (Kind::Run, ActorKind::Run),
];

fn address_in(given: &Address) -> turn::Address {
    let kind = KINDS.iter().find(|(kind, _)| *kind == given.kind).unwrap().1;
    turn::Address { kind, key: given.key.clone() }
}

fn address_out(made: turn::Address) -> Address {
    let kind = KINDS.iter().find(|(_, kind)| *kind == made.kind).unwrap().0;
    Address { kind, key: made.key }
}

fn range_in(given: Range) -> turn::Range {
    turn::Range { start: given.start, end: given.end, limit: given.limit, descending: given.descending }
}

fn range_out(made: turn::Range) -> Range {
    Range { start: made.start, end: made.end, limit: made.limit, descending: made.descending }
}

fn rows_in(given: RangeRows) -> (turn::Range, Vec<turn::Row>) {
    let rows = given.rows.into_iter().map(|Row { key, value }| turn::Row { key, value });
    (range_in(given.range), rows.collect())
}

fn message(given: Message) -> turn::Message {
    match given {
        Message::Tell(body) => turn::Message::Tell(body),
        Message::Ask(token, body) => turn::Message::Ask { token, body },
        Message::Answered(outcome) => turn::Message::Answered(turn::CallOutcome {
            id: outcome.id,
            answer: match outcome.answer {
                Ok(said) => Ok(turn::AppAnswer { status: said.status, headers: said.headers, body: said.body }),
                Err(CallFailure::Unreachable(why)) => Err(turn::CallFailure::Unreachable(why)),
                Err(CallFailure::TimedOut(why)) => Err(turn::CallFailure::TimedOut(why)),
                Err(CallFailure::TooLarge(why)) => Err(turn::CallFailure::TooLarge(why)),
                Err(CallFailure::Unreadable(why)) => Err(turn::CallFailure::Unreadable(why)),
                Err(CallFailure::Refused(why)) => Err(turn::CallFailure::Refused(why)),
            },
        }),
        Message::Wake => turn::Message::Wake,
        Message::Resume => turn::Message::Resume,
        Message::Lost(calls) => turn::Message::Lost(calls),
    }
}

fn outcome(made: turn::Outcome) -> Outcome {
    match made {
        turn::Outcome::Needs(ranges) => Outcome::Needs(ranges.into_iter().map(range_out).collect()),
        turn::Outcome::Done(done) => Outcome::Done(Done {
            writes: done.writes.into_iter().map(|write| Write { key: write.key, value: write.value }).collect(),
            effects: done.effects.into_iter().map(effect).collect(),
            wake_at: done.wake_at.map(|at| at.0),
            owing: done.owing,
        }),
    }
}

fn effect(made: turn::Effect) -> Effect {
    match made {
        turn::Effect::Reply { token, body } => Effect::Reply(token, body),
        turn::Effect::Send { to, body } => Effect::Send(address_out(to), body),
        turn::Effect::Call(call) => Effect::Call(AppCall {
            id: call.id,
            kind: match call.kind {
                turn::CallKind::App => CallKind::App,
                turn::CallKind::Fetch => CallKind::Fetch,
                turn::CallKind::FetchPublic => CallKind::FetchPublic,
            },
            method: call.method.into_owned(),
            url: call.url,
            headers: call.headers.into_iter().map(|(name, value)| (name.into_owned(), value)).collect(),
            body: call.body,
            time_ms_max: call.time_max.0,
            answer_bytes_max: call.answer_bytes_max as u64,
            redirects_max: call.redirects_max,
        }),
        turn::Effect::Publish { .. } => Effect::Publish,
        turn::Effect::Install { version, snapshot } => Effect::Install(version, snapshot),
    }
}

fn progress(made: engine::http::Progress) -> Progress {
    match made {
        engine::http::Progress::Respond(made) => Progress::Respond(response(made)),
        engine::http::Progress::Ask { channels, questions } => Progress::Ask {
            channels,
            questions: questions
                .into_iter()
                .map(|question| Question { to: address_out(question.to), body: question.body })
                .collect(),
        },
        engine::http::Progress::Watch(until) => Progress::Watch(until.0),
    }
}

fn response(made: engine::http::Response) -> Response {
    Response { status: made.status, headers: made.headers, body: made.body }
}

fn fault(made: engine::error::Fault) -> Fault {
    Fault { code: "engine_fault".to_owned(), message: made.to_string() }
}
