//! What waits are told, and what they are asked.

use super::place::Route;
use crate::ids::{EventId, Millis, RunId, StepId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::fmt;

/// From a run or a stream; any of them may come twice, late or out of order.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// A run waits for an event from now on.
    Register(Register),
    /// A run waits for a signal from now on.
    Hold(Hold),
    /// A run waits no longer: it has what it waited for, timed out, or is over.
    Remove(WaitId),
    /// An event was accepted that may concern somebody here.
    Arrived(Arrived),
}

/// From a request; the answer is a [`crate::turn::Answer`].
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// A signal was sent. Answers `{"run_id"}` of the run that gets it, or `signal_unknown`.
    Signal {
        /// Its name.
        signal: String,
        /// What came with it.
        data: Box<RawValue>,
    },
}

/// Which wait.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WaitId {
    /// Whose.
    pub run: RunId,
    /// What of the run waits.
    pub waiter: Waiter,
}

/// What of a run waits: a run waits once per step, and once per event that cancels it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Waiter {
    /// A step.
    Step(StepId),
    /// The run itself: its n-th cancellation, from 0.
    Cancel(usize),
}

impl fmt::Display for WaitId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.waiter {
            Waiter::Step(step) => write!(out, "{}/step/{step}", self.run),
            Waiter::Cancel(place) => write!(out, "{}/cancel/{place}", self.run),
        }
    }
}

/// A wait for an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Register {
    /// Which.
    pub wait: WaitId,
    /// The event's exact name.
    pub event: String,
    /// How events of that name find this wait.
    pub route: Route,
    /// From when on events count.
    pub since: Since,
    /// From when on they no longer do. The run's own timer decides the timeout.
    pub expires_at: Millis,
    /// `if`, compiled by the run already; none matches every event of the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// `event` in the expression: as much as it needs of what triggered the run.
    pub own: Box<RawValue>,
    /// Events that count no longer, whenever they came: those that started the run, or ended a wait of it before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken: Vec<EventId>,
}

/// The first moment that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// Events that were received before this do not count.
    pub at: Millis,
    /// Of those received in this very millisecond, only those with a greater id count: the order within one request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<EventId>,
}

impl Since {
    /// Whether an event that was received then counts.
    #[must_use]
    pub fn counts(&self, received_at: Millis, id: EventId) -> bool {
        received_at > self.at || received_at == self.at && self.after.is_none_or(|after| id > after)
    }
}

/// A wait for a signal.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hold {
    /// Which.
    pub wait: WaitId,
    /// The signal's name.
    pub signal: String,
    /// When the run began to wait: who is first is decided by that, since messages may overtake each other.
    #[serde(default)]
    pub since: Millis,
    /// When it is no longer wanted.
    pub expires_at: Millis,
    /// Takes over from whoever waits; without it that is a conflict, and the run that comes second fails.
    pub replace: bool,
}

/// An event that may be waited for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Arrived {
    /// Its id.
    pub id: EventId,
    /// When it was accepted.
    pub received_at: Millis,
    /// The whole event as SDKs are sent it; `async` in expressions.
    pub event: Box<RawValue>,
    /// The one wait that has not heard of it yet; none: all that are here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<WaitId>,
}
