//! One function invokes another (PROTOCOL §7.4, §4.7): the event that starts it, and the answer to whoever waits.

use super::message::{Returned, Tell};
use super::pause::{Awaits, Pause};
use super::state::State;
use crate::error::Fault;
use crate::http::{Members, merged_sessions};
use crate::ids::{EventId, Millis, RunId, StepId, uuid_of};
use crate::stream::message::{NewEvent, Tell as ToStream};
use crate::turn::{Address, Done, Turn};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// The event that starts an invoked run.
pub const INVOKED: &str = "inngest/function.invoked";

/// Who waits for an invoked run, and how deep invocations have gone: what the server writes into the event's data.
#[derive(Debug, Default, Deserialize)]
pub struct Marker {
    /// `<run>.<step>` of the invoker; none where a request invoked it.
    #[serde(default)]
    pub correlation_id: Option<String>,
    /// Functions above it.
    #[serde(default)]
    pub depth: u32,
}

impl Marker {
    /// The marker of an event that invoked something; `None` for any other event.
    #[must_use]
    pub fn of(event: &RawValue) -> Option<Self> {
        #[derive(Deserialize)]
        struct Event<'a> {
            #[serde(borrow)]
            name: std::borrow::Cow<'a, str>,
            data: Option<Data>,
        }
        #[derive(Deserialize)]
        struct Data {
            #[serde(rename = "_inngest")]
            marker: Option<Marker>,
        }
        let event: Event<'_> = serde_json::from_str(event.get()).ok()?;
        if event.name == INVOKED { event.data?.marker } else { None }
    }

    /// The run and the step that wait.
    #[must_use]
    pub fn invoker(&self) -> Option<(RunId, StepId)> {
        let (run, step) = self.correlation_id.as_deref()?.split_once('.')?;
        Some((RunId::parse(run)?, step.into()))
    }
}

/// Functions above a run that `event` started.
#[must_use]
pub fn depth_of(event: &RawValue) -> u32 {
    Marker::of(event).map_or(0, |marker| marker.depth)
}

/// Answers whoever invoked a run by `event`, with how it ended. Twice is as good as once.
///
/// # Errors
/// None in practice; JSON's in principle.
pub fn answer(event: &RawValue, run: Option<RunId>, returned: Returned, done: &mut Done) -> Result<(), Fault> {
    let Some((invoker, step)) = Marker::of(event).as_ref().and_then(Marker::invoker) else { return Ok(()) };
    done.send(Address::run(invoker), &Tell::Returned { step, run, returned })
}

/// What the app wants the invoked function to get.
#[derive(Default, Deserialize)]
struct Payload<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user: Option<&'a RawValue>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
    #[serde(default)]
    v: Option<String>,
}

#[derive(Serialize)]
struct Event<'a> {
    data: Members<'a>,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Box<RawValue>>,
    name: &'a str,
    ts: Millis,
    user: &'a RawValue,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<String>,
}

/// Keys in canonical order.
#[derive(Serialize)]
struct Written<'a> {
    correlation_id: String,
    depth: u32,
    expire: Millis,
    fn_id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_app_id: Option<String>,
    source_fn_id: String,
    source_fn_v: u32,
}

/// The id of the event that a step invokes by: derived, so that sending it again starts nothing new.
#[must_use]
pub fn event_id(run: RunId, step: &StepId, at: Millis) -> EventId {
    EventId::derived_of(run, at, &format!("{INVOKED}/{run}/{step}"))
}

/// Sends the event that starts the invoked run.
///
/// # Errors
/// A payload that is no event's: it was checked when it came.
pub fn send(state: &State, turn: &Turn<'_>, step: &StepId, pause: &Pause, done: &mut Done) -> Result<(), Fault> {
    let unreadable = |e: serde_json::Error| Fault::new("invocation", e);
    let Awaits::Return { function, payload, name } = &pause.awaits else { return Ok(()) };
    let run = state.start.run;
    let id = event_id(run, step, pause.since);
    let payload: Payload<'_> = payload
        .as_deref()
        .map(|payload| serde_json::from_str(payload.get()))
        .transpose()
        .map_err(unreadable)?
        .unwrap_or_default();
    let marker = to_raw_value(&Written {
        correlation_id: format!("{run}.{step}"),
        depth: depth_of(state.trigger()).saturating_add(1),
        expire: pause.until,
        fn_id: function,
        name,
        source_app_id: turn.catalog.function(&state.start.function).map(|function| uuid_of(function.app.as_str())),
        source_fn_id: uuid_of(state.start.function.as_str()),
        source_fn_v: state.start.function_version,
    })
    .map_err(unreadable)?;
    let mut data = match payload.data {
        Some(data) => serde_json::from_str::<Members<'_>>(data.get()).map_err(unreadable)?,
        None => Members(Vec::new()),
    };
    data.0.retain(|(key, _)| key != "_inngest");
    data.0.push(("_inngest".to_owned(), &marker));
    let nothing = RawValue::from_string("{}".to_owned()).map_err(unreadable)?;
    let event = Event {
        data,
        id: id.to_string(),
        meta: payload.meta.and_then(|meta| merged_sessions(meta).ok().flatten()),
        name: INVOKED,
        ts: pause.since,
        user: payload.user.unwrap_or(&nothing),
        v: payload.v,
    };
    let event = to_raw_value(&event).map_err(unreadable)?;
    let system = NewEvent { id, seeded: true, user_id: None, name: INVOKED.to_owned(), ts: pause.since, event };
    done.send(Address::stream_of(turn.settings.shards, id), &ToStream::System(system))
}
