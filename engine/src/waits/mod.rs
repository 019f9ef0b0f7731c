//! Runs that wait for an event. One actor per event name, which is its key: names are matched exactly.
//!
//! A wait is one row. It is written when the run waits, again with the event that matched it, and deleted when the run
//! has taken that in: so an event that a run has not heard of yet follows from the rows. Between event and timeout the
//! run decides, by its own journal; an expired wait is merely forgotten here.
//!
//! This is the seam of waitForEvent: the opcode registers, the stream announces, the run takes [`message::ToRun`].

pub mod message;

use crate::actor::Actor;
use crate::error::Fault;
use crate::expression::{self, Bindings, Scope};
use crate::ids::Millis;
use crate::turn::{Address, Done, Message, Outcome, Range, Row, Turn, Write};
use message::{Arrived, Register, Resumed, Tell, ToRun, WaitId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The waits on one event name.
#[derive(Debug, Default)]
pub struct Waits {
    /// By row key.
    waits: BTreeMap<String, Wait>,
    /// The same, by when they are forgotten.
    expiries: BTreeSet<(Millis, String)>,
}

/// A row.
#[derive(Debug, Serialize, Deserialize)]
struct Wait {
    register: Register,
    /// The event, once it has come.
    matched: Option<Arrived>,
}

impl Actor for Waits {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(_key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let mut waits = Self::default();
        for row in rows.iter().flat_map(|(_, rows)| rows) {
            waits.fold(&row.key, Some(&row.value))?;
        }
        Ok(waits)
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        match message {
            Message::Tell(body) => {
                match serde_json::from_slice(&body).map_err(|error| Fault::new("message to waits", error))? {
                    Tell::Register(register) => self.register(turn, register, &mut done)?,
                    Tell::Remove(wait) => self.remove(&wait, &mut done),
                    Tell::Arrived(arrived) => self.arrived(turn, &arrived, &mut done)?,
                }
            }
            Message::Wake => self.forget_expired(turn.now, &mut done),
            Message::Resume => {
                for wait in self.waits.values() {
                    wait.resume_run(&mut done)?;
                }
            }
            Message::Ask { .. } | Message::Answered(_) | Message::Lost(_) => {
                return Err(Fault::new("message to waits", "not a tell"));
            }
        }
        for Write { key, value } in &done.writes {
            self.fold(key, value.as_deref())?;
        }
        done.wake_at = self.expiries.first().map(|(at, _)| *at);
        done.owing = self.waits.values().any(|wait| wait.matched.is_some());
        Ok(Outcome::Done(done))
    }
}

impl Waits {
    /// Takes in one row: the only way that this actor changes.
    fn fold(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), Fault> {
        let wait = value.map(serde_json::from_slice::<Wait>).transpose().map_err(|error| Fault::new("wait", error))?;
        let expires_at = wait.as_ref().map(|wait| wait.register.expires_at);
        let replaced = match wait {
            Some(wait) => self.waits.insert(key.to_owned(), wait),
            None => self.waits.remove(key),
        };
        if let Some(replaced) = replaced {
            self.expiries.remove(&(replaced.register.expires_at, key.to_owned()));
        }
        self.expiries.extend(expires_at.map(|at| (at, key.to_owned())));
        Ok(())
    }

    /// A wait that is known already stays as it is: it may have its event by now.
    fn register(&self, turn: &Turn<'_>, register: Register, done: &mut Done) -> Result<(), Fault> {
        let key = row_key(&register.wait);
        if register.expires_at <= turn.now || self.waits.contains_key(&key) {
            return Ok(());
        }
        done.write(key, &Wait { register, matched: None })
    }

    fn remove(&self, wait: &WaitId, done: &mut Done) {
        let key = row_key(wait);
        if self.waits.contains_key(&key) {
            done.delete(key);
        }
    }

    fn arrived(&self, turn: &Turn<'_>, arrived: &Arrived, done: &mut Done) -> Result<(), Fault> {
        for (key, wait) in &self.waits {
            if wait.wants(arrived, turn.now) {
                let wait = Wait { register: wait.register.clone(), matched: Some(arrived.clone()) };
                wait.resume_run(done)?;
                done.write(key, &wait)?;
            }
        }
        Ok(())
    }

    fn forget_expired(&self, now: Millis, done: &mut Done) {
        for (_, key) in self.expiries.iter().take_while(|(at, _)| *at <= now) {
            done.delete(key);
        }
    }
}

impl Wait {
    /// Whether the event ends the wait. An expression that has no answer does not hold.
    fn wants(&self, arrived: &Arrived, now: Millis) -> bool {
        let register = &self.register;
        if self.matched.is_some() || register.expires_at <= now || arrived.received_at < register.recorded_at {
            return false;
        }
        let Some(source) = &register.expression else { return true };
        let bindings = Bindings { event: &register.trigger, incoming: Some(&arrived.event), now };
        expression::compiled(source, Scope::Wait).is_ok_and(|expression| expression.holds(&bindings) == Ok(true))
    }

    /// Tells the run of its event, where it has come.
    fn resume_run(&self, done: &mut Done) -> Result<(), Fault> {
        let Some(matched) = &self.matched else { return Ok(()) };
        let WaitId { run, step } = &self.register.wait;
        let resumed = Resumed { step: step.clone(), event_id: matched.id, event: matched.event.clone() };
        done.send(Address::run(*run), &ToRun::Resumed(resumed))
    }
}

fn row_key(wait: &WaitId) -> String {
    format!("{}/{}", wait.run, wait.step)
}

#[cfg(test)]
mod tests;
