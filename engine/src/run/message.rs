//! What a run is told and asked.

use super::problem::Problem;
use super::rerun::{FromStep, Rerun};
use crate::gate::slots::message::Dispatch;
use crate::ids::{EventId, FunctionId, Millis, RunId, StepId};
use crate::waits::message::Waiter;
use crate::waits::place::Place;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

/// From another actor.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// Begin; a run that exists already takes no notice.
    Start(Start),
    /// A wait of this run has been written down. One that is over is answered with its removal.
    Registered {
        /// What waits.
        waiter: Waiter,
        /// The key of the actor that keeps it.
        at: String,
    },
    /// A wait cannot be kept: the run fails.
    Refused {
        /// What waits.
        waiter: Waiter,
        /// Why not.
        problem: Problem,
    },
    /// The event that a step waits for has come.
    Resumed {
        /// The step.
        step: StepId,
        /// The event's id.
        id: EventId,
        /// When it was accepted.
        received_at: Millis,
        /// The whole event, which is the step's result (PROTOCOL §7.3).
        event: Box<RawValue>,
    },
    /// The signal that a step waits for was sent.
    Signalled {
        /// What waits.
        waiter: Waiter,
        /// The signal.
        signal: String,
        /// What was sent with it.
        data: Box<RawValue>,
    },
    /// The run that a step invoked has ended; or it never began.
    Returned {
        /// The step.
        step: StepId,
        /// The invoked run, where there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        /// How it ended.
        returned: Returned,
    },
    /// Somebody stopped many runs, and this one may be among them.
    CancelIf {
        /// The cancellation's id.
        cancellation: String,
        /// What the event that started the run must be like.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        condition: Option<String>,
    },
    /// A call may be made.
    Granted {
        /// Of this run.
        run: RunId,
        /// Which.
        dispatch: Dispatch,
        /// The key of the gate that let it go.
        at: String,
    },
    /// A gate asks whether a slot is still wanted.
    Holds {
        /// By this run.
        run: RunId,
        /// For which call; none: for the run as a whole.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dispatch: Option<Dispatch>,
        /// That call waits: it has no slot yet.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        waits: bool,
        /// The keys of the limits are others: what waits is to be asked for again, with what they come to.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        anew: bool,
        /// The gate's key.
        at: String,
    },
    /// An event that cancels this run has come.
    CancelledBy {
        /// Its id.
        event: EventId,
    },
    /// A newer run takes the place of this one, where there is only one at a time.
    Displaced {
        /// Which.
        by: RunId,
    },
    /// Too many runs wait to begin: this one is not to.
    TurnedAway {
        /// The call that waited no longer than this.
        dispatch: Dispatch,
    },
}

/// Why a run was recorded and never begun (SERVER §2.8, §2.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Skip {
    /// Its function was paused, and was to skip what came meanwhile.
    Paused,
    /// Its function finished what it had, and began nothing new.
    Draining,
    /// As many runs of its function waited to begin as may.
    Backlog,
    /// There was to be only one at a time.
    Singleton {
        /// The run that there was.
        run: RunId,
    },
}

impl fmt::Display for Skip {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Paused => out.write_str("the function is paused"),
            Self::Draining => out.write_str("the function is draining"),
            Self::Backlog => out.write_str("too many runs of the function wait to begin"),
            Self::Singleton { run } => write!(out, "there is one at a time, and the run {run} is there"),
        }
    }
}

/// How an invoked run ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Returned {
    /// With this value.
    Value(Box<RawValue>),
    /// With this error, as SDKs read it.
    Error(Box<RawValue>),
}

/// An event that cancels a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Watch {
    /// Its exact name.
    pub event: String,
    /// What it must be like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// When it ceases to cancel the run.
    pub until: Millis,
    /// Where the wait for it is kept.
    pub place: Place,
}

/// Everything that a run begins with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Start {
    /// Its id, derived from the first event and the function.
    pub run: RunId,
    /// What runs.
    pub function: FunctionId,
    /// The function's version at this moment, for display.
    pub function_version: u32,
    /// The ids of the triggering events, the first first.
    pub event_ids: Vec<EventId>,
    /// The events as SDKs are sent them.
    pub events: Vec<Box<RawValue>>,
    /// The name of the first event.
    pub event_name: String,
    /// When the first event was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Millis>,
    /// When a gate let it go that had held it back: its run is no older.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admitted_at: Option<Millis>,
    /// Not before this moment (an event with `ts` in the future).
    pub not_before: Option<Millis>,
    /// What it repeats, where it is a rerun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun: Option<Rerun>,
    /// The events that cancel the run. The run finds them in its function's configuration, and writes down what it found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancel_on: Vec<Watch>,
    /// It has the events of a batch, which may be one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_batch: bool,
    /// The gate to be told when it is over, where there is only one run at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub singleton: Option<String>,
    /// It is not to begin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip: Option<Skip>,
}

impl Start {
    /// Of a run with no events yet, that repeats nothing, and that nothing stands in the way of.
    #[must_use]
    pub const fn of(run: RunId, function: FunctionId, function_version: u32) -> Self {
        Self {
            run,
            function,
            function_version,
            event_ids: Vec::new(),
            events: Vec::new(),
            event_name: String::new(),
            received_at: None,
            admitted_at: None,
            not_before: None,
            rerun: None,
            cancel_on: Vec::new(),
            is_batch: false,
            singleton: None,
            skip: None,
        }
    }
}

/// From a request; every answer is a [`crate::turn::Answer`]. An unknown run answers `run_unknown`.
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Answers the run object of `GET /v1/runs/{id}` (PROTOCOL §10.3), with `function_slug` besides.
    Summary,
    /// Answers `{"run":<as Summary>,"journal_rows":n,"steps":[…]}`, the run's timeline as people read it (docs of `run::timeline`).
    Timeline,
    /// Answers the journal's entries as they are stored, in order.
    Journal,
    /// Answers `{"<step id>":<memo>,…}` (PROTOCOL §3.8).
    Actions,
    /// Answers the triggering events (PROTOCOL §3.8).
    Batch,
    /// Starts a run that repeats this one. Answers its id.
    Rerun {
        /// The id that the new run gets.
        run: RunId,
        /// Where it begins; none: at the beginning.
        from: Option<FromStep>,
    },
    /// Cancels; answers `null`, also where the run is over already.
    Cancel,
    /// An async checkpoint (PROTOCOL §7.12): the request's body. Answers `null` once it is durable.
    Checkpoint(Box<RawValue>),
}

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Status {
    /// Exists, not called yet.
    Scheduled,
    /// Has been called.
    Running,
    /// Returned.
    Completed,
    /// Gave up.
    Failed,
    /// Was stopped.
    Cancelled,
    /// Was never to begin.
    Skipped,
}

impl Status {
    /// Nothing more will happen.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled | Self::Skipped)
    }
}
