//! The event that starts a run of a schedule (PROTOCOL §4.7).

use super::message::Time;
use crate::error::Fault;
use crate::ids::{EventId, FunctionId, Millis};
use crate::shard::Shards;
use crate::stream::message::{NewEvent, Tell as ToStream};
use crate::turn::{Address, Done};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// Its name.
pub const SCHEDULED: &str = "inngest/scheduled.timer";

/// Sends the event that starts the function for this time.
///
/// Its id is derived from function and time: the same time again, be it of another schedule or after a crash, starts nothing new.
///
/// # Errors
/// None in practice; JSON's in principle.
pub(super) fn start(
    function: &FunctionId,
    shards: Shards,
    schedule: &str,
    time: Time,
    done: &mut Done,
) -> Result<(), Fault> {
    let id = EventId::derived(time.tick, &format!("{SCHEDULED}/{function}"));
    let scheduled_at = text(time.tick);
    let data = Data { cron: schedule, fire_at: text(time.fire), scheduled_at: &scheduled_at };
    let event = Event { data, id: &scheduled_at, name: SCHEDULED, ts: time.fire, user: Empty {} };
    let event = to_raw_value(&event).map_err(|e| Fault::new("scheduled event", e))?;
    let event = NewEvent { id, seeded: true, user_id: None, name: SCHEDULED.to_owned(), ts: time.fire, event };
    done.send(Address::stream_of(shards, id), &ToStream::Scheduled { function: function.clone(), event })
}

/// The schedule by which an event was made; `None` for any other event.
#[must_use]
pub fn schedule_of(event: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Told {
        name: String,
        data: Cron,
    }
    #[derive(Deserialize)]
    struct Cron {
        cron: String,
    }
    let told: Told = serde_json::from_str(event.get()).ok()?;
    (told.name == SCHEDULED).then_some(told.data.cron)
}

/// RFC 3339 in UTC, with milliseconds only where there are any.
fn text(at: Millis) -> String {
    let text = at.rfc3339();
    text.strip_suffix(".000Z").map_or_else(|| text.clone(), |seconds| format!("{seconds}Z"))
}

/// Keys in canonical order.
#[derive(Serialize)]
struct Event<'a> {
    data: Data<'a>,
    id: &'a str,
    name: &'a str,
    ts: Millis,
    user: Empty,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    cron: &'a str,
    fire_at: String,
    scheduled_at: &'a str,
}

#[derive(Serialize)]
struct Empty {}
