//! What follows from the rows: who is next, how much of each limit is taken, and what is due when. Nothing of it is stored.

use super::limits::{self, Bucket, Usage};
use super::message::Keys;
use super::queue::{Lane, LaneKey, Queue};
use super::row::{Begun, Hold, Rate, SlotId, Wait, check_at};
use super::starts::Starts;
use super::{Slots, throttle};
use crate::catalog::Function;
use crate::ids::{Millis, RunId};
use crate::run::unit::UnitId;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// What follows from the rows of a gate.
#[derive(Debug, Default)]
pub struct Index {
    /// The key expressions that the function's limits go by at the moment.
    sources: BTreeSet<String>,
    /// Calls that wait under keys of other limits, and whose runs have not been asked yet for what theirs come to now.
    pub(super) stale: BTreeSet<SlotId>,
    /// How many runs wait to begin.
    pub(super) firsts: usize,
    /// Calls by key.
    pub(super) calls: Usage,
    /// Runs by key.
    pub(super) runs: Usage,
    /// Who is next.
    pub(super) queue: Queue,
    /// Who waits to begin until when.
    pub(super) starts: Starts,
    /// Holders by when they are to be asked about.
    pub(super) seen: BTreeSet<(Millis, RunId, Option<UnitId>)>,
    /// Values of the throttle's key by when they are even again.
    pub(super) evens: BTreeSet<(Millis, String)>,
}

impl Index {
    /// What a call counts towards by the limits of the moment. What its run has said nothing of counts as what comes to nothing: it must not be
    /// missing from a limit whose key is another since.
    pub(super) fn counted<'a>(&self, keys: &'a Keys) -> Cow<'a, Keys> {
        if self.are_of_now(keys) {
            return Cow::Borrowed(keys);
        }
        let missing = self.sources.iter().filter(|source| !keys.contains_key(*source));
        Cow::Owned(keys.clone().into_iter().chain(missing.map(|source| (source.clone(), String::new()))).collect())
    }

    fn are_of_now(&self, keys: &Keys) -> bool {
        self.sources.iter().all(|source| keys.contains_key(source))
    }

    fn lane_of(&self, wait: &Wait) -> Lane {
        Lane::new(LaneKey { is_first: wait.is_first, keys: self.counted(&wait.keys).into_owned() })
    }
}

impl Slots {
    /// The function's limits are these. Where their keys are others than before, all is counted anew.
    pub(super) fn follow(&mut self, function: Option<&Function>) {
        let sources = function.map(limits::sources).unwrap_or_default();
        if !self.index.sources.iter().map(String::as_str).eq(sources.iter().copied()) {
            self.count_anew(sources.into_iter().map(ToOwned::to_owned).collect());
        }
        self.index.starts.follow(function.and_then(|function| function.flow.throttle.as_ref()), &self.rates);
    }

    fn count_anew(&mut self, sources: BTreeSet<String>) {
        self.index = Index { sources, ..Index::default() };
        for (value, rate) in std::mem::take(&mut self.rates) {
            self.index_rate(value, Some(rate));
        }
        for (run, begun) in std::mem::take(&mut self.begun) {
            self.index_run(run, Some(begun));
        }
        for (slot, hold) in std::mem::take(&mut self.holds) {
            self.index_hold(slot, Some(hold));
        }
        for (slot, wait) in std::mem::take(&mut self.waits) {
            self.index_wait(slot, Some(wait));
        }
    }

    pub(super) fn index_wait(&mut self, slot: SlotId, wait: Option<Wait>) {
        let entry = |wait: &Wait| (wait.rank, slot.clone());
        let before = match wait.clone() {
            Some(wait) => self.waits.insert(slot.clone(), wait),
            None => self.waits.remove(&slot),
        };
        self.index.stale.remove(&slot);
        if wait.as_ref().is_some_and(|wait| !self.index.are_of_now(&wait.keys)) {
            self.index.stale.insert(slot.clone());
        }
        let are_first = |wait: &Option<Wait>| usize::from(wait.as_ref().is_some_and(|wait| wait.is_first));
        self.index.firsts = self.index.firsts.saturating_add(are_first(&wait)).saturating_sub(are_first(&before));
        if let Some(at) = before.as_ref().and_then(Wait::check_at) {
            self.index.seen.remove(&(at, slot.run, Some(slot.unit.clone())));
        }
        if let Some(at) = wait.as_ref().and_then(Wait::check_at) {
            self.index.seen.insert((at, slot.run, Some(slot.unit.clone())));
        }
        if let Some(before) = before.filter(|before| before.parked.is_none()) {
            let lane = self.index.lane_of(&before);
            self.index.queue.remove(&lane, &entry(&before));
            if before.is_first {
                self.index.starts.remove(&lane.keys, &self.rates);
            }
        }
        if let Some(wait) = wait.filter(|wait| wait.parked.is_none()) {
            let lane = self.index.lane_of(&wait);
            if wait.is_first {
                self.index.starts.add(&lane.keys, &self.rates);
            }
            self.index.queue.insert(lane, entry(&wait));
        }
    }

    pub(super) fn index_hold(&mut self, slot: SlotId, hold: Option<Hold>) {
        if let Some(hold) = &hold {
            let keys = self.index.counted(&hold.wait.keys);
            self.index.calls.add(&keys);
            self.index.seen.insert((check_at(hold.seen_at, hold.checks), slot.run, Some(slot.unit.clone())));
        }
        let before = match hold {
            Some(hold) => self.holds.insert(slot.clone(), hold),
            None => self.holds.remove(&slot),
        };
        let Some(before) = before else { return };
        let keys = self.index.counted(&before.wait.keys);
        self.index.calls.remove(&keys);
        let at = check_at(before.seen_at, before.checks);
        if self.holds.get(&slot).is_none_or(|hold| check_at(hold.seen_at, hold.checks) != at) {
            self.index.seen.remove(&(at, slot.run, Some(slot.unit)));
        }
        for value in limits::values(&keys) {
            self.index.queue.free(Bucket::Calls(value));
        }
    }

    pub(super) fn index_run(&mut self, run: RunId, begun: Option<Begun>) {
        if let Some(begun) = &begun {
            let keys = self.index.counted(&begun.keys);
            self.index.runs.add(&keys);
            self.index.seen.insert((check_at(begun.seen_at, begun.checks), run, None));
        }
        let before = match begun {
            Some(begun) => self.begun.insert(run, begun),
            None => self.begun.remove(&run),
        };
        let Some(before) = before else { return };
        let keys = self.index.counted(&before.keys);
        self.index.runs.remove(&keys);
        let at = check_at(before.seen_at, before.checks);
        if self.begun.get(&run).is_none_or(|begun| check_at(begun.seen_at, begun.checks) != at) {
            self.index.seen.remove(&(at, run, None));
        }
        for value in limits::values(&keys) {
            self.index.queue.free(Bucket::Runs(value));
        }
    }

    pub(super) fn index_rate(&mut self, value: String, rate: Option<Rate>) {
        if let Some(rate) = &rate {
            self.index.evens.insert((throttle::even(rate.even_at_ns), value.clone()));
        }
        let even_at = rate.as_ref().map(|rate| rate.even_at_ns);
        let before = match rate {
            Some(rate) => self.rates.insert(value.clone(), rate),
            None => self.rates.remove(&value),
        };
        if let Some(before) = before.filter(|before| Some(before.even_at_ns) != even_at) {
            self.index.evens.remove(&(throttle::even(before.even_at_ns), value.clone()));
            if let Some(even_at) = even_at {
                self.index.evens.insert((throttle::even(even_at), value.clone()));
            }
        }
        self.index.starts.look_at(&value, &self.rates);
    }
}
