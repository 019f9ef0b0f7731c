//! Pages of events, the newest first. A page looks at a bounded number of events and bytes, so it may be short; it says where
//! the next one begins.

use super::message::Page;
use super::row::{self, EventRow};
use super::{Stream, answer};
use crate::error::Fault;
use crate::ids::EventId;
use crate::limits::{LIST_BYTES_READ_MAX, LIST_EVENTS_READ_FIRST, LIST_EVENTS_READ_MAX};
use crate::turn::{Done, Outcome, Range, Turn};

impl Stream {
    pub(super) fn list(
        &self,
        turn: &Turn<'_>,
        token: u64,
        limit: u32,
        before: Option<EventId>,
        name: Option<&str>,
    ) -> Result<Outcome, Fault> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut page = Page { events: Vec::new(), next: None };
        let mut seen = Seen::default();
        let mut last = before;
        // The same ranges come out again each time the turn is asked, as each follows from the rows before it.
        while let Some(read) = seen.next_read() {
            let range = before_range(last, read);
            let Some(rows) = turn.supplied.get(&range) else { return Ok(Outcome::Needs(vec![range])) };
            for row in rows {
                let id = row::id(&row.key)?;
                last = Some(id);
                seen.rows = seen.rows.saturating_add(1);
                seen.bytes = seen.bytes.saturating_add(row.value.len());
                let event = EventRow::decode(row)?;
                if name.is_none_or(|name| name == event.name) {
                    page.events.push(event.stored(id));
                }
                if page.events.len() >= limit {
                    break;
                }
            }
            let at_end = rows.len() < usize::try_from(read).unwrap_or(usize::MAX);
            page.next = last.filter(|_| !at_end || page.events.len() >= limit);
            if at_end || page.events.len() >= limit {
                break;
            }
        }
        let mut done = Done::default();
        answer(&mut done, token, &page)?;
        Ok(self.done(done))
    }
}

fn before_range(before: Option<EventId>, limit: u32) -> Range {
    let end = before.map_or_else(|| "event0".to_owned(), row::key);
    Range { start: "event/".to_owned(), end, limit, descending: true }
}

/// What a page has looked at.
#[derive(Default)]
struct Seen {
    rows: u32,
    bytes: usize,
}

impl Seen {
    /// How many rows to read next: as many as their size so far leaves room for; `None` when it is enough.
    fn next_read(&self) -> Option<u32> {
        let rows_left = LIST_EVENTS_READ_MAX.checked_sub(self.rows).filter(|rows| *rows > 0)?;
        let bytes_left = LIST_BYTES_READ_MAX.checked_sub(self.bytes).filter(|bytes| *bytes > 0)?;
        let rows_seen = usize::try_from(self.rows).unwrap_or(usize::MAX);
        let row_bytes = self.bytes.checked_div(rows_seen).map(|bytes| bytes.max(1));
        let fitting = row_bytes.map_or(LIST_EVENTS_READ_FIRST, |bytes| {
            bytes_left.checked_div(bytes).and_then(|rows| u32::try_from(rows).ok()).unwrap_or(u32::MAX)
        });
        Some(fitting.clamp(1, rows_left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_events_are_read_next_as_their_size_so_far_leaves_room_for() {
        let next = |rows, bytes| Seen { rows, bytes }.next_read();
        assert_eq!(next(0, 0), Some(LIST_EVENTS_READ_FIRST));
        assert_eq!(
            next(LIST_EVENTS_READ_FIRST, 100),
            Some(LIST_EVENTS_READ_MAX - LIST_EVENTS_READ_FIRST),
            "small ones"
        );
        // Half of the bytes were seen in 16 rows: 16 more fit.
        assert_eq!(next(16, LIST_BYTES_READ_MAX / 2), Some(16));
        assert_eq!(next(16, LIST_BYTES_READ_MAX - 1), Some(1), "one more, however large");
        assert_eq!(next(16, LIST_BYTES_READ_MAX), None);
        assert_eq!(next(16, LIST_BYTES_READ_MAX + 1), None);
        assert_eq!(next(LIST_EVENTS_READ_MAX - 1, 0), Some(1));
        assert_eq!(next(LIST_EVENTS_READ_MAX, 0), None);
    }
}
