//! Indexes of runs, for lists: never asked by what runs, always behind by nothing.
//!
//! | row | holds |
//! | --- | --- |
//! | `run/<ULID>/started` | what runs, because of what, since when |
//! | `run/<ULID>/ended` | how and when it ended |
//!
//! Each message has a row of its own and is written without a look at what is there: twice is as good as once, and the order in
//! which they come does not matter.

mod list;
pub mod message;
mod row;

use crate::actor::Actor;
use crate::error::Fault;
use crate::turn::{Done, Message, Outcome, Range, Row, Turn};
use message::{Ask, Tell};
use row::{Ended, Started};

/// A shard of the history. Keeps nothing hot.
pub struct History;

impl Actor for History {
    fn preload(_key: &str) -> Vec<Range> {
        Vec::new()
    }

    fn load(_key: &str, _rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        Ok(Self)
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        match message {
            Message::Tell(body) => match read(&body)? {
                Tell::Started { run, function, event, at } => {
                    done.write(row::started_key(run), &Started { function, event, at })?;
                }
                Tell::Ended { run, status, at } => done.write(row::ended_key(run), &Ended { status, at })?,
            },
            Message::Ask { token, body } => match read(&body)? {
                Ask::Runs { limit, before } => return list::runs(turn, token, limit, before),
            },
            Message::Wake | Message::Resume => {}
            Message::Answered(_) | Message::Lost(_) => {
                return Err(Fault::new("message to the history", "it calls no apps"));
            }
        }
        Ok(Outcome::Done(done))
    }
}

fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|e| Fault::new("message to the history", e))
}

#[cfg(test)]
mod tests;
