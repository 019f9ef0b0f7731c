//! Several events in one run (SERVER §2.7).
//!
//! A batch is complete when it has as many events as its function asks for, when it has so many bytes that another might be too
//! much, or when its time is over.
//!
//! | row | holds |
//! | --- | --- |
//! | `event/<run>` | the start that one event of the batch asked for, and which of them it is |
//! | `seen/<run>` | when a start was shown |

use super::admission::{self, Tell};
use super::place::Kind;
use super::seen::Seen;
use super::{Heard, Waiting};
use crate::actor::Actor;
use crate::catalog::flow;
use crate::error::Fault;
use crate::ids::{Millis, RunId};
use crate::limits::{BATCH_BYTES_MAX, GATE_SEEN_TIME};
use crate::run::message::Start;
use crate::stream;
use crate::turn::{Address, Done, Message, Outcome, Range, Row, Turn};
use serde::{Deserialize, Serialize};

/// One value of a batch's key.
#[derive(Debug)]
pub struct Batch {
    key: String,
    /// In the order in which they came.
    gathered: Vec<Gathered>,
    seen: Seen,
}

/// One of a batch.
#[derive(Debug, Serialize, Deserialize)]
struct Gathered {
    number: u32,
    at: Millis,
    start: Start,
}

impl Actor for Batch {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let mut gate = Self { key: key.to_owned(), gathered: Vec::new(), seen: Seen::new("seen") };
        for row in rows.iter().flat_map(|(_, rows)| rows) {
            if row.key.starts_with("event/") {
                gate.gathered.push(serde_json::from_slice(&row.value).map_err(|e| Fault::new("row of a gate", e))?);
            } else if !gate.seen.fold(row)? {
                return Err(Fault::new("row of a gate", format!("the key {:?}", row.key)));
            }
        }
        gate.gathered.sort_by_key(|gathered| gathered.number);
        Ok(gate)
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        let function = super::function_of(turn, &self.key)?;
        let batch = function.and_then(|function| function.flow.batch.as_ref());
        if self.due(batch).is_some_and(|due| due <= turn.now) {
            self.let_go(turn, &mut done)?;
        }
        match super::heard(message)? {
            Heard::Told(Tell::Start(start)) => self.take(turn, batch, *start, &mut done)?,
            Heard::Asked { token } => {
                let waiting = Waiting { held: self.gathered.len(), next_start_at: self.due(batch) };
                super::reply(token, &waiting, &mut done)?;
            }
            Heard::Told(Tell::Over { .. }) | Heard::Woken => {}
        }
        let forget = self.seen.forget(GATE_SEEN_TIME, turn.now, &mut done);
        done.wake_at = forget.into_iter().chain(self.due(batch)).min();
        Ok(Outcome::Done(done))
    }
}

impl Batch {
    /// When what there is goes on in any case; at once where nothing is gathered any more.
    fn due(&self, batch: Option<&flow::Batch>) -> Option<Millis> {
        let first = self.gathered.first()?;
        Some(batch.map_or(Millis(0), |batch| first.at.plus(batch.timeout)))
    }

    fn take(
        &mut self,
        turn: &Turn<'_>,
        batch: Option<&flow::Batch>,
        start: Start,
        done: &mut Done,
    ) -> Result<(), Fault> {
        if !self.seen.is_new(start.run, turn.now, done)? {
            return Ok(());
        }
        let Some(batch) = batch else { return admission::go_on(turn, start, Kind::Batch, done) };
        if self.bytes().saturating_add(bytes(&start)) > BATCH_BYTES_MAX {
            self.let_go(turn, done)?;
        }
        let number = self.gathered.last().map_or(0, |last| last.number.saturating_add(1));
        let gathered = Gathered { number, at: turn.now, start };
        done.write(event_key(gathered.start.run), &gathered)?;
        self.gathered.push(gathered);
        let is_full = u32::try_from(self.gathered.len()).is_ok_and(|count| count >= batch.events_max);
        if is_full { self.let_go(turn, done) } else { Ok(()) }
    }

    /// All events go on as one start, under the id of the run that the first would have had to itself.
    fn let_go(&mut self, turn: &Turn<'_>, done: &mut Done) -> Result<(), Fault> {
        let gathered = std::mem::take(&mut self.gathered);
        for one in &gathered {
            // One that came in this turn is not there to be deleted.
            let key = event_key(one.start.run);
            let before = done.writes.len();
            done.writes.retain(|write| write.key != key);
            if done.writes.len() == before {
                done.delete(key);
            }
        }
        let mut starts = gathered.into_iter().map(|gathered| gathered.start);
        let Some(mut whole) = starts.next() else { return Ok(()) };
        whole.is_batch = true;
        for start in starts {
            if let Some(event) = start.event_ids.first().copied() {
                let tell = stream::message::Tell::Ran { event, run: whole.run };
                done.send(Address::stream_of(turn.settings.shards, event), &tell)?;
            }
            whole.event_ids.extend(start.event_ids);
            whole.events.extend(start.events);
            // None of them before its time.
            whole.not_before = whole.not_before.max(start.not_before);
        }
        admission::go_on(turn, whole, Kind::Batch, done)
    }

    fn bytes(&self) -> usize {
        self.gathered.iter().map(|gathered| bytes(&gathered.start)).fold(0, usize::saturating_add)
    }
}

fn bytes(start: &Start) -> usize {
    start.events.iter().map(|event| event.get().len()).fold(0, usize::saturating_add)
}

fn event_key(run: RunId) -> String {
    format!("event/{run}")
}

#[cfg(test)]
mod tests;
