//! What the history is told and asked.

use super::Cancellation;
use crate::ids::{EventId, FunctionId, Millis, RunId};
use crate::run::message::Status;
use serde::{Deserialize, Serialize};

/// From a run.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tell {
    /// A run exists.
    Started {
        /// Which.
        run: RunId,
        /// Of what.
        function: FunctionId,
        /// Because of what.
        event: EventId,
        /// Since when.
        at: Millis,
    },
    /// A run is over. This says all that [`Tell::Started`] said: a home may leave that one out where it was not delivered yet.
    Ended {
        /// Which.
        run: RunId,
        /// Of what.
        function: FunctionId,
        /// Because of what.
        event: EventId,
        /// When it began.
        started_at: Millis,
        /// How.
        status: Status,
        /// Since when.
        at: Millis,
    },
}

/// From a request; every answer is a [`crate::turn::Answer`].
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Answers a page of runs, the newest first:
    /// `[{"run_id","function_id" (slug),"event_id","status","started_at_ms","ended_at_ms"?},…]`.
    Runs {
        /// At most so many.
        limit: u32,
        /// Only those before this one.
        before: Option<RunId>,
    },
    /// Stops many runs. Answers the [`Cancellation`] once it is kept; the runs hear of it after that.
    Cancel(Cancellation),
    /// Answers every [`Cancellation`] that is kept, the newest first.
    Cancellations,
    /// Stops no further run because of this one. Answers `null`, or `cancellation_unknown`.
    ForgetCancellation(String),
}
