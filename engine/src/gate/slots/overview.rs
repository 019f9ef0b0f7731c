//! What a caller sees of a function's slots.

use super::Slots;
use super::message::{Overview, Queued};
use crate::limits::QUEUES_TOLD_MAX;
use crate::turn::Turn;
use std::cmp::Reverse;

impl Slots {
    /// The [`Overview`].
    pub(super) fn overview(&self, turn: &Turn<'_>) -> Overview {
        let parked = self.waits.values().filter(|wait| wait.parked.is_some()).count();
        let mut longest: Vec<Queued> =
            self.index.queue.lanes().map(|(lane, queued)| Queued { keys: lane.keys.clone(), queued }).collect();
        longest.sort_by_key(|queue| Reverse(queue.queued));
        longest.truncate(QUEUES_TOLD_MAX);
        Overview {
            queued: self.waits.len(),
            queued_starts: self.index.firsts,
            parked,
            in_flight: self.holds.values().filter(|hold| hold.is_granted()).count(),
            runs: self.begun.len(),
            longest,
            not_before: self.not_before.filter(|at| *at > turn.now),
            next_start_at: self.index.starts.next_after(turn.now),
        }
    }
}
