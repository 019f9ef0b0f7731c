//! Accepted events and what they start.

pub mod message;

use crate::actor::Actor;
use crate::error::Fault;
use crate::turn::{Message, Outcome, Range, Row, Turn};

/// A shard of the event stream.
pub struct Stream;

impl Actor for Stream {
    fn preload(_key: &str) -> Vec<Range> {
        Vec::new()
    }

    fn load(_key: &str, _rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn turn(&mut self, _turn: &Turn<'_>, _message: Message) -> Result<Outcome, Fault> {
        Err(Fault::new("message", "unknown"))
    }
}
