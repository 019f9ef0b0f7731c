//! Runs that wait: for an event, for an event that cancels them, for a signal.
//!
//! One actor per event name and value: a wait with a term `async.data.x == v` is kept where events with that name and that
//! value are told ([`place`]), so that an event meets those whom it may concern and nobody else, however many wait. Waits
//! without such a term are spread over some shards. A signal's waiter has an actor of its own (`signal.rs`).
//!
//! # The protocol
//!
//! Three parties: the **run**, whose journal says what it waits for and what ended a wait; the **waits** here, an index of
//! what runs wait for; the **streams**, which accept events and know which names are waited for at all, and by which routes.
//! A message that was sent arrives, but late, twice, or after a later one.
//!
//! ```text
//! run      journal: waits (durable)
//! run    → waits    Register             a wait that is known already stays as it is
//! waits  → streams  Want                 from now on, events of this name take this route
//! streams→ waits    Arrived (only: it)   events since the wait began that its stream has accepted by now
//! waits  → run      Registered
//! ...
//! stream → waits    Arrived              at each event with a route here
//! waits  → run      Resumed              for each wait that the event fulfils; the wait is deleted in the same turn
//! run      journal: resumed (durable)    unless the wait is over: the first of event, timeout and end that it records counts
//! run    → waits    Remove               whatever ended the wait
//! ```
//!
//! - *An event comes while the registration travels.* It was accepted before the stream had processed `Want`, or after. Before:
//!   the stream finds it when it looks back, from the moment at which the run recorded the wait. After: the stream tells of it,
//!   and the wait is here, since it was written before `Want` was sent. Both may happen: a wait that is gone takes no notice.
//! - *A removal overtakes the registration, or a registration comes again after it.* The wait is written, and stays until the run
//!   hears `Registered`: a run that does not wait (any more) answers `Remove`. Until then an event may resume it, which the run
//!   ignores. So a removal need not be remembered. For a signal it means that, where messages come twice, its sender may for that
//!   moment be told of a run that waits no longer, as if it had sent before; and another waiter may find the place taken.
//! - *An event is told twice.* The wait is gone after the first; the run takes one event per step, and one step per row.
//! - *Event against timeout.* The run's timer and `Resumed` meet in the run's journal, where whichever is recorded first counts.
//!   Here an expired wait matches nothing; it is deleted when the run, timing out, says so.
//! - *One event, many waits.* All are resumed; beyond [`WAITS_PER_TURN_MAX`] the event is kept in a row with the place that was
//!   reached, and the next wake goes on from there.
//! - *A crash between any two effects.* Each turn's rows and messages are one: what was not sent is sent again.
//!
//! Nothing here has a timer, so a parked wait costs one row and no memory.

pub mod message;
pub mod place;
mod signal;

use crate::actor::Actor;
use crate::error::Fault;
use crate::expression::{self, Bindings, Scope};
use crate::ids::EventId;
use crate::limits::WAITS_PER_TURN_MAX;
use crate::run::message::Tell as ToRun;
use crate::stream::message::{Tell as ToStream, Want};
use crate::turn::{Address, Done, Message, Outcome, Range, Row, Turn, Write};
use message::{Arrived, Ask, Register, Tell, WaitId, Waiter};
use place::row_key;
use serde::{Deserialize, Serialize};
use signal::Signal;
use std::collections::BTreeMap;
use std::ops::Bound;

/// The waits of one name and value; or those for one signal.
#[derive(Debug, Default)]
pub struct Waits {
    /// This actor's key.
    key: String,
    /// By row key.
    waits: BTreeMap<String, Register>,
    /// Events that not all waits have been shown yet.
    passing: BTreeMap<String, Passing>,
    signal: Signal,
}

/// A row: an event with more waits than one turn looks at.
#[derive(Debug, Serialize, Deserialize)]
struct Passing {
    arrived: Arrived,
    /// The last wait that has been shown it.
    after: String,
}

impl Actor for Waits {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let mut waits = Self { key: key.to_owned(), ..Self::default() };
        for row in rows.iter().flat_map(|(_, rows)| rows) {
            waits.fold(&row.key, Some(&row.value))?;
        }
        Ok(waits)
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        let unreadable = |error| Fault::new("message to waits", error);
        match message {
            Message::Tell(body) => match serde_json::from_slice(&body).map_err(unreadable)? {
                Tell::Register(register) => self.register(turn, register, &mut done)?,
                Tell::Hold(hold) => self.signal.hold(turn, &self.key, hold, &mut done)?,
                Tell::Remove(wait) => self.remove(&wait, &mut done),
                Tell::Arrived(arrived) => self.arrived(turn, arrived, &mut done)?,
            },
            Message::Ask { token, body } => match serde_json::from_slice(&body).map_err(unreadable)? {
                Ask::Signal { signal, data } => self.signal.send(turn, token, &signal, data, &mut done)?,
            },
            Message::Wake => self.pass_on(turn, &mut done)?,
            // Nothing is ever owed: what an event resumes is sent in the turn that deletes the wait.
            Message::Resume => {}
            Message::Answered(_) | Message::Lost(_) => return Err(Fault::new("message to waits", "they call no apps")),
        }
        for Write { key, value } in &done.writes {
            self.fold(key, value.as_deref())?;
        }
        done.wake_at = (!self.passing.is_empty()).then_some(turn.now);
        Ok(Outcome::Done(done))
    }
}

impl Waits {
    /// Takes in one row: the only way that this actor changes.
    fn fold(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), Fault> {
        match key.split_once('/') {
            Some(("wait", _)) => fold_into(&mut self.waits, key, value),
            Some(("passing", _)) => fold_into(&mut self.passing, key, value),
            Some(("signal", _)) => self.signal.fold(key, value),
            _ => Err(Fault::new("row of waits", format!("the key {key:?}"))),
        }
    }

    fn register(&self, turn: &Turn<'_>, register: Register, done: &mut Done) -> Result<(), Fault> {
        let key = row_key(&register.wait);
        if self.waits.contains_key(&key) {
            return Ok(());
        }
        for stream in Address::streams(turn.settings.shards) {
            let want = Want {
                event: register.event.clone(),
                route: register.route.clone(),
                until: register.expires_at,
                since: register.since,
                asker: register.wait.clone(),
                at: self.key.clone(),
            };
            done.send(stream, &ToStream::Want(want))?;
        }
        let WaitId { run, waiter } = register.wait.clone();
        done.send(Address::run(run), &ToRun::Registered { waiter, at: self.key.clone() })?;
        done.write(key, &register)
    }

    fn remove(&self, wait: &WaitId, done: &mut Done) {
        let key = row_key(wait);
        if self.waits.contains_key(&key) {
            done.delete(key);
        }
        self.signal.remove(wait, done);
    }

    fn arrived(&self, turn: &Turn<'_>, arrived: Arrived, done: &mut Done) -> Result<(), Fault> {
        if let Some(only) = &arrived.only {
            let key = row_key(only);
            return self.waits.get(&key).map_or(Ok(()), |register| show(turn, &key, register, &arrived, done));
        }
        let passing = Passing { arrived, after: String::new() };
        self.show_all(turn, &passing_key(passing.arrived.id), passing, done)
    }

    fn pass_on(&self, turn: &Turn<'_>, done: &mut Done) -> Result<(), Fault> {
        let Some((key, Passing { arrived, after })) = self.passing.first_key_value() else { return Ok(()) };
        let passing = Passing { arrived: arrived.clone(), after: after.clone() };
        self.show_all(turn, key, passing, done)
    }

    /// Shows an event to the waits behind the place that was reached; a bounded number of them.
    fn show_all(&self, turn: &Turn<'_>, key: &str, mut passing: Passing, done: &mut Done) -> Result<(), Fault> {
        let mut room = WAITS_PER_TURN_MAX;
        let reached: (Bound<&str>, Bound<&str>) = (Bound::Excluded(&passing.after), Bound::Unbounded);
        let mut last: Option<&String> = None;
        for (wait, register) in self.waits.range::<str, _>(reached) {
            if room == 0 {
                passing.after = last.cloned().unwrap_or_default();
                return done.write(key, &passing);
            }
            room = room.saturating_sub(1);
            last = Some(wait);
            show(turn, wait, register, &passing.arrived, done)?;
        }
        if self.passing.contains_key(key) {
            done.delete(key);
        }
        Ok(())
    }
}

/// Ends the wait where the event fulfils it.
fn show(turn: &Turn<'_>, key: &str, register: &Register, arrived: &Arrived, done: &mut Done) -> Result<(), Fault> {
    if !register.wants(turn, arrived) {
        return Ok(());
    }
    let to = Address::run(register.wait.run);
    match &register.wait.waiter {
        Waiter::Step(step) => {
            let (step, event) = (step.clone(), arrived.event.clone());
            done.send(to, &ToRun::Resumed { step, id: arrived.id, received_at: arrived.received_at, event })?;
        }
        Waiter::Cancel(_) => done.send(to, &ToRun::CancelledBy { event: arrived.id })?,
    }
    done.delete(key);
    Ok(())
}

impl Register {
    /// Whether the event fulfils the wait. An expression that has no answer does not hold.
    fn wants(&self, turn: &Turn<'_>, arrived: &Arrived) -> bool {
        let is_late = arrived.received_at >= self.expires_at;
        if is_late || !self.since.counts(arrived.received_at, arrived.id) || self.taken.contains(&arrived.id) {
            return false;
        }
        let Some(source) = &self.expression else { return true };
        let bindings = Bindings { event: &self.own, incoming: Some(&arrived.event), now: turn.now };
        expression::compiled(source, Scope::Wait).is_ok_and(|expression| expression.holds(&bindings) == Ok(true))
    }
}

fn fold_into<T: for<'de> Deserialize<'de>>(
    map: &mut BTreeMap<String, T>,
    key: &str,
    value: Option<&[u8]>,
) -> Result<(), Fault> {
    match value {
        Some(value) => {
            let held = serde_json::from_slice(value).map_err(|error| Fault::new("row of waits", error))?;
            map.insert(key.to_owned(), held);
        }
        None => {
            map.remove(key);
        }
    }
    Ok(())
}

fn passing_key(event: EventId) -> String {
    format!("passing/{event}")
}

#[cfg(test)]
mod tests;
