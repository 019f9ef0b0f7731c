//! The contract between an actor and whatever shell houses it: what a turn is given and what it answers.

use crate::catalog::Catalog;
use crate::error::{Fault, Refusal};
use crate::ids::{Entropy, EventId, Millis, RunId};
use crate::shard::{Shard, Shards};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What every question is answered with, as JSON: `{"Ok":…}` or `{"Err":…}`.
pub type Answer = Result<Box<RawValue>, Refusal>;

/// The kinds of actors. Each lives in one component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActorKind {
    /// Apps, functions and their versions; one actor.
    Catalog,
    /// Accepted events and their routing; sharded.
    Stream,
    /// Indexes of runs for lists; sharded.
    History,
    /// One flow-control gate.
    Gate,
    /// Waits for one event name and value, or for one signal.
    Waits,
    /// The timers of one function.
    Cron,
    /// One run.
    Run,
}

/// Where an actor lives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// What it is.
    pub kind: ActorKind,
    /// Which one.
    pub key: String,
}

impl Address {
    /// The actor of `kind` that is named `key`.
    pub fn new(kind: ActorKind, key: impl Into<String>) -> Self {
        Self { kind, key: key.into() }
    }

    /// The catalog; there is one.
    #[must_use]
    pub fn catalog() -> Self {
        Self::new(ActorKind::Catalog, "0")
    }

    /// A shard of the stream.
    #[must_use]
    pub fn stream(shard: Shard) -> Self {
        Self::new(ActorKind::Stream, shard.to_string())
    }

    /// The stream that has an event.
    #[must_use]
    pub fn stream_of(shards: Shards, event: EventId) -> Self {
        Self::stream(shards.of_event(event))
    }

    /// Every shard of the stream: what all of them must know.
    pub fn streams(shards: Shards) -> impl Iterator<Item = Self> {
        shards.all().map(Self::stream)
    }

    /// The actor that keeps the waits of a name and value, by the key of their [`crate::waits::place::Place`].
    #[must_use]
    pub fn waits(at: &str) -> Self {
        Self::new(ActorKind::Waits, at)
    }

    /// The schedules of a function.
    #[must_use]
    pub fn cron(function: &crate::ids::FunctionId) -> Self {
        Self::new(ActorKind::Cron, function.as_str())
    }

    /// A gate of a function, by the key of its [`crate::gate::place`].
    #[must_use]
    pub fn gate(at: &str) -> Self {
        Self::new(ActorKind::Gate, at)
    }

    /// The history that lists a run.
    #[must_use]
    pub fn history_of(shards: Shards, run: RunId) -> Self {
        Self::history(shards.of_run(run))
    }

    /// Every shard of the history: a list has runs of each.
    pub fn histories(shards: Shards) -> impl Iterator<Item = Self> {
        shards.all().map(Self::history)
    }

    fn history(shard: Shard) -> Self {
        Self::new(ActorKind::History, shard.to_string())
    }

    /// The actor of a run.
    #[must_use]
    pub fn run(id: RunId) -> Self {
        Self::new(ActorKind::Run, id.to_string())
    }
}

/// A durable row. Keys sort bytewise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Unique within the actor.
    pub key: String,
    /// What the actor wrote.
    pub value: Vec<u8>,
}

/// A row to write; to delete, where there is no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Unique within the actor.
    pub key: String,
    /// The new value.
    pub value: Option<Vec<u8>>,
}

/// Rows with `start <= key < end`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range {
    /// The lowest key.
    pub start: String,
    /// Above the highest key.
    pub end: String,
    /// At most so many rows.
    pub limit: u32,
    /// The highest keys first.
    pub descending: bool,
}

impl Range {
    /// Every row of the actor, up to the most that can be asked for.
    #[must_use]
    pub fn all() -> Self {
        Self { start: String::new(), end: "\u{10ffff}".to_owned(), limit: u32::MAX, descending: false }
    }

    /// The one row with this key, if it is there.
    #[must_use]
    pub fn one(key: &str) -> Self {
        Self { start: key.to_owned(), end: format!("{key}\0"), limit: 1, descending: false }
    }
}

/// The rows that ranges held, as the shell read them for a turn that needed them.
#[derive(Clone, Debug, Default)]
pub struct Supplied(pub Vec<(Range, Vec<Row>)>);

impl Supplied {
    /// The rows of `range`; `None` where the shell has not been asked yet: answer [`Outcome::Needs`].
    #[must_use]
    pub fn get(&self, range: &Range) -> Option<&[Row]> {
        self.0.iter().find(|(held, _)| held == range).map(|(_, rows)| rows.as_slice())
    }
}

/// How the server was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// `start` rather than `dev`: keys are required, and requests without them refused.
    pub cloud: bool,
    /// Signing keys as the user wrote them, the current one first.
    pub signing_keys: Vec<String>,
    /// Accepted event keys; none means any.
    pub event_keys: Vec<String>,
    /// Replaces the back-off table by a constant.
    pub retry_interval: Option<Millis>,
    /// An event that came so long before a wait for it, and since its run began, still ends the wait; none: it comes too late.
    pub wait_look_back: Option<Millis>,
    /// Which runs of schedules are made up for, where no server ran when they should have started.
    pub cron_catch_up: CatchUp,
    /// Shards of the streams and histories.
    pub shards: Shards,
    /// Requests that steps have the server make may go to addresses that are not public, also where this is `start`.
    pub private_addresses: bool,
    /// So many runs of one function may wait to begin; those that come then are skipped. None: any number.
    pub backlog_max: Option<u32>,
    /// So many calls of one app may be under way at once, whatever its functions ask for. None: as many as they ask for, or as the shell bounds them itself.
    pub calls_per_app_max: Option<u32>,
    /// The server's version.
    pub version: String,
}

/// What is made up for of the times of a schedule that were missed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// Nothing.
    None,
    /// The newest time, unless a newer one is on time.
    #[default]
    Last,
    /// Every time.
    All,
}

/// What a turn may look at.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    /// The time.
    pub now: Millis,
    /// Random bits, fresh for this turn.
    pub entropy: Entropy,
    /// The configuration of apps and functions.
    pub catalog: &'a Catalog,
    /// How the server was started.
    pub settings: &'a Settings,
    /// Rows that an earlier try of this turn needed.
    pub supplied: &'a Supplied,
}

/// What a turn is about.
#[derive(Clone, Debug)]
pub enum Message {
    /// From another actor; may come twice.
    Tell(Vec<u8>),
    /// A question of a request, to be answered with the same token.
    Ask {
        /// Goes back in [`Effect::Reply`].
        token: u64,
        /// The question.
        body: Vec<u8>,
    },
    /// What came of a call.
    Answered(CallOutcome),
    /// The wake time has come, or has been earlier.
    Wake,
    /// The shell lost what was in flight: give every effect that is still owed.
    Resume,
    /// These calls count as lost, by their ids; others may be in flight.
    Lost(Vec<String>),
}

/// Whom a call is for: that decides how redirects are followed, and where it may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// A user's app: redirects are sent what the call was, and its query with it (PROTOCOL §6.2).
    App,
    /// Somebody else's server, for a step: redirects as browsers follow them.
    Fetch,
    /// As `Fetch`; but to no address that is not public, whatever name or redirect leads there.
    FetchPublic,
}

/// A call to a user's app, or for a step to somebody else's server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppCall {
    /// Derived from run, unit and attempt.
    pub id: String,
    /// Whom it is for.
    pub kind: CallKind,
    /// In capitals.
    pub method: Cow<'static, str>,
    /// Where to.
    pub url: String,
    /// Names in lower case.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The bytes to send.
    pub body: Vec<u8>,
    /// How long it may take.
    pub time_max: Millis,
    /// How much of an answer is read.
    pub answer_bytes_max: usize,
    /// How many redirects are followed.
    pub redirects_max: u32,
}

/// What an app said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppAnswer {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Decoded.
    pub body: Vec<u8>,
}

/// Why there is no answer; the texts are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallFailure {
    /// No connection, a reset, a TLS failure, a broken answer.
    Unreachable(String),
    /// Longer than the call's time.
    TimedOut(String),
    /// Longer than the call's bytes.
    TooLarge(String),
    /// An unknown content encoding, or too many redirects.
    Unreadable(String),
    /// The call may only go to public addresses, and this one would not.
    Refused(String),
    /// The engine could not take the answer in.
    EngineFault(String),
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOutcome {
    /// The call's id.
    pub id: String,
    /// The answer, or why there is none.
    pub answer: Result<AppAnswer, CallFailure>,
}

/// What a turn wants done in the world, once its rows are durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Answers a question.
    Reply {
        /// The question's token.
        token: u64,
        /// The answer.
        body: Vec<u8>,
    },
    /// A message to another actor.
    Send {
        /// To whom.
        to: Address,
        /// What.
        body: Vec<u8>,
    },
    /// A call to an app.
    Call(AppCall),
    /// News for whoever watches a channel.
    Publish {
        /// The channel.
        channel: String,
        /// The news.
        data: Vec<u8>,
    },
    /// A new catalog, to be installed everywhere before the effects that follow it.
    Install {
        /// Higher than every earlier one.
        version: u64,
        /// For [`Catalog::decode`].
        snapshot: Vec<u8>,
    },
}

/// What a finished turn answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows, in order, all or none.
    pub writes: Vec<Write>,
    /// To be performed once the rows are durable, in order.
    pub effects: Vec<Effect>,
    /// When this actor wants its next wake; replaces what it said before.
    pub wake_at: Option<Millis>,
    /// A call is in flight: after a restart this actor must be resumed.
    pub owing: bool,
}

impl Done {
    /// Writes a row as JSON.
    ///
    /// # Errors
    /// A value that JSON cannot hold.
    pub fn write(&mut self, key: impl Into<String>, value: &impl Serialize) -> Result<(), Fault> {
        let value = serde_json::to_vec(value).map_err(|e| Fault::new("row to write", e))?;
        self.writes.push(Write { key: key.into(), value: Some(value) });
        Ok(())
    }

    /// Deletes a row.
    pub fn delete(&mut self, key: impl Into<String>) {
        self.writes.push(Write { key: key.into(), value: None });
    }

    /// Sends a message to another actor.
    ///
    /// # Errors
    /// A message that JSON cannot hold.
    pub fn send(&mut self, to: Address, message: &impl Serialize) -> Result<(), Fault> {
        let body = serde_json::to_vec(message).map_err(|e| Fault::new("message to send", e))?;
        self.effects.push(Effect::Send { to, body });
        Ok(())
    }

    /// Answers a question.
    ///
    /// # Errors
    /// An answer that JSON cannot hold.
    pub fn reply(&mut self, token: u64, answer: &impl Serialize) -> Result<(), Fault> {
        let body = serde_json::to_vec(answer).map_err(|e| Fault::new("reply", e))?;
        self.effects.push(Effect::Reply { token, body });
        Ok(())
    }
}

/// What a turn answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Decided.
    Done(Done),
    /// Ask again with these rows; nothing was changed.
    Needs(Vec<Range>),
}
