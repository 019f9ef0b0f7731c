//! What a start passes before its run begins (SERVER §2.0).
//!
//! ```text
//! stream → batch → rate limit → debounce → singleton → run
//! ```
//!
//! Each stage that its function asks for is a gate, one per value of its key. A start goes from one to the next as a message, and a
//! function that asks for none of them has its runs started by the stream itself. Which stage comes next is decided where the start
//! is, by the configuration of that moment: what a gate holds back goes on by what its function says when it is let go.
//!
//! A start that ends on its way is answered to whoever invoked it (`Turned`); nobody waits for a run that will never be.
//!
//! Any message may come twice. A gate remembers for a while which starts it has been shown (`seen.rs`), and what it decided then was
//! sent in that same turn: the second time changes nothing.

use super::place::{self, Kind};
use crate::catalog::{Flow, Function, Pause};
use crate::cron;
use crate::error::{Code, Fault};
use crate::expression::{self, Bindings, Scope};
use crate::ids::{Millis, RunId};
use crate::run::invoke;
use crate::run::message::{Returned, Skip, Start, Tell as ToRun};
use crate::run::problem::Problem;
use crate::turn::{Address, Done, Turn};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a gate of admission is told.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// A start has come.
    Start(Box<Start>),
    /// A run is over; only a singleton's gate hears of it.
    Over {
        /// Which.
        run: RunId,
    },
}

/// The stages, in order.
const STAGES: [Kind; 4] = [Kind::Batch, Kind::RateLimit, Kind::Debounce, Kind::Singleton];

/// Shows a start to the first of all stages that its function asks for, or begins its run.
///
/// # Errors
/// None in practice; JSON's in principle.
pub fn enter(turn: &Turn<'_>, function: &Function, start: Start, done: &mut Done) -> Result<(), Fault> {
    to_first_of(&STAGES, turn, function, start, done)
}

/// Starts a run that repeats another: what was asked for by hand is not held back, but there is still one of a singleton.
///
/// # Errors
/// As [`enter`].
pub fn enter_again(turn: &Turn<'_>, function: &Function, start: Start, done: &mut Done) -> Result<(), Fault> {
    to_first_of(&[Kind::Singleton], turn, function, start, done)
}

/// Lets a start go on behind the stage `passed`, by what its function says now.
///
/// # Errors
/// As [`enter`].
pub fn go_on(turn: &Turn<'_>, start: Start, passed: Kind, done: &mut Done) -> Result<(), Fault> {
    let live = turn.catalog.function(&start.function).filter(|function| !function.archived);
    let Some(function) = live else { return turn_away(&start, Turned::Gone, done) };
    let behind = STAGES.iter().position(|stage| *stage == passed).map_or(0, |place| place.saturating_add(1));
    to_first_of(STAGES.get(behind..).unwrap_or_default(), turn, function, start, done)
}

fn to_first_of(
    stages: &[Kind],
    turn: &Turn<'_>,
    function: &Function,
    start: Start,
    done: &mut Done,
) -> Result<(), Fault> {
    let next = stages.iter().find_map(|stage| Some((*stage, value_at(*stage, function, &start, turn.now)?)));
    match next {
        Some((stage, value)) => {
            done.send(Address::gate(&place::key(stage, &function.id, &value)), &Tell::Start(Box::new(start)))
        }
        None => begin(function, start, done),
    }
}

/// Tells the run to begin; or, where its function takes no new ones, that it was skipped.
pub(super) fn begin(function: &Function, mut start: Start, done: &mut Done) -> Result<(), Fault> {
    start.skip = start.skip.or_else(|| skip_of(function));
    done.send(Address::run(start.run), &ToRun::Start(start))
}

/// Why the function takes no new runs, if so.
pub(super) fn skip_of(function: &Function) -> Option<Skip> {
    match function.paused? {
        Pause::Keep => None,
        Pause::Skip => Some(Skip::Paused),
        Pause::Drain => Some(Skip::Draining),
    }
}

/// By which value a start is set apart at a stage; `None` where it passes by.
fn value_at(stage: Kind, function: &Function, start: &Start, now: Millis) -> Option<String> {
    let event: &RawValue = start.events.first()?;
    let key = key_at(stage, &function.flow)?;
    let value = || if key.is_empty() { Some(String::new()) } else { key_of(key, event, now) };
    match stage {
        Kind::Batch => {
            let is_gathered = !start.is_batch && start.event_name != cron::SCHEDULED;
            let condition = function.flow.batch.as_ref()?.condition.as_deref();
            // What has no key, or `false`, is gathered with its like.
            (is_gathered && holds(condition, event, now)).then(|| value().unwrap_or_default())
        }
        // A batch is no event: nothing limits how many come.
        Kind::RateLimit if start.is_batch => None,
        Kind::RateLimit | Kind::Singleton => value(),
        Kind::Debounce => Some(value().unwrap_or_default()),
        Kind::Slots | Kind::Shared => None,
    }
}

/// The stages that a function asks for, in order, each with the expression that sets starts apart there; it is empty where nothing does.
pub fn stages_of(flow: &Flow) -> impl Iterator<Item = (Kind, &str)> {
    STAGES.into_iter().filter_map(|stage| Some((stage, key_at(stage, flow)?)))
}

fn key_at(stage: Kind, flow: &Flow) -> Option<&str> {
    let key = match stage {
        Kind::Batch => &flow.batch.as_ref()?.key,
        Kind::RateLimit if flow.idempotency.is_some() => &flow.idempotency,
        Kind::RateLimit => &flow.rate_limit.as_ref()?.key,
        Kind::Debounce => &flow.debounce.as_ref()?.key,
        Kind::Singleton => &flow.singleton.as_ref()?.key,
        Kind::Slots | Kind::Shared => return None,
    };
    Some(key.as_deref().unwrap_or_default())
}

fn holds(condition: Option<&str>, event: &RawValue, now: Millis) -> bool {
    let Some(source) = condition.filter(|source| !source.trim().is_empty()) else { return true };
    let bindings = Bindings { event, incoming: None, now };
    expression::compiled(source, Scope::Trigger).is_ok_and(|condition| condition.holds(&bindings) == Ok(true))
}

/// What a key expression comes to for an event; `None` where it comes to nothing, or to `false`.
#[must_use]
pub fn key_of(source: &str, event: &RawValue, now: Millis) -> Option<String> {
    let bindings = Bindings { event, incoming: None, now };
    expression::compiled(source, Scope::Trigger).ok()?.key(&bindings)
}

/// Why a start came to no run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turned {
    /// Too many have come before it.
    RateLimited,
    /// One with the same idempotency key has come before it.
    Repeated,
    /// A newer event has taken its place.
    Debounced,
    /// The function is no longer registered.
    Gone,
}

/// Answers whoever invoked what does not begin.
///
/// # Errors
/// As [`enter`].
pub fn turn_away(start: &Start, why: Turned, done: &mut Done) -> Result<(), Fault> {
    // Whoever invoked waits for the run that a rerun repeats.
    if start.rerun.is_some() {
        return Ok(());
    }
    let id = &start.function;
    let problem = match why {
        Turned::RateLimited => {
            let message = format!("The invoked function {id} did not start: its rate limit was reached.");
            Problem::named(Code::RateLimited, "InvokedFunctionRateLimited", message)
        }
        Turned::Repeated => {
            let message = format!(
                "The invoked function {id} did not start: a run with this idempotency key was started within a day."
            );
            Problem::named(Code::RateLimited, "InvokedFunctionRateLimited", message)
        }
        Turned::Debounced => {
            let message = format!(
                "The invoked function {id} did not start: a newer event took the place of this one (debounce)."
            );
            Problem::named(Code::Debounced, "InvokedFunctionDebounced", message)
        }
        Turned::Gone => {
            let message = format!("The function {id} is not registered with this server.");
            Problem::found(Code::FunctionGone, message)
        }
    };
    let error =
        serde_json::value::to_raw_value(&problem.as_memo()).map_err(|e| Fault::new("answer to an invoker", e))?;
    start.events.iter().try_for_each(|event| invoke::answer(event, None, Returned::Error(error.clone()), done))
}

#[cfg(test)]
mod tests;
