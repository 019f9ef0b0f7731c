//! The end of a run, told to the world: system events and the history (PROTOCOL §4.7, SERVER §1.9).

use super::message::{Returned, Start, Status};
use super::problem::{self, Problem};
use super::state::{End, State};
use super::{defer, invoke, waiting};
use crate::error::{Code, Fault};
use crate::gate::admission;
use crate::history;
use crate::ids::{EventId, FunctionId, Millis, RunId};
use crate::shard::Shards;
use crate::stream::message::{NewEvent, Tell};
use crate::turn::{Address, Done};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// Ended runs that these events started are not announced: they would announce each other for ever.
const SILENCING: &[&str] = &["inngest/function.finished", "inngest/function.failed"];

/// Emits what the end of a run owes. Everything is derived from the state, so saying it twice is saying it once.
///
/// # Errors
/// A state that cannot be written as JSON.
pub fn announce(state: &State, shards: Shards, done: &mut Done) -> Result<(), Fault> {
    let Some(end) = &state.end else { return Ok(()) };
    let run = state.start.run;
    if let Some(event) = state.start.event_ids.first().copied() {
        let (function, started_at) = (state.start.function.clone(), state.started_at);
        let (status, at) = (state.status, end.at);
        let tell = history::message::Tell::Ended { run, function, event, started_at, status, at };
        done.send(Address::history_of(shards, run), &tell)?;
    }
    release_singleton(&state.start, done)?;
    waiting::unwatch(state, done)?;
    // Whoever invoked waits for the run that it started, and not for one that repeats it.
    let invoked = state.start.events.iter().filter(|_| state.start.rerun.is_none());
    for event in invoked {
        invoke::answer(event, Some(run), returned(state)?, done)?;
    }
    defer::start(state, shards, end.at, done)?;
    if state.status == Status::Skipped || SILENCING.contains(&state.start.event_name.as_str()) {
        return Ok(());
    }
    for event in callers(state) {
        emit(state, shards, "inngest/function.finished", Identity::Fresh(event), done)?;
    }
    match state.status {
        Status::Failed => emit(state, shards, "inngest/function.failed", Identity::OfRun, done),
        Status::Cancelled => emit(state, shards, "inngest/function.cancelled", Identity::OfRun, done),
        _ => Ok(()),
    }
}

/// Tells the gate that keeps to one run at a time that this one is over; once more where it begins a run that is over already.
///
/// # Errors
/// None in practice; JSON's in principle.
pub fn release_singleton(start: &Start, done: &mut Done) -> Result<(), Fault> {
    let Some(gate) = &start.singleton else { return Ok(()) };
    done.send(Address::gate(gate), &admission::Tell::Over { run: start.run })
}

/// The places of the events that are told of the end: the first, and whichever else of a batch somebody waits for.
fn callers(state: &State) -> impl Iterator<Item = usize> {
    let events = state.start.events.iter().enumerate();
    events.filter(|(place, event)| *place == 0 || correlation_of(event).is_some()).map(|(place, _)| place)
}

fn correlation_of(event: &RawValue) -> Option<String> {
    invoke::Marker::of(event)?.correlation_id
}

/// The end, as it is told to the run that waits for it.
fn returned(state: &State) -> Result<Returned, Fault> {
    let unwritable = |e| Fault::new("result of an invocation", e);
    match state.end.as_ref().map(|end| &end.result) {
        Some(Ok(output)) => Ok(Returned::Value(output.clone())),
        Some(Err(Some(problem))) => {
            let error = Thrown { error: &problem.name, memo: problem.as_memo() };
            Ok(Returned::Error(to_raw_value(&error).map_err(unwritable)?))
        }
        Some(Err(None)) | None if state.skipped.is_some() => {
            let reason = state.skipped.as_ref().map_or_else(String::new, ToString::to_string);
            let message = format!("The invoked function {} was skipped: {reason}.", state.start.function);
            let problem = Problem::named(Code::RunSkipped, "InvokedFunctionSkipped", message);
            Ok(Returned::Error(to_raw_value(&problem.as_memo()).map_err(unwritable)?))
        }
        Some(Err(None)) | None => {
            let message = format!("The invoked function {} was cancelled.", state.start.function);
            let problem = Problem::named(Code::InvokeCancelled, "InvokedFunctionCancelled", message);
            Ok(Returned::Error(to_raw_value(&problem.as_memo()).map_err(unwritable)?))
        }
    }
}

/// What an event's `id` is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Identity {
    /// The server's own id, for the event at this place of those that started the run.
    Fresh(usize),
    /// The run's id, so that doubles collapse.
    OfRun,
}

#[derive(Serialize)]
struct Event<'a, D> {
    data: D,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'a RawValue>,
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
    correlation_id: Option<String>,
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

fn emit(state: &State, shards: Shards, name: &str, identity: Identity, done: &mut Done) -> Result<(), Fault> {
    let Some(End { at, result: end }) = &state.end else { return Ok(()) };
    let run = state.start.run;
    let place = if let Identity::Fresh(place) = identity { place } else { 0 };
    let told = state.start.events.get(place).map(AsRef::as_ref);
    let cause = if place == 0 { format!("{name}/{run}") } else { format!("{name}/{run}/{place}") };
    let id = EventId::derived_of(run, *at, &cause);
    let problem: Option<&Problem> = end.as_ref().err().and_then(Option::as_ref);
    let data = Data {
        _inngest: Meta { status: state.status },
        correlation_id: told.and_then(correlation_of),
        error: problem.map(|problem| Thrown { error: &problem.name, memo: problem.as_memo() }),
        event: told,
        events: &state.start.events,
        function_id: &state.start.function,
        result: match end {
            Ok(output) => Some(Outcome::Returned(output)),
            Err(_) => problem.map(|problem| Outcome::Threw(problem.as_memo())),
        },
        run_id: run,
    };
    let told_id = if identity == Identity::OfRun { run.to_string() } else { id.to_string() };
    let own = Own { id, told_id, name, at: *at, meta: told.and_then(meta_of) };
    send_event(shards, own, &data, done)
}

/// An event of the server's own making.
pub(super) struct Own<'a> {
    /// Its id, ...
    pub(super) id: EventId,
    /// ... and the one that it tells.
    pub(super) told_id: String,
    pub(super) name: &'a str,
    pub(super) at: Millis,
    /// That of the event which the run was started by: its sessions go on (SERVER §1.9).
    pub(super) meta: Option<&'a RawValue>,
}

/// The `meta` of an event, which has its sessions.
pub(super) fn meta_of(event: &RawValue) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Event<'a> {
        #[serde(borrow)]
        meta: Option<&'a RawValue>,
    }
    serde_json::from_str::<Event<'_>>(event.get()).ok()?.meta
}

/// Sends an event.
pub(super) fn send_event(shards: Shards, own: Own<'_>, data: &impl Serialize, done: &mut Done) -> Result<(), Fault> {
    let Own { id, told_id, name, at, meta } = own;
    let event = Event { data, id: told_id, meta, name, ts: at, user: Empty {} };
    let event = to_raw_value(&event).map_err(|e| Fault::new("system event", e))?;
    let system = NewEvent { id, seeded: true, user_id: None, name: name.to_owned(), ts: at, event };
    done.send(Address::stream_of(shards, id), &Tell::System(system))
}
