//! What an exchange wants next, and how actors' answers are read.

use super::Response;
use crate::error::{Code, Refusal};
use crate::ids::Millis;
use crate::turn::{Address, Answer};

/// A question to an actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whom.
    pub to: Address,
    /// What; each actor's `message::Ask` as JSON.
    pub body: Vec<u8>,
}

/// Why an actor gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskFailure {
    /// It could not decide; the text is for people.
    Fault(String),
    /// It took too long.
    TimedOut,
    /// It has more waiting than it may hold.
    Overloaded,
}

/// What an exchange wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It is over.
    Respond(Response),
    /// Subscribe to the channels, then ask; what is subscribed stays subscribed until the exchange is over.
    Ask {
        /// Beside those of earlier asks.
        channels: Vec<String>,
        /// To be answered all, in order.
        questions: Vec<Question>,
    },
    /// Resume once something was published on a subscribed channel since the last ask, or at this time.
    Watch(Millis),
}

/// Reads an answer; a failure becomes the refusal that stands for it.
pub(super) fn decode(answer: Result<Vec<u8>, AskFailure>) -> Answer {
    match answer {
        Ok(body) => serde_json::from_slice(&body).unwrap_or_else(|e| {
            Err(Refusal::new(Code::EngineFault, format!("an answer inside the server cannot be read: {e}")))
        }),
        Err(AskFailure::Fault(text)) => Err(Refusal::new(
            Code::EngineFault,
            format!("the server could not decide, which is a defect in it; nothing was changed ({text})"),
        )),
        Err(AskFailure::TimedOut) => Err(Refusal::new(
            Code::Overloaded,
            "the server did not decide in time; it may still do what was asked, so ask again with the same ids",
        )),
        Err(AskFailure::Overloaded) => {
            Err(Refusal::new(Code::Overloaded, "the server has more work waiting than it may hold; try again shortly"))
        }
    }
}
