//! Flow control: what stands between an event and the calls of the run that it starts (SERVER §2).
//!
//! The gate of **slots**, one per function, decides which of its runs may call the app now: all limits of a function are judged
//! together, so that a run never holds the one while it waits for the other. Limits that functions share have a gate per value, which
//! the functions' gates of slots ask.
//!
//! A function without flow control touches no gate.

pub mod place;
pub mod shared;
pub mod slots;
mod written;

use crate::actor::Actor;
use crate::error::Fault;
use crate::turn::{Message, Outcome, Range, Row, Turn};
use place::Kind;

/// A gate; its kind stands in its key.
pub enum Gate {
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
            Some(Kind::Slots) => slots::Slots::load(key, rows).map(Box::new).map(Self::Slots),
            Some(Kind::Shared) => shared::Shared::load(key, rows).map(Self::Shared),
            _ => Err(Fault::new("address", format!("no gate has the key {key:?}"))),
        }
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        match self {
            Self::Slots(gate) => gate.turn(turn, message),
            Self::Shared(gate) => gate.turn(turn, message),
        }
    }
}
