//! Flow control: what stands between an event and the calls of the run that it starts (SERVER §2).
//!
//! Before a run begins, its start passes the gates of **admission** (`admission.rs` says in which order): [`batch`], [`rate_limit`],
//! [`debounce`], [`singleton`]. Each has an actor per value of its key.
//!
//! Once a run is there, the gate of **slots**, one per function, decides which of its runs may call the app now: all limits of a function are judged
//! together, so that a run never holds the one while it waits for the other. Limits that functions share have a gate per value, which
//! the functions' gates of slots ask.
//!
//! A function without flow control touches no gate.

pub mod admission;
pub mod batch;
#[cfg(test)]
mod bench;
pub mod debounce;
pub mod place;
pub mod rate_limit;
mod seen;
pub mod shared;
mod single;
pub mod singleton;
pub mod slots;
mod written;

use crate::actor::Actor;
use crate::catalog::Function;
use crate::error::Fault;
use crate::ids::Millis;
use crate::turn::{Answer, Done, Message, Outcome, Range, Row, Turn};
use place::Kind;
use serde::{Deserialize, Serialize};

/// A gate; its kind stands in its key.
pub enum Gate {
    /// Gathers events into batches.
    Batch(batch::Batch),
    /// Counts starts.
    RateLimit(Box<rate_limit::RateLimit>),
    /// Holds starts back until it is quiet.
    Debounce(Box<debounce::Debounce>),
    /// Keeps to one run at a time.
    Singleton(Box<singleton::Singleton>),
    /// Which runs of a function may call now.
    Slots(Box<slots::Slots>),
    /// A limit that functions share.
    Shared(shared::Shared),
}

impl Actor for Gate {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        match Kind::of(key) {
            Some(Kind::Batch) => batch::Batch::load(key, rows).map(Self::Batch),
            Some(Kind::RateLimit) => rate_limit::RateLimit::load(key, rows).map(Box::new).map(Self::RateLimit),
            Some(Kind::Debounce) => debounce::Debounce::load(key, rows).map(Box::new).map(Self::Debounce),
            Some(Kind::Singleton) => singleton::Singleton::load(key, rows).map(Box::new).map(Self::Singleton),
            Some(Kind::Slots) => slots::Slots::load(key, rows).map(Box::new).map(Self::Slots),
            Some(Kind::Shared) => shared::Shared::load(key, rows).map(Self::Shared),
            None => Err(Fault::new("address", format!("no gate has the key {key:?}"))),
        }
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        match self {
            Self::Batch(gate) => gate.turn(turn, message),
            Self::RateLimit(gate) => gate.turn(turn, message),
            Self::Debounce(gate) => gate.turn(turn, message),
            Self::Singleton(gate) => gate.turn(turn, message),
            Self::Slots(gate) => gate.turn(turn, message),
            Self::Shared(gate) => gate.turn(turn, message),
        }
    }
}

/// What a request may ask of a gate; the answer is a [`crate::turn::Answer`].
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// What waits here: a gate of admission answers [`Waiting`], that of slots its [`slots::message::Overview`].
    Flow,
}

/// What waits at a gate of admission.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// So many starts.
    pub held: usize,
    /// When they go on if nothing comes; or, where starts are counted and there is room for none, when there is again.
    pub next_start_at: Option<Millis>,
}

/// The function of a gate of admission, as it is registered now.
fn function_of<'t>(turn: &Turn<'t>, key: &str) -> Result<Option<&'t Function>, Fault> {
    let function = place::function_of(key).ok_or_else(|| Fault::new("address", format!("the key {key:?}")))?;
    Ok(turn.catalog.function(&function))
}

/// What comes to a gate of admission.
enum Heard {
    Told(admission::Tell),
    /// What waits there.
    Asked {
        token: u64,
    },
    Woken,
}

fn heard(message: Message) -> Result<Heard, Fault> {
    let unreadable = |error| Fault::new("message to a gate", error);
    match message {
        Message::Tell(body) => serde_json::from_slice(&body).map(Heard::Told).map_err(unreadable),
        Message::Ask { token, body } => {
            let Ask::Flow = serde_json::from_slice(&body).map_err(unreadable)?;
            Ok(Heard::Asked { token })
        }
        // Nothing is ever owed: what a turn decides is sent in that turn.
        Message::Wake | Message::Resume => Ok(Heard::Woken),
        Message::Answered(_) | Message::Lost(_) => Err(Fault::new("message to a gate", "it calls no apps")),
    }
}

fn reply(token: u64, told: &impl Serialize, done: &mut Done) -> Result<(), Fault> {
    let told = serde_json::value::to_raw_value(told).map_err(|error| Fault::new("answer of a gate", error))?;
    done.reply(token, &Answer::Ok(told))
}
