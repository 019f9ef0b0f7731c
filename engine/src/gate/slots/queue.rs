//! Who waits for what: the calls that wait, in lanes of those with the same keys, each lane known by the one thing that it lacks.
//!
//! All of it is derived from the rows. A lane stands either among those to be **looked at**, or under a **bucket** that was full when
//! it was looked at last. When a bucket has room again, only the lanes under it are looked at, the first of them first, so that the
//! cost of a freed slot does not grow with the queue. Which of two full buckets a lane stands under is of no consequence: it cannot
//! go on before both have room.

use super::limits::Bucket;
use super::message::Keys;
use super::row::SlotId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// One of a lane: its rank, then its run's age.
pub type Entry = (i64, SlotId);

/// The calls that want the same.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LaneKey {
    /// They begin their runs.
    pub is_first: bool,
    /// What their key expressions come to.
    pub keys: Keys,
}

/// A lane's name, shared by all who mention it.
pub type Lane = Arc<LaneKey>;

/// The lanes.
#[derive(Debug, Default)]
pub struct Queue {
    lanes: BTreeMap<Lane, BTreeSet<Entry>>,
    /// Where each lane stands, and the entry that it stands there by.
    standing: BTreeMap<Lane, (Option<Bucket>, Entry)>,
    /// To be looked at.
    open: BTreeSet<(Entry, Lane)>,
    /// Under a full bucket.
    blocked: BTreeMap<Bucket, BTreeSet<(Entry, Lane)>>,
    /// Buckets that may have room since they were last looked at.
    freed: BTreeSet<Bucket>,
}

impl Queue {
    /// Somebody waits.
    pub fn insert(&mut self, lane: Lane, entry: Entry) {
        self.lanes.entry(lane.clone()).or_default().insert(entry);
        self.look_at(&lane);
    }

    /// Somebody waits no longer.
    pub fn remove(&mut self, lane: &Lane, entry: &Entry) {
        let Some(entries) = self.lanes.get_mut(lane) else { return };
        entries.remove(entry);
        if entries.is_empty() {
            self.lanes.remove(lane);
        }
        self.look_at(lane);
    }

    /// The lane is to be looked at, where its first entry is another than the one that it stands by.
    fn look_at(&mut self, lane: &Lane) {
        let first = self.lanes.get(lane).and_then(BTreeSet::first).cloned();
        if first.as_ref() == self.standing.get(lane).map(|(_, entry)| entry) {
            return;
        }
        self.lift(lane);
        if let Some(first) = first {
            self.open.insert((first.clone(), lane.clone()));
            self.standing.insert(lane.clone(), (None, first));
        }
    }

    /// Takes a lane from where it stands.
    fn lift(&mut self, lane: &Lane) {
        let Some((bucket, entry)) = self.standing.remove(lane) else { return };
        let place = (entry, lane.clone());
        let Some(bucket) = bucket else {
            self.open.remove(&place);
            return;
        };
        if let Some(lanes) = self.blocked.get_mut(&bucket) {
            lanes.remove(&place);
            if lanes.is_empty() {
                self.blocked.remove(&bucket);
            }
        }
    }

    /// A bucket may have room.
    pub fn free(&mut self, bucket: Bucket) {
        if self.blocked.contains_key(&bucket) {
            self.freed.insert(bucket);
        }
    }

    /// Everything is to be looked at: the limits are others.
    pub fn free_all(&mut self) {
        self.freed.extend(self.blocked.keys().cloned());
    }

    /// Whom to look at next: the first of those that may have what they want.
    pub fn next(&mut self) -> Option<(Entry, Lane)> {
        let blocked = &self.blocked;
        self.freed.retain(|bucket| blocked.contains_key(bucket));
        let freed = self.freed.iter().filter_map(|bucket| blocked.get(bucket)?.first());
        freed.chain(self.open.first()).min().cloned()
    }

    /// The lane's first entry lacks this.
    pub fn block(&mut self, lane: &Lane, bucket: Bucket) {
        let Some(first) = self.lanes.get(lane).and_then(BTreeSet::first).cloned() else { return };
        self.lift(lane);
        self.freed.remove(&bucket);
        self.blocked.entry(bucket.clone()).or_default().insert((first.clone(), lane.clone()));
        self.standing.insert(lane.clone(), (Some(bucket), first));
    }

    /// The lanes, and how many wait in each.
    pub fn lanes(&self) -> impl Iterator<Item = (&Lane, usize)> {
        self.lanes.iter().map(|(lane, entries)| (lane, entries.len()))
    }
}
