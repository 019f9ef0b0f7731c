//! The newest events, for those who begin to wait: what came since a moment is known without a look at the rows, unless the actor
//! was made since then, or more has come than is remembered.

use super::row;
use crate::error::Fault;
use crate::ids::{EventId, Millis};
use crate::limits::{RECENT_EVENTS_MAX, RECENT_EVENTS_READ_FIRST, RECENT_ID_MARGIN};
use crate::turn::{Range, Turn};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// A memory of what the rows say.
#[derive(Default)]
pub(super) struct Recent {
    events: VecDeque<Event>,
    /// All events since then are here; `None` before the first turn.
    complete_since: Option<Millis>,
}

struct Event {
    id: EventId,
    received_at: Millis,
    name: u64,
}

impl Recent {
    /// To be called before each turn: what was accepted before the first one is not here.
    pub(super) fn begin(&mut self, now: Millis) {
        self.complete_since.get_or_insert(now.plus(Millis(1)));
    }

    pub(super) fn note(&mut self, id: EventId, received_at: Millis, name: &str) {
        self.events.push_back(Event { id, received_at, name: hash(name) });
        if self.events.len() > RECENT_EVENTS_MAX
            && let Some(forgotten) = self.events.pop_front()
        {
            self.complete_since = self.complete_since.max(Some(forgotten.received_at.plus(Millis(1))));
        }
    }

    /// Events that may be called `name` and may have been received at `since` or later, in the order of their ids; or the range
    /// that must be read to know them.
    pub(super) fn since(
        &self,
        turn: &Turn<'_>,
        name: &str,
        since: Millis,
    ) -> Result<Result<Vec<EventId>, Range>, Fault> {
        let lowest = Millis(since.0.saturating_sub(RECENT_ID_MARGIN.0));
        let mut ids: Vec<EventId> = Vec::new();
        if self.complete_since.is_some_and(|complete| complete <= since) {
            let name = hash(name);
            let matching = self.events.iter().filter(|event| event.received_at >= since && event.name == name);
            ids.extend(matching.map(|event| event.id).filter(|id| id.at() >= lowest));
        } else {
            match read(turn, lowest)? {
                Ok(found) => ids.extend(
                    found.into_iter().filter(|(_, row)| row.name == name && row.received_at >= since).map(|(id, _)| id),
                ),
                Err(range) => return Ok(Err(range)),
            }
        }
        ids.sort_unstable();
        Ok(Ok(ids))
    }
}

/// The events with ids since `lowest`, read from the newest on in pages that grow; at most as many as would be remembered.
fn read(turn: &Turn<'_>, lowest: Millis) -> Result<Result<Vec<(EventId, row::EventRow)>, Range>, Fault> {
    let start = row::key(EventId::new(lowest, 0));
    let (mut end, mut limit, mut found) = ("event0".to_owned(), RECENT_EVENTS_READ_FIRST, Vec::new());
    loop {
        let range = Range { start: start.clone(), end: end.clone(), limit, descending: true };
        let Some(rows) = turn.supplied.get(&range) else { return Ok(Err(range)) };
        for row in rows {
            found.push((row::id(&row.key)?, row::EventRow::decode(row)?));
        }
        let is_full = u32::try_from(rows.len()).is_ok_and(|count| count >= limit);
        match rows.last() {
            Some(last) if is_full && found.len() < RECENT_EVENTS_MAX => end.clone_from(&last.key),
            _ => return Ok(Ok(found)),
        }
        limit = limit.saturating_mul(2);
    }
}

fn hash(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}
