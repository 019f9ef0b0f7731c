//! The end of a run, told to the world: system events and the history (PROTOCOL §4.7, SERVER §1.9).

use super::message::Status;
use super::problem::{self, Problem};
use super::state::State;
use crate::error::Fault;
use crate::history;
use crate::ids::{EventId, FunctionId, Millis, RunId};
use crate::stream::message::{NewEvent, Tell};
use crate::turn::{Address, Done};
use serde::Serialize;
use serde_json::value::RawValue;

/// Ended runs that these events started are not announced: they would announce each other for ever.
const SILENCING: &[&str] = &["inngest/function.finished", "inngest/function.failed"];

/// Emits what the end of a run owes. Everything is derived from the state, so saying it twice is saying it once.
///
/// # Errors
/// A state that cannot be written as JSON.
pub fn announce(state: &State, done: &mut Done) -> Result<(), Fault> {
    let Some(end) = &state.end else { return Ok(()) };
    let run = state.start.run;
    done.send(Address::history(), &history::message::Tell::Ended { run, status: state.status, at: end.at })?;
    if SILENCING.contains(&state.start.event_name.as_str()) {
        return Ok(());
    }
    emit(state, end.at, "inngest/function.finished", Identity::Fresh, done)?;
    match state.status {
        Status::Failed => emit(state, end.at, "inngest/function.failed", Identity::OfRun, done),
        Status::Cancelled => emit(state, end.at, "inngest/function.cancelled", Identity::OfRun, done),
        _ => Ok(()),
    }
}

/// What an event's `id` is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// The server's own id.
    Fresh,
    /// The run's id, so that doubles collapse.
    OfRun,
}

#[derive(Serialize)]
struct Event<'a> {
    data: Data<'a>,
    id: String,
    name: &'a str,
    ts: Millis,
    user: Empty,
}

#[derive(Serialize)]
struct Empty {}

/// Keys in canonical order.
#[derive(Serialize)]
struct Data<'a> {
    _inngest: Meta,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Thrown<'a>>,
    event: Option<&'a RawValue>,
    events: &'a [Box<RawValue>],
    function_id: &'a FunctionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Outcome<'a>>,
    run_id: RunId,
}

#[derive(Serialize)]
struct Meta {
    status: Status,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outcome<'a> {
    Returned(&'a RawValue),
    Threw(problem::Memo<'a>),
}

/// What `onFailure` handlers read: the error with a one-word summary beside it.
#[derive(Serialize)]
struct Thrown<'a> {
    error: &'a str,
    #[serde(flatten)]
    memo: problem::Memo<'a>,
}

fn emit(state: &State, at: Millis, name: &str, identity: Identity, done: &mut Done) -> Result<(), Fault> {
    let run = state.start.run;
    let id = EventId::derived(at, &format!("{name}/{run}"));
    let end = state.end.as_ref().map(|end| &end.result);
    let problem: Option<&Problem> = end.and_then(|result| result.as_ref().err()).and_then(Option::as_ref);
    let event = Event {
        data: Data {
            _inngest: Meta { status: state.status },
            error: problem.map(|problem| Thrown { error: &problem.name, memo: problem.as_memo() }),
            event: state.start.events.first().map(AsRef::as_ref),
            events: &state.start.events,
            function_id: &state.start.function,
            result: match end {
                Some(Ok(output)) => Some(Outcome::Returned(output)),
                _ => problem.map(|problem| Outcome::Threw(problem.as_memo())),
            },
            run_id: run,
        },
        id: if identity == Identity::OfRun { run.to_string() } else { id.to_string() },
        name,
        ts: at,
        user: Empty {},
    };
    let event = serde_json::value::to_raw_value(&event).map_err(|e| Fault::new("system event", e))?;
    let system = NewEvent { id, seeded: true, user_id: None, name: name.to_owned(), ts: at, event };
    done.send(Address::stream(), &Tell::System(system))
}
