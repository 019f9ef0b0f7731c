//! What a run wants of its function's gate of slots, and what it gives back (the protocol is in [`crate::gate::slots`]).
//!
//! All of it is memory: a run that is made anew asks again. The gate, whose rows last, hears nothing new of that, and is silent; one that was
//! woken, and may have lost calls before they were made, it tells again.

use super::state::State;
use super::unit::{CallId, Unit, UnitId};
use crate::catalog::Function;
use crate::error::Fault;
use crate::expression::{self, Bindings, Scope, Value};
use crate::gate::admission;
use crate::gate::place::{self, Kind};
use crate::gate::slots::message::{Dispatch, Keys, News, Tell};
use crate::gate::slots::{is_gated, sources};
use crate::ids::Millis;
use crate::limits::PRIORITY_SECONDS_MAX;
use crate::run::message::Status;
use crate::turn::{Address, Done};
use std::collections::{BTreeMap, BTreeSet};

/// What this actor knows of its slots since it was made.
#[derive(Debug, Default)]
pub struct Slots {
    /// Calls that it asked for.
    asked: BTreeSet<CallId>,
    /// Calls that it may make.
    granted: BTreeSet<CallId>,
    /// Calls that may be in flight since before this actor was made.
    inherited: BTreeSet<CallId>,
    /// What this turn gives back.
    released: Vec<Dispatch>,
    /// The run ended in this turn.
    ended: bool,
    /// The app wants no call before this moment.
    not_before: Option<Millis>,
    /// The gate is to tell again what it has told.
    repeats: bool,
}

impl Slots {
    /// Of a run that was read from its rows. One that has not begun has made no call: it would have said so.
    pub fn inherited(state: &State) -> Self {
        if state.status == Status::Scheduled {
            return Self::default();
        }
        let current = state.units.iter().map(|(id, unit)| call(id, unit));
        Self { inherited: current.chain(state.left_behind.iter().cloned()).collect(), ..Self::default() }
    }

    /// Everything in flight is lost: all is to be asked for again.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// The call may be made.
    pub fn may_make(&self, call: &CallId) -> bool {
        self.granted.contains(call)
    }

    /// The gate has let the call go.
    pub fn grant(&mut self, call: CallId) {
        self.granted.insert(call);
    }

    /// The call is over, or not to be made after all.
    pub fn release(&mut self, call: CallId) {
        self.asked.remove(&call);
        self.granted.remove(&call);
        self.inherited.remove(&call);
        self.released.push(Dispatch { unit: call.unit, generation: call.generation });
    }

    /// The run is over.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// The app has too much to do.
    pub fn hold_off(&mut self, until: Millis) {
        self.not_before = self.not_before.max(Some(until));
    }

    /// The call may be in flight since before this actor was made.
    pub fn inherits(&self, call: &CallId) -> bool {
        self.inherited.contains(call)
    }

    /// The call is in flight no longer.
    pub fn land(&mut self, call: &CallId) {
        self.inherited.remove(call);
    }

    /// The call has been asked for, and is not in flight for certain.
    pub fn waits_for(&self, call: &CallId) -> bool {
        self.asked.contains(call) && !self.granted.contains(call) && !self.inherited.contains(call)
    }

    /// The call has been asked for.
    pub fn has_asked(&self, call: &CallId) -> bool {
        self.asked.contains(call)
    }

    /// The gate says that the call waits: so it has been asked for, and is not in flight.
    pub fn wait_for(&mut self, call: &CallId) {
        self.asked.insert(call.clone());
        self.inherited.remove(call);
    }

    /// Whether the call is yet to be asked for; it is, from here on.
    pub fn ask(&mut self, call: &CallId) -> bool {
        self.asked.insert(call.clone())
    }

    /// Whoever woke the run may have had no room for its calls: what is asked for next is told again.
    pub fn be_told_again(&mut self) {
        self.repeats = true;
    }

    /// The call is asked for once more when it is due, and what the gate has told is to be told again then.
    pub fn ask_again(&mut self, call: &CallId) {
        self.asked.remove(call);
        self.repeats = true;
    }

    /// Tells the gate what has changed, if anything. `sent`: calls in flight.
    ///
    /// # Errors
    /// None in practice; JSON's in principle.
    pub fn tell(
        &mut self,
        state: &State,
        function: &Function,
        wanted: Vec<CallId>,
        sent: &BTreeSet<CallId>,
        now: Millis,
        done: &mut Done,
    ) -> Result<(), Fault> {
        let (released, is_over) = (std::mem::take(&mut self.released), std::mem::take(&mut self.ended));
        let not_before = std::mem::take(&mut self.not_before);
        if !is_gated(function) || (released.is_empty() && wanted.is_empty() && !is_over) {
            return Ok(());
        }
        let dispatch = |call: CallId| Dispatch { unit: call.unit, generation: call.generation };
        let mut news = News::of(state.start.run);
        if !wanted.is_empty() {
            news.rank = rank(state, function, now);
            news.is_first = state.status == Status::Scheduled;
            news.keys = keys(function, state, now);
            news.repeats = std::mem::take(&mut self.repeats);
        }
        news.not_before = not_before;
        let in_flight: BTreeSet<&CallId> = sent.iter().chain(&self.inherited).filter(|_| is_over).collect();
        news.in_flight = in_flight.into_iter().cloned().map(dispatch).collect();
        news.wanted = wanted.into_iter().map(dispatch).collect();
        (news.released, news.is_over) = (released, is_over);
        done.send(Address::gate(&place::key(Kind::Slots, &function.id, "")), &Tell::News(news))
    }
}

fn call(id: &UnitId, unit: &Unit) -> CallId {
    CallId { unit: id.clone(), generation: unit.generation }
}

/// The calls that are to be made, or are under way, at this moment: of the app, and those that the server makes for a step.
pub fn due_calls(state: &State, now: Millis) -> Vec<CallId> {
    let due = state.units.iter().filter(|(_, unit)| unit.due <= now);
    due.map(|(id, unit)| call(id, unit)).collect()
}

/// What the key expressions of the function's limits come to; those that come to nothing are empty.
fn keys(function: &Function, state: &State, now: Millis) -> Keys {
    let value = |source: &str| admission::key_of(source, state.trigger(), now).unwrap_or_default();
    sources(function).into_iter().map(|source| (source.to_owned(), value(source))).collect::<BTreeMap<_, _>>()
}

/// The run's place among its function's: its age, and by so many seconds earlier or later as its priority says.
fn rank(state: &State, function: &Function, now: Millis) -> i64 {
    let age = i64::try_from(state.first_due().0).unwrap_or(i64::MAX);
    let priority = function.flow.priority.as_deref().map_or(0, |source| priority(source, state, now));
    age.saturating_sub(priority.saturating_mul(1_000))
}

/// What a priority expression comes to, in whole seconds; 0 for what is no number.
fn priority(source: &str, state: &State, now: Millis) -> i64 {
    let bindings = Bindings { event: state.trigger(), incoming: None, now };
    let Ok(expression) = expression::compiled(source, Scope::Trigger) else { return 0 };
    let seconds = match expression.evaluate(&bindings) {
        Ok(Value::Int(seconds)) => seconds,
        Ok(Value::Uint(seconds)) => i64::try_from(seconds).unwrap_or(i64::MAX),
        Ok(Value::Double(seconds)) => whole(seconds),
        _ => 0,
    };
    seconds.clamp(-PRIORITY_SECONDS_MAX, PRIORITY_SECONDS_MAX)
}

/// JSON knows no other numbers than doubles.
fn whole(seconds: f64) -> i64 {
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation)] // saturates, and makes 0 of what is no number
    let whole = seconds.round() as i64;
    whole
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn a_number_of_json_is_a_priority() {
        for (written, seconds) in [(1.0, 1), (-2.6, -3), (1e300, i64::MAX), (f64::NAN, 0), (0.4, 0)] {
            assert_eq!(whole(written), seconds, "{written}");
        }
    }
}
