//! What the parts say to each other.

use crate::bytes::Bytes;
use crate::types::{AppCall, CallOutcome};
use serde::{Deserialize, Serialize};

/// A message to an actor of another part.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    /// The actor.
    pub(crate) to: String,
    /// What it is told or asked.
    pub(crate) about: About,
    /// The catalog that the sender knows: nobody decides by an older one who has heard of it.
    pub(crate) catalog: u64,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum About {
    Tell(Bytes),
    Ask(Bytes),
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Delivered {
    /// The answer to a question.
    pub(crate) reply: Option<Bytes>,
    /// Why there was no turn: a code, and words for people.
    pub(crate) fault: Option<(String, String)>,
    /// The state of the actor that the answer is of.
    pub(crate) state: u64,
}

/// A call that the executor makes for an actor of another part; it answers with the outcome, or none where the call counts as lost.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// Whose call it is.
    pub(crate) of: String,
    /// What is called.
    pub(crate) call: AppCall,
    /// When its lease is over.
    pub(crate) until: u64,
}

pub(crate) type Ordered = Option<CallOutcome>;
