//! What a function's cron actor is told and asked.

use crate::ids::Millis;
use serde::{Deserialize, Serialize};

/// From the catalog; it may come twice, late or out of order, and a lost one is made up for by the next message of any kind.
#[derive(Debug, Serialize, Deserialize)]
pub enum Tell {
    /// The function's schedules may have changed: the catalog, which every turn is given, says to what.
    Look,
}

/// From a request; the answer is a [`crate::turn::Answer`].
#[derive(Debug, Serialize, Deserialize)]
pub enum Ask {
    /// Answers the [`Planned`] of each of the function's schedules: `[{…},…]`.
    Planned {
        /// So many of the next times of each.
        times: u32,
    },
}

/// A schedule and what is planned.
#[derive(Debug, Serialize, Deserialize)]
pub struct Planned {
    /// As it was registered.
    pub cron: String,
    /// The longest delay of a run, where runs are delayed.
    pub jitter_ms: Option<Millis>,
    /// The next times; none where the schedule never comes due.
    pub next: Vec<Time>,
    /// The newest time for which a run was started, since this server knows the schedule.
    pub last: Option<Millis>,
    /// Why the schedule cannot be read, where an older version of this server took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// A time at which a run starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Time {
    /// What the schedule says.
    pub tick: Millis,
    /// With the jitter.
    pub fire: Millis,
}
