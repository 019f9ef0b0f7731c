//! The journal of a run: one entry per transition, from which everything else is folded.

use super::cancel::Canceller;
use super::defer::Deferral;
use super::errand::Errand;
use super::message::{Returned, Skip, Start};
use super::problem::Problem;
use super::unit::UnitId;
use crate::ids::{EventId, Millis, RunId, StepId};
use crate::waits::place::Place;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The key of the `number`-th row, from 0: keys sort by time (law 5).
#[must_use]
pub fn key(number: u32) -> String {
    format!("{number:08}")
}

/// One row of the journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// When it was decided.
    pub at_ms: Millis,
    /// What.
    pub entry: Entry,
}

/// A transition. Externally tagged, which is what lets payloads stay raw.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Entry {
    /// The run exists.
    Started(Start),
    /// A run that had to wait for its first call makes it now.
    Began {},
    /// The app answered a call, or the call failed.
    Answered(Answered),
    /// The app saved steps in mid-request (PROTOCOL §7.12).
    Checkpointed(Checkpointed),
    /// What a step waited for has come.
    Resumed {
        /// The step.
        step: StepId,
        /// What came.
        by: Arrival,
    },
    /// The time of these steps is over, in this order: they slept, or what they waited for has not come.
    Woken {
        /// Their step ids.
        steps: Vec<StepId>,
    },
    /// A crash hid what became of these calls; they are sent again under a new generation.
    Redispatched {
        /// The units.
        units: Vec<UnitId>,
    },
    /// Somebody stopped the run.
    Cancelled {
        /// Who; not told in journals of the first versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Canceller>,
    },
    /// The run is not to begin.
    Skipped {
        /// Why.
        reason: Skip,
    },
    /// The server itself gave the run up.
    GivenUp {
        /// Why.
        problem: Problem,
    },
}

/// What an answer came to.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Answered {
    /// The unit that was tried.
    pub unit: UnitId,
    /// Which dispatch of it.
    pub generation: u32,
    /// Which attempt.
    pub attempt: u32,
    /// The SDK's execution version, from the first answer with ops on (PROTOCOL §3.7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<i32>,
    /// What the answer said of steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Record>,
    /// What follows.
    pub then: Then,
}

impl Answered {
    /// The step that threw, where it will be tried again.
    #[must_use]
    pub const fn thrown(&self) -> Option<&Thrown> {
        match &self.then {
            Then::Retry { step, .. } => step.as_ref(),
            _ => None,
        }
    }
}

/// What an app saved in mid-request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpointed {
    /// The unit whose request is still running.
    pub unit: UnitId,
    /// Which dispatch of it.
    pub generation: u32,
    /// The steps that were new.
    pub steps: Vec<Record>,
}

/// What follows an answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Then {
    /// The unit is done; what comes next follows from the steps.
    Proceed,
    /// The app has only deferred functions, and came no further: the same call is made again. This is no failed attempt.
    Again {},
    /// The unit failed and is tried again.
    Retry {
        /// The step that threw; none where the function or the transport failed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<Thrown>,
        /// What went wrong.
        problem: Problem,
        /// When.
        retry_at_ms: Millis,
    },
    /// The function returned.
    Complete {
        /// Its value.
        output: Box<RawValue>,
    },
    /// The run failed.
    Fail {
        /// Of what.
        problem: Problem,
    },
}

/// A step that threw and will be tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thrown {
    /// Which.
    pub id: StepId,
    /// For people.
    pub name: String,
}

/// What an answer or a checkpoint says of one step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Which step.
    pub id: StepId,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// It races with others: its end causes a discovery of its own (PROTOCOL §5.6).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub race: bool,
    /// What happened to it.
    pub what: What,
}

impl Record {
    /// Whether it is of a step at all: discoveries and deferrals are the whole function's.
    #[must_use]
    pub const fn is_of_a_step(&self) -> bool {
        !matches!(self.what, What::Discovery | What::Deferred(_))
    }

    /// Whether it says anything besides what is to run once the run is over.
    #[must_use]
    pub const fn is_more_than_deferred(&self) -> bool {
        !matches!(self.what, What::Deferred(_))
    }

    /// Whether the step is over.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        matches!(self.what, What::Ran { .. } | What::Stored { .. } | What::Failed { .. })
    }
}

/// What happened to a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum What {
    /// Its code ran; the memo is `{"data":…}`.
    Ran {
        /// What it returned.
        data: Box<RawValue>,
        /// `step.sendEvent`, say, where it is more than plain code (PROTOCOL §3.5).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<String>,
        /// The SDK's own measurement.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timing: Option<Timing>,
    },
    /// A result in the form in which it is memoized (opcode `Step`).
    Stored {
        /// The memo.
        memo: Box<RawValue>,
    },
    /// Its code threw for good; the memo is `{"error":…}`.
    Failed {
        /// What.
        problem: Problem,
    },
    /// The server makes a request for it.
    Asked {
        /// What it asks, and of whom.
        errand: Box<Errand>,
    },
    /// It was found and waits for a call of its own.
    Planned {},
    /// It sleeps; the memo will be `null`.
    Slept {
        /// Till when.
        until_ms: Millis,
    },
    /// It waits for an event; the memo will be that event, or `null`.
    Waited {
        /// The event's exact name.
        event: String,
        /// What it must be like.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        condition: Option<String>,
        /// Till when.
        until_ms: Millis,
        /// Where the wait is kept.
        place: Place,
    },
    /// It waits for a signal; the memo will be `{"data":{"signal","data"}}`, or `null`.
    AwaitedSignal {
        /// The signal's name.
        signal: String,
        /// Whoever waits for it already is replaced.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        replace: bool,
        /// Till when.
        until_ms: Millis,
    },
    /// It invokes a function; the memo will be `{"data":…}` or `{"error":…}`.
    Invoked {
        /// The function's slug or UUID.
        function: String,
        /// What it gets.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        payload: Option<Box<RawValue>>,
        /// Till when its end is waited for.
        until_ms: Millis,
    },
    /// A function is to run once this run is over, or is not to after all.
    Deferred(Deferral),
    /// The SDK wants to be asked again what is next.
    Discovery,
}

/// What ended a wait.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Arrival {
    /// An event.
    Event {
        /// Its id.
        id: EventId,
        /// When it was accepted.
        received_at: Millis,
        /// The whole event.
        event: Box<RawValue>,
    },
    /// A signal.
    Signal {
        /// Its name.
        signal: String,
        /// What was sent with it.
        data: Box<RawValue>,
    },
    /// The end of the run that was invoked.
    Return {
        /// Which; none where it never began.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        /// How it ended.
        returned: Returned,
    },
}

/// When a step's code ran, by the app's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timing {
    /// Its start.
    pub started_at_ms: Millis,
    /// How long.
    pub took_us: u64,
}
