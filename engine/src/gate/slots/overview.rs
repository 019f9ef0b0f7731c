//! What a caller sees of a function's slots.

use super::Slots;
use super::message::{Overview, Queued};
use crate::error::Fault;
use crate::limits::QUEUES_TOLD_MAX;
use crate::turn::Turn;
use serde_json::value::{RawValue, to_raw_value};
use std::cmp::Reverse;

impl Slots {
    /// The [`Overview`].
    pub(super) fn overview(&self, turn: &Turn<'_>) -> Result<Box<RawValue>, Fault> {
        let parked = self.waits.values().filter(|wait| wait.parked.is_some()).count();
        let mut longest: Vec<Queued> =
            self.index.queue.lanes().map(|(lane, queued)| Queued { keys: lane.keys.clone(), queued }).collect();
        longest.sort_by_key(|queue| Reverse(queue.queued));
        longest.truncate(QUEUES_TOLD_MAX);
        let overview = Overview {
            queued: self.waits.len(),
            queued_starts: self.index.firsts,
            parked,
            in_flight: self.holds.values().filter(|hold| hold.is_granted()).count(),
            runs: self.begun.len(),
            longest,
            not_before: self.not_before.filter(|at| *at > turn.now),
            next_start_at: self.index.starts.next_after(turn.now),
        };
        to_raw_value(&overview).map_err(|error| Fault::new("answer", error))
    }
}
