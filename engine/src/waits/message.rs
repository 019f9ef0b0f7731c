//! What the waits on an event name are told, and what they tell a run.

use crate::ids::{EventId, Millis, RunId, StepId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// From a run or the stream; any of them may come twice, late or out of order.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// A run waits from now on.
    Register(Register),
    /// A run waits no longer: it went on, timed out, or is over. Also its receipt for a [`Resumed`].
    Remove(WaitId),
    /// An event of this name was accepted.
    Arrived(Arrived),
}

/// Which wait: a run waits once per step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitId {
    /// The run.
    pub run: RunId,
    /// The step that waits.
    pub step: StepId,
}

/// A wait.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Register {
    /// Which.
    pub wait: WaitId,
    /// When the run recorded it: what arrived before does not match (PROTOCOL §7.3).
    pub recorded_at: Millis,
    /// When it is no longer wanted. The run's own timer decides the timeout; here it is only forgotten.
    pub expires_at: Millis,
    /// `if`, compiled by the run already; none matches every event.
    pub expression: Option<String>,
    /// `event` in the expression: what triggered the run.
    pub trigger: Box<RawValue>,
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
}

/// What a run is told.
#[derive(Debug, Serialize, Deserialize)]
pub enum ToRun {
    /// What a step waited for has come.
    Resumed(Resumed),
}

/// The event that ends a wait. The run answers [`Tell::Remove`], also where the wait is over already.
#[derive(Debug, Serialize, Deserialize)]
pub struct Resumed {
    /// The step that waited.
    pub step: StepId,
    /// The event's id.
    pub event_id: EventId,
    /// The step's result (PROTOCOL §7.3).
    pub event: Box<RawValue>,
}
