//! Accepted events and what they start.
//!
//! | row | holds |
//! | --- | --- |
//! | `event/<ULID>` | an event, when it was received, and the runs that it started |
//! | `id/<day>/<hash>` | the first event of the day with some user's own id (see `first.rs`) |
//! | `want/<name>` | until when events of that name are waited for (see `interest.rs`) |
//! | `sweep/want` | how far the look for names has come that nobody waits for any more |

mod accept;
#[cfg(test)]
pub(crate) mod driver;
mod first;
mod interest;
mod list;
pub mod message;
mod recent;
mod routing;
mod row;

use crate::actor::Actor;
use crate::error::{Code, Fault, Refusal};
use crate::ids::{EventId, RunId};
use crate::limits::RUNS_PER_EVENT_LISTED_MAX;
use crate::turn::{Done, Message, Outcome, Range, Row, Turn};
use first::Oldest;
use interest::{Interests, Sweep};
use message::{Ask, Tell};
use recent::Recent;
use row::EventRow;
use serde::Serialize;

/// A shard of the event stream. Hot, it knows how old its oldest `id/` row is, which names are waited for, and the ids of the newest
/// events; all else is read when it is needed.
pub struct Stream {
    oldest: Oldest,
    interests: Interests,
    /// The look for names that nobody waits for any more; none where there are no names.
    sweep: Option<Sweep>,
    recent: Recent,
}

impl Actor for Stream {
    fn preload(_key: &str) -> Vec<Range> {
        vec![first::oldest_range(), interest::range(), interest::sweep_range()]
    }

    fn load(_key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let held = |wanted: &Range| rows.iter().find(|(range, _)| range == wanted).map_or(&[][..], |(_, rows)| rows);
        let oldest = held(&first::oldest_range()).first();
        Ok(Self {
            oldest: oldest.map(|row| first::day_of(&row.key)).transpose()?,
            interests: Interests::load(held(&interest::range()))?,
            sweep: Sweep::load(held(&interest::sweep_range()))?,
            recent: Recent::default(),
        })
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        self.recent.begin(turn.now);
        match message {
            Message::Tell(body) => match read(&body)? {
                Tell::System(event) => self.accept(turn, vec![event], None, None),
                Tell::Scheduled { function, event } => self.accept(turn, vec![event], Some(&function), None),
                Tell::Want(want) => self.want(turn, &want),
                Tell::Ran { event, run } => self.ran(turn, event, run),
            },
            Message::Ask { token, body } => match read(&body)? {
                Ask::Accept(events) => self.accept(turn, events, None, Some(token)),
                Ask::Event(id) => self.event(turn, token, id, |row| row.stored(id)),
                Ask::EventRuns(id) => self.event(turn, token, id, |row| row.runs),
                Ask::List { limit, before, name } => self.list(turn, token, limit, before, name.as_deref()),
            },
            Message::Wake => self.sweep(turn),
            // Nothing is ever owed: what an event starts is sent in the turn that stores it.
            Message::Resume => Ok(self.done(Done::default())),
            Message::Answered(_) | Message::Lost(_) => Err(Fault::new("message to the stream", "it calls no apps")),
        }
    }
}

impl Stream {
    /// Answers with something of one stored event.
    fn event<T: Serialize>(
        &self,
        turn: &Turn<'_>,
        token: u64,
        id: EventId,
        tell: impl Fn(EventRow) -> T,
    ) -> Result<Outcome, Fault> {
        let range = Range::one(&row::key(id));
        let Some(rows) = turn.supplied.get(&range) else { return Ok(Outcome::Needs(vec![range])) };
        let mut done = Done::default();
        match rows.first() {
            Some(row) => answer(&mut done, token, &tell(EventRow::decode(row)?))?,
            None => refuse(&mut done, token, Refusal::new(Code::EventUnknown, format!("there is no event {id}")))?,
        }
        Ok(self.done(done))
    }

    /// Lists one more run under its event; what is not stored, or has too many, is left as it is.
    fn ran(&self, turn: &Turn<'_>, event: EventId, run: RunId) -> Result<Outcome, Fault> {
        let key = row::key(event);
        let range = Range::one(&key);
        let Some(rows) = turn.supplied.get(&range) else { return Ok(Outcome::Needs(vec![range])) };
        let mut done = Done::default();
        if let Some(row) = rows.first() {
            let mut row = EventRow::decode(row)?;
            if !row.runs.contains(&run) && row.runs.len() < RUNS_PER_EVENT_LISTED_MAX {
                row.runs.push(run);
                done.write(key, &row)?;
            }
        }
        Ok(self.done(done))
    }

    /// Forgets what has expired: of each kind a bounded number of rows; the next wake goes on.
    fn sweep(&mut self, turn: &Turn<'_>) -> Result<Outcome, Fault> {
        let names = self.sweep.as_ref().and_then(|sweep| sweep.due(turn.now));
        let due = first::due(self.oldest, turn.now).into_iter().chain(names);
        let needs: Vec<_> = due.filter(|range| turn.supplied.get(range).is_none()).collect();
        if !needs.is_empty() {
            return Ok(Outcome::Needs(needs));
        }
        let mut done = Done::default();
        self.forget_ids(turn, &mut done)?;
        self.forget_names(turn, &mut done)?;
        Ok(self.done(done))
    }

    /// Every turn says anew when the actor wants to be woken.
    fn done(&self, mut done: Done) -> Outcome {
        done.wake_at = first::sweep_at(self.oldest).into_iter().chain(self.sweep.as_ref().map(Sweep::at)).min();
        Outcome::Done(done)
    }
}

fn read<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|e| Fault::new("message to the stream", e))
}

fn answer(done: &mut Done, token: u64, value: &impl Serialize) -> Result<(), Fault> {
    done.reply(token, &Ok::<_, Refusal>(value))
}

fn refuse(done: &mut Done, token: u64, refusal: Refusal) -> Result<(), Fault> {
    done.reply(token, &Err::<(), _>(refusal))
}

#[cfg(test)]
mod tests;
