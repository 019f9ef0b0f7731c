//! Which event was the first with some user's own id, for a day (SERVER §2.5).
//!
//! Rows are keyed by the day on which they were written, then by a hash of the id. So a look-up is two point reads, today and
//! yesterday, and what has expired is one range at the front, for which no second index is kept.

use super::Stream;
use crate::error::Fault;
use crate::ids::{EventId, Millis};
use crate::limits::{EVENT_IDEMPOTENCY_TIME, EXPIRED_IDS_PER_TURN_MAX};
use crate::turn::{Done, Range, Row, Turn};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The day of the oldest row, if there is one.
pub(super) type Oldest = Option<u64>;

/// The first event with a user's id.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) struct First {
    pub(super) event: EventId,
    pub(super) at: Millis,
}

impl First {
    pub(super) fn decode(row: &Row) -> Result<Self, Fault> {
        serde_json::from_slice(&row.value).map_err(|e| Fault::new("event id row", e))
    }

    /// Whether it still counts.
    pub(super) fn holds(&self, now: Millis) -> bool {
        now.since(self.at) < EVENT_IDEMPOTENCY_TIME
    }
}

/// The day of a moment, counted from 1970.
pub(super) fn day(at: Millis) -> u64 {
    at.0.checked_div(EVENT_IDEMPOTENCY_TIME.0).unwrap_or(0)
}

/// Where a user's id of that day is stored.
pub(super) fn key(day: u64, user_id: &str) -> String {
    format!("id/{day:08}/{}", hex::encode(Sha256::digest(user_id)))
}

/// The day of a row, from its key.
pub(super) fn day_of(key: &str) -> Result<u64, Fault> {
    let day = key.strip_prefix("id/").and_then(|rest| rest.split_once('/')).and_then(|(day, _)| day.parse().ok());
    day.ok_or_else(|| Fault::new("event id row", format!("the key {key:?}")))
}

/// The oldest row.
pub(super) fn oldest_range() -> Range {
    Range { start: "id/".to_owned(), end: "id0".to_owned(), limit: 1, descending: false }
}

/// When a row of that day has expired for certain: a row of the day's last moment holds until the end of the next day.
pub(super) fn sweep_at(oldest: Oldest) -> Option<Millis> {
    oldest.map(|day| Millis(day.saturating_add(2).saturating_mul(EVENT_IDEMPOTENCY_TIME.0)))
}

/// The rows that are to be looked at now, if any have expired: one more than is forgotten tells what is the oldest then.
pub(super) fn due(oldest: Oldest, now: Millis) -> Option<Range> {
    let range = Range { limit: EXPIRED_IDS_PER_TURN_MAX.saturating_add(1), ..oldest_range() };
    sweep_at(oldest).is_some_and(|at| at <= now).then_some(range)
}

impl Stream {
    /// Forgets a bounded number of expired rows. What it looks at is among what was supplied.
    pub(super) fn forget_ids(&mut self, turn: &Turn<'_>, done: &mut Done) -> Result<(), Fault> {
        let Some(range) = due(self.oldest, turn.now) else { return Ok(()) };
        let rows = turn.supplied.get(&range).unwrap_or_default();
        let mut oldest = None;
        for (row, room) in rows.iter().zip((0..=EXPIRED_IDS_PER_TURN_MAX).rev()) {
            let day = day_of(&row.key)?;
            if room == 0 || sweep_at(Some(day)).is_none_or(|at| at > turn.now) {
                oldest = Some(day);
                break;
            }
            done.delete(row.key.clone());
        }
        self.oldest = oldest;
        Ok(())
    }
}
