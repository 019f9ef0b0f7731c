//! What the home says to the engine and hears from it, in the words of `wit/`; the shells translate between these and the
//! generated types. All times are milliseconds since the Unix epoch.

use serde::{Deserialize, Serialize};

/// A kind of actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Apps and functions.
    Catalog,
    /// Accepted events.
    Stream,
    /// Indexes of runs.
    History,
    /// A flow-control gate.
    Gate,
    /// Waits for events.
    Waits,
    /// Schedules.
    Cron,
    /// A run.
    Run,
}

/// A part of the engine: a component of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// Houses `catalog`, `stream` and `history`.
    EventApi,
    /// Houses `gate`, `waits` and `cron`.
    Scheduler,
    /// Houses `run`, and makes every call.
    Executor,
}

impl Kind {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Catalog, "catalog"),
        (Self::Stream, "stream"),
        (Self::History, "history"),
        (Self::Gate, "gate"),
        (Self::Waits, "waits"),
        (Self::Cron, "cron"),
        (Self::Run, "run"),
    ];

    /// As it is written in names.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// Where it lives.
    #[must_use]
    pub const fn part(self) -> Part {
        match self {
            Self::Catalog | Self::Stream | Self::History => Part::EventApi,
            Self::Gate | Self::Waits | Self::Cron => Part::Scheduler,
            Self::Run => Part::Executor,
        }
    }
}

impl Part {
    /// As it is written in keys.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventApi => "event-api",
            Self::Scheduler => "scheduler",
            Self::Executor => "executor",
        }
    }
}

/// Where an actor lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub key: String,
}

impl Address {
    /// `kind/key`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.kind.as_str(), self.key)
    }

    /// The reverse of [`Address::name`].
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        let (kind, key) = name.split_once('/')?;
        let (kind, _) = Kind::ALL.into_iter().find(|(_, spelt)| *spelt == kind)?;
        Some(Self { kind, key: key.to_owned() })
    }
}

/// A durable row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Unique within the actor; sorts bytewise.
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
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// The rows that a range held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RangeRows {
    /// What was asked for.
    pub range: Range,
    /// In the order asked for.
    pub rows: Vec<Row>,
}

/// What is made up for of the times of a schedule that were missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// Nothing.
    None,
    /// The newest.
    Last,
    /// Every one.
    All,
}

/// How the server was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Keys are required.
    pub is_cloud: bool,
    /// The current one first.
    pub signing_keys: Vec<String>,
    /// None: any is accepted.
    pub event_keys: Vec<String>,
    /// Replaces the back-off table.
    pub retry_interval_ms: Option<u64>,
    /// An event that came so long before a wait for it still ends the wait.
    pub wait_look_back_ms: Option<u64>,
    /// Which runs of schedules are made up for.
    pub cron_catch_up: CatchUp,
    /// Shards of streams and histories.
    pub shards: u32,
    /// Requests that steps have the server make may go to addresses that are not public.
    pub private_addresses: bool,
    /// So many runs of one function may wait to begin; those that come then are skipped.
    pub backlog_max: Option<u32>,
    /// So many calls of one app may be under way at once, whichever instances make them.
    pub calls_per_app_max: Option<u32>,
    /// The version that the server tells.
    pub version: String,
}

/// Names and values; names in lower case.
pub type Headers = Vec<(String, String)>;

/// Whom a call is for: that decides how redirects are followed, and where it may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallKind {
    /// A user's app.
    App,
    /// Somebody else's server, for a step.
    Fetch,
    /// The same, but to no address that is not public.
    FetchPublic,
}

/// A call to a user's app, or for a step to somebody else's server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppCall {
    /// Derived from run, unit and attempt.
    pub id: String,
    /// Whom it is for.
    pub kind: CallKind,
    /// In capitals.
    pub method: String,
    /// Where to.
    pub url: String,
    /// What goes along.
    pub headers: Headers,
    /// The bytes to send.
    pub body: Vec<u8>,
    /// How long it may take.
    pub time_ms_max: u64,
    /// How much of an answer is read.
    pub answer_bytes_max: u64,
    /// How many redirects are followed.
    pub redirects_max: u32,
}

/// What an app said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppAnswer {
    /// The HTTP status.
    pub status: u16,
    /// What came along.
    pub headers: Headers,
    /// Decoded.
    pub body: Vec<u8>,
}

/// Why there is no answer; the texts are for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallFailure {
    /// No connection, a reset, a TLS failure, a broken answer.
    Unreachable(String),
    /// Longer than the call's time.
    TimedOut(String),
    /// Longer than the call's bytes.
    TooLarge(String),
    /// An unknown content encoding, or too many redirects.
    Unreadable(String),
    /// It may only go to public addresses, and this one would not.
    Refused(String),
}

/// What came of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallOutcome {
    /// The call's id.
    pub id: String,
    /// The answer, or why there is none.
    pub answer: Result<AppAnswer, CallFailure>,
}

/// What a turn is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// From another actor.
    Tell(Vec<u8>),
    /// A question, and the token of its answer.
    Ask(u64, Vec<u8>),
    /// What came of a call.
    Answered(CallOutcome),
    /// The wake time has come.
    Wake,
    /// What was in flight is lost.
    Resume,
    /// These calls count as lost.
    Lost(Vec<String>),
}

/// What a turn is given.
#[derive(Clone, Debug)]
pub struct TurnInput {
    /// The time.
    pub now: u64,
    /// 128 random bits.
    pub entropy: (u64, u64),
    /// The catalog to decide by; it has been installed.
    pub catalog: u64,
    /// What it is about.
    pub message: Message,
    /// Rows that it asked for.
    pub supplied: Vec<RangeRows>,
}

/// What a turn wants done in the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Answers the question with this token.
    Reply(u64, Vec<u8>),
    /// A message to another actor.
    Send(Address, Vec<u8>),
    /// A call to an app.
    Call(AppCall),
    /// News for whoever watches.
    Publish,
    /// A new catalog.
    Install(u64, Vec<u8>),
}

/// What a finished turn answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Rows, in order, all or none.
    pub writes: Vec<Write>,
    /// To be performed once the rows are durable.
    pub effects: Vec<Effect>,
    /// When this actor wants its next wake.
    pub wake_at: Option<u64>,
    /// Calls are in flight.
    pub owing: bool,
}

/// What a turn answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Decided.
    Done(Done),
    /// To be asked again with these rows.
    Needs(Vec<Range>),
}

/// What the engine refuses in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable.
    pub code: String,
    /// For people.
    pub message: String,
}

/// A request, as the engine reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// As it came.
    pub method: String,
    /// Percent-encoded.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// What came along.
    pub headers: Headers,
    /// Whole.
    pub body: Vec<u8>,
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// What goes along.
    pub headers: Headers,
    /// Whole.
    pub body: Vec<u8>,
}

/// Whom a request asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// An actor.
    pub to: Address,
    /// What.
    pub body: Vec<u8>,
}

/// Why an actor gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskFailure {
    /// It failed.
    Fault(String),
    /// It took too long.
    TimedOut,
    /// There is too much to do.
    Overloaded,
}

/// What an actor said to a question.
pub type Answer = Result<Vec<u8>, AskFailure>;

/// What a request wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is answered.
    Respond(Response),
    /// These are to be asked, and the channels to be watched from before that.
    Ask {
        /// Each named for the actor that publishes in it.
        channels: Vec<String>,
        /// In order.
        questions: Vec<Question>,
    },
    /// News on a channel, or this time, is to be waited for.
    Watch(u64),
}

/// What is enforced while a request is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Its body.
    pub body_bytes_max: u64,
    /// How long the body may take to come.
    pub body_time_ms_max: u64,
}
