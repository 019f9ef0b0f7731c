//! What stops a run from outside: events, timeouts, requests (SERVER §2.9, §2.10, §3.7).

use super::message::{Start, Status, Watch};
use super::state::State;
use crate::catalog::Function;
use crate::catalog::flow::CancelUntil;
use crate::expression::{self, Bindings, Scope};
use crate::gate::slots;
use crate::ids::{EventId, Millis, RunId};
use crate::limits::WAIT_TIME_DEFAULT;
use crate::waits::message::Since;
use crate::waits::place::Place;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Who stopped a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Canceller {
    /// Somebody asked for it.
    Request,
    /// An event of the function's `cancelOn`.
    Event(EventId),
    /// A request that stopped many runs; its id.
    Bulk(String),
    /// A newer run, where there is only one at a time.
    Singleton(RunId),
    /// It had not begun in time.
    StartTimeout,
    /// It had not ended in time.
    FinishTimeout,
}

/// The events that cancel a run of `function` which begins now. A batch has no one event to compare with.
#[must_use]
pub fn watches(function: &Function, start: &Start, now: Millis) -> Vec<Watch> {
    let [trigger] = start.events.as_slice() else { return Vec::new() };
    let watch = |cancel: &crate::catalog::flow::Cancel| {
        let until = match cancel.until {
            Some(CancelUntil::After(span)) => now.plus(span),
            Some(CancelUntil::At(at)) => at,
            None => now.plus(WAIT_TIME_DEFAULT),
        };
        let condition = cancel.condition.clone().filter(|source| !source.trim().is_empty());
        let place = place(&cancel.event, start, trigger, condition.as_deref(), now)?;
        (until > now).then(|| Watch { event: cancel.event.clone(), condition, until, place })
    };
    function.flow.cancel.iter().filter_map(watch).collect()
}

fn place(event: &str, start: &Start, trigger: &RawValue, condition: Option<&str>, now: Millis) -> Option<Place> {
    let bindings = Bindings { event: trigger, incoming: None, now };
    // It was compiled when the function was registered.
    let compiled = condition.map(|source| expression::compiled(source, Scope::Wait)).transpose().ok()?;
    Some(Place::of(event, start.run, compiled.as_deref(), &bindings))
}

/// Whether the event that started the run fulfils the condition of a bulk cancellation. What cannot be answered does not hold.
#[must_use]
pub fn fulfils(state: &State, condition: Option<&str>, now: Millis) -> bool {
    let Some(source) = condition else { return true };
    let bindings = Bindings { event: state.trigger(), incoming: None, now };
    expression::compiled(source, Scope::Trigger).is_ok_and(|condition| condition.holds(&bindings) == Ok(true))
}

/// Events after the one that started the run cancel it, also where they came before the run had begun.
#[must_use]
pub fn since(state: &State) -> Since {
    Since { at: state.start.received_at.unwrap_or(state.started_at), after: state.start.event_ids.first().copied() }
}

/// Why the run has no more time, if so, by what its function says at this moment. `is_heard`: the app says something of the run, which so has begun,
/// also where it only says so now.
#[must_use]
pub fn overdue(state: &State, function: &Function, is_heard: bool, now: Millis) -> Option<Canceller> {
    let is_over = |at: Option<Millis>| at.is_some_and(|at| at <= now);
    let finish = || is_over(finish_at(state, function)).then_some(Canceller::FinishTimeout);
    let is_late = !is_heard && is_over(start_at(state, function));
    if is_late { Some(Canceller::StartTimeout) } else { finish() }
}

/// When the run must have ended; none while it waits to begin.
#[must_use]
pub fn finish_at(state: &State, function: &Function) -> Option<Millis> {
    let began_at = state.began_at.unwrap_or_else(|| state.first_due());
    function.flow.timeouts.finish.filter(|_| !waits_to_begin(state, function)).map(|span| began_at.plus(span))
}

/// When a run that waits to begin must have begun. A batch has waited before it was a run.
#[must_use]
pub fn start_at(state: &State, function: &Function) -> Option<Millis> {
    if state.start.is_batch {
        return None;
    }
    let wanted = wanted_at(&state.start).unwrap_or(state.started_at);
    let span = function.flow.timeouts.start.filter(|_| waits_to_begin(state, function))?;
    // One that comes on time just so is not late.
    Some(wanted.plus(span).plus(Millis(1)))
}

/// Since when the run may begin.
fn wanted_at(start: &Start) -> Option<Millis> {
    start.admitted_at.or(start.received_at).max(start.not_before)
}

fn waits_to_begin(state: &State, function: &Function) -> bool {
    state.status == Status::Scheduled && slots::is_gated(function)
}

/// Whether a run that begins now begins too late.
#[must_use]
pub fn began_late(start: &Start, function: &Function, now: Millis) -> bool {
    if start.is_batch {
        return false;
    }
    let (Some(wanted), Some(span)) = (wanted_at(start), function.flow.timeouts.start) else { return false };
    now > wanted.plus(span)
}
