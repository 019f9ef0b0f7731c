//! The way of a run from the event that starts it through the gates of its function (SERVER §2.0).

use super::place::{self, Kind};
use crate::catalog::Function;
use crate::error::Fault;
use crate::expression::{self, Bindings, Scope};
use crate::ids::Millis;
use crate::run::message::{Start, Tell as ToRun};
use crate::turn::{Address, Done, Turn};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What every gate of admission is told.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// A run that may begin. A gate recognises it by its run's id, however often it comes.
    Admit(Box<Start>),
    /// A run that this gate let through is over (singletons only).
    Over(crate::ids::RunId),
}

/// The gates of admission, in the order in which they are passed.
const STAGES: [Kind; 4] = [Kind::Batch, Kind::RateLimit, Kind::Debounce, Kind::Singleton];

/// Sends a run on: to the next gate behind `passed` that its function asks for, or, where there is none, to itself.
///
/// # Errors
/// None in practice; JSON's in principle.
pub fn proceed(turn: &Turn<'_>, start: Start, passed: Option<Kind>, done: &mut Done) -> Result<(), Fault> {
    let function = turn.catalog.function(&start.function);
    let rest = STAGES.into_iter().filter(|stage| passed.is_none_or(|passed| *stage > passed));
    let gate =
        function.and_then(|function| rest.into_iter().find_map(|stage| gate_of(stage, function, &start, turn.now)));
    match gate {
        Some(key) => done.send(Address::gate(&key), &Tell::Admit(Box::new(start))),
        None => done.send(Address::run(start.run), &ToRun::Start(start)),
    }
}

/// The key of the gate of this stage, where the run has to pass it.
fn gate_of(stage: Kind, function: &Function, start: &Start, now: Millis) -> Option<String> {
    let event = start.events.first()?;
    let _ = (stage, function, event, now);
    None
}

/// The value of a key expression; `None` where it comes to nothing, or to `false`. Without an expression, the one empty value.
#[must_use]
pub fn key_value(source: Option<&str>, event: &RawValue, now: Millis) -> Option<String> {
    let Some(source) = source.filter(|source| !source.trim().is_empty()) else { return Some(String::new()) };
    let bindings = Bindings { event, incoming: None, now };
    expression::compiled(source, Scope::Trigger).ok()?.key(&bindings)
}

/// The key of a function's gate for the value that its key expression has for this event.
#[must_use]
pub fn keyed(kind: Kind, function: &Function, value: &str) -> String {
    place::key(kind, &function.id, value)
}
