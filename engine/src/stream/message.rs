//! What the stream is told and asked.

use crate::ids::{EventId, FunctionId, Millis, RunId};
use crate::waits::message::{Since, WaitId};
use crate::waits::place::Route;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// From another actor.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// An event of the server's own making (PROTOCOL §4.7).
    System(NewEvent),
    /// The event of a schedule, which starts its one function, whatever else hears of it.
    Scheduled {
        /// Which.
        function: FunctionId,
        /// What it is sent.
        event: NewEvent,
    },
    /// Somebody waits for events of a name.
    Want(Want),
    /// An event has another run than those that it started by itself: one that repeats its run, or that of its batch.
    Ran {
        /// The event.
        event: EventId,
        /// The run.
        run: RunId,
    },
}

/// A wait, as far as a stream must know of it (see [`crate::waits`]).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Want {
    /// The name that is waited for.
    pub event: String,
    /// How such events find the wait.
    pub route: Route,
    /// When it is no longer wanted.
    pub until: Millis,
    /// From when on events count: those that came already are told at once.
    pub since: Since,
    /// Which wait.
    pub asker: WaitId,
    /// The key of the actor that keeps it.
    pub at: String,
}

/// From a request; every answer is a [`crate::turn::Answer`].
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Takes all of them or none. Answers `{"ids":[…]}`, one id per event, in order.
    Accept(Vec<NewEvent>),
    /// Answers the [`StoredEvent`].
    Event(EventId),
    /// Answers the ids of the runs that the event started: `["01…",…]`.
    EventRuns(EventId),
    /// Answers a [`Page`] of events, the newest first.
    List {
        /// At most so many.
        limit: u32,
        /// Only those received before this one.
        before: Option<EventId>,
        /// Only those with this name.
        name: Option<String>,
    },
}

/// An event that has been checked (SERVER §1.1) and has its id, but is not stored yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewEvent {
    /// The server's id: from the seed, or fresh.
    pub id: EventId,
    /// True where the id came from a seed, so that it may have been seen before (PROTOCOL §8.5).
    pub seeded: bool,
    /// The user's own id, if any: the idempotency key.
    pub user_id: Option<String>,
    /// The event's name.
    pub name: String,
    /// The event's own time.
    pub ts: Millis,
    /// The whole event as SDKs are sent it: `{"data","id","meta"?,"name","ts","user","v"?}`, keys sorted, payloads as they came.
    pub event: Box<RawValue>,
}

/// An event as the stream stored it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredEvent {
    /// The server's id.
    pub internal_id: EventId,
    /// When it was accepted.
    pub received_at: Millis,
    /// Functions that the event did not start, and why: a trigger that cannot be evaluated, an invocation of nobody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<(FunctionId, String)>,
    /// The whole event as SDKs are sent it.
    pub event: Box<RawValue>,
}

/// A page of events.
#[derive(Debug, Serialize, Deserialize)]
pub struct Page {
    /// The newest first.
    pub events: Vec<StoredEvent>,
    /// Ask on with this as `before`; `None` at the end. A page may be short, or even empty, and not be the last: it looks at a
    /// bounded number of events.
    pub next: Option<EventId>,
}

impl Page {
    /// The newest of what each shard has told. A shard that has not told all says how far it has looked: what lies beyond the nearest
    /// such place may have newer events of another shard before it, and is left to the next page.
    #[must_use]
    pub fn merged(pages: Vec<Self>, limit: u32) -> Self {
        let next = pages.iter().filter_map(|page| page.next).max();
        let mut events: Vec<_> = pages.into_iter().flat_map(|page| page.events).collect();
        events.sort_by_key(|event| std::cmp::Reverse(event.internal_id));
        events.retain(|event| next.is_none_or(|next| event.internal_id >= next));
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let is_cut = events.len() > limit;
        events.truncate(limit);
        let next = if is_cut { events.last().map(|event| event.internal_id) } else { next };
        Self { events, next }
    }
}
