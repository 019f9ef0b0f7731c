//! What the gate of slots is told and asked.

use crate::gate::shared::Reply;
use crate::ids::{Millis, RunId};
use crate::run::unit::UnitId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a run's key expressions come to, by their source: `{"event.data.tenant":"7"}`. Those that come to nothing are absent.
pub type Keys = BTreeMap<String, String>;

/// From a run, the catalog, or a gate that functions share; any of them may come twice, late or out of order.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// What a run wants and what it gives back.
    News(News),
    /// The function's flow control may have changed: the catalog, which every turn is given, says to what.
    Configured,
    /// From a gate that functions share.
    Shared(Reply),
}

/// What has changed with the calls of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct News {
    /// Which run.
    pub run: RunId,
    /// It is over: whatever it has goes back, but for the calls in `in_flight`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_over: bool,
    /// Calls of a run that is over which the app may still be at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_flight: Vec<Dispatch>,
    /// Calls that are over, or are not to be made after all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub released: Vec<Dispatch>,
    /// The app has too much to do, and wants no call before this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Millis>,
    /// Calls that are to be made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wanted: Vec<Dispatch>,
    /// The run may have forgotten which of them it may make: it is told again. Otherwise nobody answers what is known: who was made anew asks for
    /// all that is under way, and where that is often, each answer would have it ask once more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub repeats: bool,
    /// How they rank: the lowest first.
    #[serde(default)]
    pub rank: i64,
    /// None of the run's calls has been made: it waits to begin.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_first: bool,
    /// What the key expressions come to.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: Keys,
}

impl News {
    /// Nothing yet.
    #[must_use]
    pub const fn of(run: RunId) -> Self {
        Self {
            run,
            is_over: false,
            in_flight: Vec::new(),
            released: Vec::new(),
            not_before: None,
            wanted: Vec::new(),
            repeats: false,
            rank: 0,
            is_first: false,
            keys: Keys::new(),
        }
    }
}

/// A call of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dispatch {
    /// Of which unit.
    pub unit: UnitId,
    /// Which dispatch of it.
    pub generation: u32,
}

/// What waits and what is under way in one function.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overview {
    /// Calls that wait for a slot.
    pub queued: usize,
    /// Of those, runs that have not begun.
    pub queued_starts: usize,
    /// Of those that wait, the ones that wait for a limit that functions share.
    pub parked: usize,
    /// Calls under way.
    pub in_flight: usize,
    /// Runs that have begun and hold a slot of the limit on runs.
    pub runs: usize,
    /// The values of keys with the longest queues, the longest first.
    pub longest: Vec<Queued>,
    /// The app has too much to do: no call before this moment.
    pub not_before: Option<Millis>,
    /// When the throttle lets the next run begin, where it keeps one.
    pub next_start_at: Option<Millis>,
}

/// The queue of one value of the keys.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// What the key expressions come to.
    pub keys: Keys,
    /// Calls that wait.
    pub queued: usize,
}
