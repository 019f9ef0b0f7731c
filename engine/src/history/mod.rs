//! Indexes of runs, for lists: never asked by what runs, always behind by nothing.
//!
//! | row | holds |
//! | --- | --- |
//! | `run/<ULID>/started` | what runs, because of what, since when |
//! | `run/<ULID>/ended` | the same, and how and when it ended |
//! | `cancel/<ULID>` | a bulk cancellation, and how far its runs have been told (see `cancellations.rs`) |
//!
//! Each message has a row of its own and is written without a look at what is there: twice is as good as once, and the order in
//! which they come does not matter.

mod cancellations;
mod list;
pub mod message;
mod row;

use crate::actor::Actor;
use crate::error::{Fault, Refusal};
use crate::turn::{Done, Message, Outcome, Range, Row, Turn};
use cancellations::Cancellations;
use message::{Ask, Tell};
use row::{Ended, Started};
use serde::Serialize;

pub use cancellations::Cancellation;

/// A shard of the history. Keeps nothing hot but the bulk cancellations.
pub struct History {
    cancellations: Cancellations,
}

impl Actor for History {
    fn preload(_key: &str) -> Vec<Range> {
        vec![cancellations::range()]
    }

    fn load(_key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let kept: Vec<Row> = rows.iter().flat_map(|(_, rows)| rows).cloned().collect();
        Ok(Self { cancellations: cancellations::load(&kept)? })
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        match message {
            Message::Tell(body) => match read(&body)? {
                Tell::Started { run, function, event, at } => {
                    self.cancel_latecomer(run, &function, &mut done)?;
                    done.write(row::started_key(run), &Started { function, event, at })?;
                }
                Tell::Ended { run, function, event, started_at, status, at } => {
                    let began = Started { function, event, at: started_at };
                    done.write(row::ended_key(run), &Ended { began, status, at })?;
                }
            },
            Message::Ask { token, body } => match read(&body)? {
                Ask::Runs { limit, before } => match list::runs(turn, token, limit, before)? {
                    Outcome::Done(listed) => done = listed,
                    needs @ Outcome::Needs(_) => return Ok(needs),
                },
                Ask::Cancel(cancellation) => self.cancel(token, cancellation, &mut done)?,
                Ask::Cancellations => {
                    let newest_first: Vec<_> =
                        self.cancellations.values().rev().map(|kept| &kept.cancellation).collect();
                    answer(&mut done, token, &newest_first)?;
                }
                Ask::ForgetCancellation(id) => self.forget_cancellation(token, &id, &mut done)?,
            },
            Message::Wake => {
                if let Some(needs) = self.cancel_on(turn, &mut done)? {
                    return Ok(needs);
                }
            }
            Message::Resume => {}
            Message::Answered(_) | Message::Lost(_) => {
                return Err(Fault::new("message to the history", "it calls no apps"));
            }
        }
        cancellations::apply(&mut self.cancellations, &done.writes)?;
        done.wake_at = cancellations::is_under_way(&self.cancellations).then_some(turn.now);
        Ok(Outcome::Done(done))
    }
}

fn answer(done: &mut Done, token: u64, value: &impl Serialize) -> Result<(), Fault> {
    done.reply(token, &Ok::<_, Refusal>(value))
}

fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|e| Fault::new("message to the history", e))
}

#[cfg(test)]
mod tests;
