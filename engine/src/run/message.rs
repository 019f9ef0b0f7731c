//! What a run is told and asked.

use crate::ids::{EventId, FunctionId, Millis, RunId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// From another actor.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// Begin; a run that exists already takes no notice.
    Start(Start),
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
    /// Not before this moment (an event with `ts` in the future).
    pub not_before: Option<Millis>,
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
}

impl Status {
    /// Nothing more will happen.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}
