//! One run: a journal, and the state that is its fold.

pub mod message;

use crate::actor::Actor;
use crate::error::Fault;
use crate::turn::{Message, Outcome, Range, Row, Turn};

/// A run.
pub struct Run;

impl Actor for Run {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(_key: &str, _rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn turn(&mut self, _turn: &Turn<'_>, _message: Message) -> Result<Outcome, Fault> {
        Err(Fault::new("message", "unknown"))
    }
}
