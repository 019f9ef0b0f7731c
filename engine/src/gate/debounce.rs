//! Only the newest of several events close together (SERVER §2.6).
//!
//! | row | holds |
//! | --- | --- |
//! | `pending` | the newest start so far, and when it goes on |
//! | `seen/<run>` | when a start was shown |

use super::admission::{self, Tell, Turned};
use super::place::Kind;
use super::seen::Seen;
use super::single;
use super::{Heard, Waiting};
use crate::actor::Actor;
use crate::catalog::flow;
use crate::error::Fault;
use crate::ids::{EventId, Millis};
use crate::limits::GATE_SEEN_TIME;
use crate::run::message::Start;
use crate::turn::{Done, Message, Outcome, Range, Row, Turn};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

const PENDING_KEY: &str = "pending";

/// One value of a debounce's key.
#[derive(Debug)]
pub struct Debounce {
    key: String,
    pending: Option<Pending>,
    seen: Seen,
}

/// What is held back.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Pending {
    /// The newest.
    start: Start,
    /// When the first came.
    first_at: Millis,
    /// When it goes on, if nothing comes.
    due: Millis,
}

impl Actor for Debounce {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let (pending, seen) = single::load(PENDING_KEY, rows)?;
        Ok(Self { key: key.to_owned(), pending, seen })
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        let function = super::function_of(turn, &self.key)?;
        let debounce = function.and_then(|function| function.flow.debounce.as_ref());
        let before = self.pending.clone();
        // What is due goes on before anything that comes now can take its place.
        if self.pending.as_ref().is_some_and(|pending| pending.due <= turn.now || debounce.is_none()) {
            self.let_go(turn, &mut done)?;
        }
        match super::heard(message)? {
            Heard::Told(Tell::Start(start)) => self.take(turn, debounce, *start, &mut done)?,
            Heard::Asked { token } => {
                let due = self.pending.as_ref().map(|pending| pending.due);
                let waiting = Waiting { held: usize::from(due.is_some()), next_start_at: due };
                super::reply(token, &waiting, &mut done)?;
            }
            Heard::Told(Tell::Over { .. }) | Heard::Woken => {}
        }
        single::store(PENDING_KEY, before.as_ref(), self.pending.as_ref(), Pending::is, &mut done)?;
        let forget = self.seen.forget(GATE_SEEN_TIME, turn.now, &mut done);
        done.wake_at = forget.into_iter().chain(self.pending.as_ref().map(|pending| pending.due)).min();
        Ok(Outcome::Done(done))
    }
}

impl Debounce {
    fn let_go(&mut self, turn: &Turn<'_>, done: &mut Done) -> Result<(), Fault> {
        let Some(pending) = self.pending.take() else { return Ok(()) };
        let start = Start { admitted_at: Some(turn.now), ..pending.start };
        admission::go_on(turn, start, Kind::Debounce, done)
    }

    fn take(
        &mut self,
        turn: &Turn<'_>,
        debounce: Option<&flow::Debounce>,
        start: Start,
        done: &mut Done,
    ) -> Result<(), Fault> {
        if !self.seen.is_new(start.run, turn.now, done)? {
            return Ok(());
        }
        let Some(debounce) = debounce else { return admission::go_on(turn, start, Kind::Debounce, done) };
        let Some(pending) = self.pending.take() else {
            self.pending = Some(Pending { start, first_at: turn.now, due: due(debounce, turn.now, turn.now) });
            return Ok(());
        };
        // An older event neither takes the place of a newer one, nor holds it back any longer.
        if age(&start) < age(&pending.start) {
            self.pending = Some(pending);
            return admission::turn_away(&start, Turned::Debounced, done);
        }
        admission::turn_away(&pending.start, Turned::Debounced, done)?;
        let due = due(debounce, pending.first_at, turn.now);
        self.pending = Some(Pending { start, first_at: pending.first_at, due });
        Ok(())
    }
}

impl Pending {
    fn is(&self, other: &Self) -> bool {
        self.start.run == other.start.run && self.due == other.due
    }
}

/// Without another event for a period, but no later than the timeout allows.
fn due(debounce: &flow::Debounce, first_at: Millis, now: Millis) -> Millis {
    let quiet = now.plus(debounce.period);
    debounce.timeout.map_or(quiet, |timeout| quiet.min(first_at.plus(timeout)))
}

/// How new an event is: by its own time; of equals, by its id. Not by when its message came.
fn age(start: &Start) -> (Millis, Option<EventId>) {
    let ts = start.events.first().and_then(|event| ts_of(event));
    (ts.unwrap_or(Millis(0)), start.event_ids.first().copied())
}

fn ts_of(event: &RawValue) -> Option<Millis> {
    #[derive(Deserialize)]
    struct Event {
        ts: Millis,
    }
    serde_json::from_str::<Event>(event.get()).ok().map(|event| event.ts)
}

#[cfg(test)]
mod tests;
