//! The row of an event.

use super::message::StoredEvent;
use crate::error::Fault;
use crate::ids::{EventId, FunctionId, Millis, RunId};
use crate::turn::Row;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An event as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct EventRow {
    pub(super) name: String,
    pub(super) received_at: Millis,
    /// The first event with the same user's id, where that is another of the same name: for whoever waits, this is that one once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) same_as: Option<EventId>,
    /// The runs that it started, or would have, had an earlier event with the same user's id not started them.
    pub(super) runs: Vec<RunId>,
    /// Functions that are not started, now or later, because of a fault (SERVER §1.4), and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) failed: Vec<(FunctionId, String)>,
    pub(super) event: Box<RawValue>,
}

/// Where the event is stored; keys sort by the id's time.
pub(super) fn key(id: EventId) -> String {
    format!("event/{id}")
}

/// The event that a key belongs to.
pub(super) fn id(key: &str) -> Result<EventId, Fault> {
    let id = key.strip_prefix("event/").and_then(EventId::parse);
    id.ok_or_else(|| Fault::new("event row", format!("the key {key:?}")))
}

impl EventRow {
    pub(super) fn decode(row: &Row) -> Result<Self, Fault> {
        serde_json::from_slice(&row.value).map_err(|e| Fault::new("event row", e))
    }

    pub(super) fn stored(self, id: EventId) -> StoredEvent {
        StoredEvent { internal_id: id, received_at: self.received_at, failed: self.failed, event: self.event }
    }
}
