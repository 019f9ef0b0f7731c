//! What the world must know of a run that waits: that it does, and that it does no longer (the protocol is in [`crate::waits`]).
//!
//! All of it is derived from the state, so saying it twice is saying it once.

use super::cancel;
use super::pause::{Awaits, Pause};
use super::state::State;
use super::{invoke, message::Watch};
use crate::error::Fault;
use crate::expression::{self, Scope};
use crate::ids::{EventId, Millis, StepId};
use crate::limits::EVENT_IDEMPOTENCY_TIME;
use crate::turn::{Address, Done, Turn};
use crate::waits::message::{Hold, Register, Since, Tell, WaitId, Waiter};
use crate::waits::place::signal_actor_key;
use serde_json::value::RawValue;

/// Says that a step pauses.
///
/// # Errors
/// A state that cannot be written as JSON.
pub fn begin(state: &State, turn: &Turn<'_>, step: &StepId, pause: &Pause, done: &mut Done) -> Result<(), Fault> {
    let wait = of_step(state, step);
    match &pause.awaits {
        Awaits::Nothing => Ok(()),
        Awaits::Return { .. } => invoke::send(state, turn, step, pause, done),
        Awaits::Event { .. } | Awaits::Signal { .. } if pause.is_over_at_once() => Ok(()),
        Awaits::Event { event, condition, place } => {
            let look_back = turn.settings.wait_look_back.unwrap_or_default();
            let at = Millis(pause.since.0.saturating_sub(look_back.0)).max(state.started_at.min(pause.since));
            let register = Register {
                wait,
                event: event.clone(),
                route: place.route.clone(),
                since: Since { at, after: None },
                expires_at: pause.until,
                expression: condition.clone(),
                own: own(state, condition.as_deref()),
                taken: taken(state, pause, at),
            };
            done.send(Address::waits(&place.at), &Tell::Register(register))
        }
        Awaits::Signal { signal, replace } => {
            let hold =
                Hold { wait, signal: signal.clone(), since: pause.since, expires_at: pause.until, replace: *replace };
            done.send(Address::waits(&signal_actor_key(signal)), &Tell::Hold(hold))
        }
    }
}

/// Says that a step pauses no longer.
///
/// # Errors
/// None in practice; JSON's in principle.
pub fn end(state: &State, step: &StepId, pause: &Pause, done: &mut Done) -> Result<(), Fault> {
    if pause.is_over_at_once() {
        return Ok(());
    }
    let at = match &pause.awaits {
        Awaits::Nothing | Awaits::Return { .. } => return Ok(()),
        Awaits::Event { place, .. } => place.at.clone(),
        Awaits::Signal { signal, .. } => signal_actor_key(signal),
    };
    done.send(Address::waits(&at), &Tell::Remove(of_step(state, step)))
}

/// Says which events cancel the run.
///
/// # Errors
/// A state that cannot be written as JSON.
pub fn watch(state: &State, done: &mut Done) -> Result<(), Fault> {
    for (place, watch) in state.start.cancel_on.iter().enumerate() {
        let register = Register {
            wait: of_watch(state, place),
            event: watch.event.clone(),
            route: watch.place.route.clone(),
            since: cancel::since(state),
            expires_at: watch.until,
            expression: watch.condition.clone(),
            own: own(state, watch.condition.as_deref()),
            taken: state.start.event_ids.clone(),
        };
        done.send(Address::waits(&watch.place.at), &Tell::Register(register))?;
    }
    Ok(())
}

/// Says that nothing cancels the run any more.
///
/// # Errors
/// None in practice; JSON's in principle.
pub fn unwatch(state: &State, done: &mut Done) -> Result<(), Fault> {
    for (place, Watch { place: kept, .. }) in state.start.cancel_on.iter().enumerate() {
        done.send(Address::waits(&kept.at), &Tell::Remove(of_watch(state, place)))?;
    }
    Ok(())
}

/// Answers who says that he keeps a wait of this run, at `at`: one that is over is to be removed.
///
/// # Errors
/// None in practice; JSON's in principle.
pub fn registered(state: &State, waiter: Waiter, at: &str, done: &mut Done) -> Result<(), Fault> {
    let is_wanted = !state.status.is_over()
        && match &waiter {
            Waiter::Step(step) => state.pauses.contains_key(step),
            Waiter::Cancel(place) => *place < state.start.cancel_on.len(),
        };
    if is_wanted {
        return Ok(());
    }
    done.send(Address::waits(at), &Tell::Remove(WaitId { run: state.start.run, waiter }))
}

fn of_step(state: &State, step: &StepId) -> WaitId {
    WaitId { run: state.start.run, waiter: Waiter::Step(step.clone()) }
}

fn of_watch(state: &State, place: usize) -> WaitId {
    WaitId { run: state.start.run, waiter: Waiter::Cancel(place) }
}

/// As much of the run's event as the condition needs.
fn own(state: &State, condition: Option<&str>) -> Box<RawValue> {
    let compiled = condition.and_then(|source| expression::compiled(source, Scope::Wait).ok());
    compiled.map_or_else(|| RawValue::NULL.to_owned(), |condition| condition.needed_of(state.trigger()))
}

/// Events that do not end this wait: those that started the run, and those that ended another one before it began and may come since `at`: later
/// ones, and those that are sent again under the same id. What ended one beside it counts, also where the wait is registered once more since.
fn taken(state: &State, pause: &Pause, at: Millis) -> Vec<EventId> {
    let may_come = |received_at: Millis| received_at.plus(EVENT_IDEMPOTENCY_TIME) >= at;
    let before = state.taken.iter().take(pause.taken_before).filter(|(_, at)| may_come(*at)).map(|(id, _)| *id);
    state.start.event_ids.iter().copied().chain(before).collect()
}
