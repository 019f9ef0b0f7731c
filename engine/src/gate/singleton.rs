//! One run at a time, of a function or of each value of a key (SERVER §2.8).
//!
//! Who comes while there is one is skipped (mode `skip`), or takes its place (mode `cancel`): then the newcomer begins once the other
//! is over, so that there are never two. Which of two is the newcomer is told by their ids, not by whose message comes first.
//!
//! | row | holds |
//! | --- | --- |
//! | `holder` | the run that there is, and the start that takes its place |
//! | `seen/<run>` | when a start was shown |

use super::admission::{self, Tell};
use super::place::Kind;
use super::seen::Seen;
use super::single;
use super::{Heard, Waiting};
use crate::actor::Actor;
use crate::catalog::Function;
use crate::catalog::flow::SingletonMode;
use crate::error::Fault;
use crate::ids::RunId;
use crate::limits::{GATE_SEEN_TIME, SINGLETON_ASKED_AGAIN_AFTER};
use crate::run::message::{Skip, Start, Tell as ToRun};
use crate::turn::{Address, Done, Message, Outcome, Range, Row, Turn};
use serde::{Deserialize, Serialize};

const HOLDER_KEY: &str = "holder";

/// One value of a singleton's key.
#[derive(Debug)]
pub struct Singleton {
    key: String,
    holder: Option<Holder>,
    seen: Seen,
}

/// The run that there is.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Holder {
    run: RunId,
    /// Waits for it to be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    next: Option<Start>,
}

impl Actor for Singleton {
    fn preload(_key: &str) -> Vec<Range> {
        vec![Range::all()]
    }

    fn load(key: &str, rows: &[(Range, Vec<Row>)]) -> Result<Self, Fault> {
        let (holder, seen) = single::load(HOLDER_KEY, rows)?;
        Ok(Self { key: key.to_owned(), holder, seen })
    }

    fn turn(&mut self, turn: &Turn<'_>, message: Message) -> Result<Outcome, Fault> {
        let mut done = Done::default();
        let before = self.holder.clone();
        match super::heard(message)? {
            Heard::Told(Tell::Start(start)) => self.take(turn, *start, &mut done)?,
            Heard::Told(Tell::Over { run }) => self.over(turn, run, &mut done)?,
            Heard::Asked { token } => {
                let held = usize::from(self.holder.as_ref().is_some_and(|holder| holder.next.is_some()));
                super::reply(token, &Waiting { held, next_start_at: None }, &mut done)?;
                // Or whoever asks often would put off the time at which it is told once more.
                self.displace(&mut done)?;
            }
            // It has been told to end, but what it was told may have come before it was there.
            Heard::Woken => self.displace(&mut done)?,
        }
        single::store(HOLDER_KEY, before.as_ref(), self.holder.as_ref(), Holder::is, &mut done)?;
        let forget = self.seen.forget(GATE_SEEN_TIME, turn.now, &mut done);
        let is_displaced = self.holder.as_ref().is_some_and(|holder| holder.next.is_some());
        let again = is_displaced.then(|| turn.now.plus(SINGLETON_ASKED_AGAIN_AFTER));
        done.wake_at = forget.into_iter().chain(again).min();
        Ok(Outcome::Done(done))
    }
}

impl Singleton {
    fn take(&mut self, turn: &Turn<'_>, start: Start, done: &mut Done) -> Result<(), Fault> {
        if !self.seen.is_new(start.run, turn.now, done)? {
            return Ok(());
        }
        let function = super::function_of(turn, &self.key)?.filter(|function| !function.archived);
        let (Some(function), Some(singleton)) = (function, function.and_then(|f| f.flow.singleton.as_ref())) else {
            return admission::go_on(turn, start, Kind::Singleton, done);
        };
        // Whom its function does not take in the first place is in nobody's way.
        if admission::skip_of(function).is_some() {
            return admission::begin(function, start, done);
        }
        let Some(holder) = self.holder.take() else { return self.begin(function, start, done) };
        let newest = holder.next.as_ref().map_or(holder.run, |next| next.run);
        if singleton.mode == SingletonMode::Skip || start.run < newest {
            let skipped = skipped(start, newest);
            self.holder = Some(holder);
            return admission::begin(function, skipped, done);
        }
        if let Some(next) = holder.next {
            admission::begin(function, skipped(next, start.run), done)?;
        }
        self.holder = Some(Holder { run: holder.run, next: Some(start) });
        self.displace(done)
    }

    fn begin(&mut self, function: &Function, mut start: Start, done: &mut Done) -> Result<(), Fault> {
        self.holder = Some(Holder { run: start.run, next: None });
        start.singleton = Some(self.key.clone());
        admission::begin(function, start, done)
    }

    /// Tells the run that there is to end, where another takes its place.
    fn displace(&self, done: &mut Done) -> Result<(), Fault> {
        let Some(Holder { run, next: Some(next) }) = &self.holder else { return Ok(()) };
        done.send(Address::run(*run), &ToRun::Displaced { by: next.run })
    }

    fn over(&mut self, turn: &Turn<'_>, run: RunId, done: &mut Done) -> Result<(), Fault> {
        let Some(holder) = self.holder.take_if(|holder| holder.run == run) else { return Ok(()) };
        let Some(next) = holder.next else { return Ok(()) };
        let next = Start { admitted_at: Some(turn.now), ..next };
        match super::function_of(turn, &self.key)?.filter(|function| !function.archived) {
            Some(function) => self.begin(function, next, done),
            None => admission::turn_away(&next, admission::Turned::Gone, done),
        }
    }
}

impl Holder {
    fn is(&self, other: &Self) -> bool {
        let next = |holder: &Self| holder.next.as_ref().map(|next| next.run);
        self.run == other.run && next(self) == next(other)
    }
}

fn skipped(start: Start, other: RunId) -> Start {
    Start { skip: Some(Skip::Singleton { run: other }), ..start }
}

#[cfg(test)]
mod tests;
