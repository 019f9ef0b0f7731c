//! The rows of the gate of slots.
//!
//! | row | holds |
//! | --- | --- |
//! | `wait/<run>/<unit>` | a call that waits for a slot |
//! | `hold/<run>/<unit>` | a call that has one, or asks shared gates for what it still lacks |
//! | `run/<run>` | a run that holds a slot of the limit on runs |
//! | `rate/<hash>` | when the next start of a throttle's key is due |
//! | `app/not-before` | when an app that has too much to do may be called again |

use super::message::Keys;
use crate::error::Fault;
use crate::gate::shared::{Ask, Known, LimitName};
use crate::ids::{Millis, RunId, digest};
use crate::limits::{SLOT_CHECK_INTERVAL, SLOT_CHECK_INTERVAL_MAX};
use crate::run::unit::UnitId;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A unit of a run: what a slot is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SlotId {
    /// Whose.
    pub run: RunId,
    /// Which.
    pub unit: UnitId,
}

impl SlotId {
    fn parse(text: &str) -> Option<Self> {
        let (run, unit) = text.split_once('/')?;
        Some(Self { run: RunId::parse(run)?, unit: UnitId::parse(unit)? })
    }
}

impl fmt::Display for SlotId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.run, self.unit)
    }
}

/// A call that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Which dispatch of its unit.
    pub generation: u32,
    /// The lowest goes first; of equals, the older run.
    pub rank: i64,
    /// Its run has not begun.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_first: bool,
    /// What the key expressions come to.
    pub keys: Keys,
    /// A shared gate had no room: it waits there, and holds nothing of its function's meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked: Option<Share>,
    /// What it has of shared gates before that one, in the order that all functions keep. It keeps it: two that each gave back what the other
    /// wanted could do so for ever.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Share>,
    /// Since when it waits there, ...
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parked_at: Option<Millis>,
    /// ... and how often its run was asked whether it wants it still.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub checks: u32,
    /// How often it has been through the shared gates.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rounds: u32,
}

impl Wait {
    /// When its run is asked whether it wants it still: where it waits at a shared gate, to which nothing else may bring it back.
    #[must_use]
    pub fn check_at(&self) -> Option<Millis> {
        self.parked.as_ref()?;
        Some(check_at(self.parked_at.unwrap_or_default(), self.checks))
    }
}

/// A call that has what its function can give.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// As it waited.
    pub wait: Wait,
    /// When its run was last known to want it.
    pub seen_at: Millis,
    /// How often its run was asked whether it does.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub checks: u32,
    /// It took a slot of the limit on runs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub took_run: bool,
    /// It took a start of the throttle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_start: Option<TakenStart>,
    /// What it has of the gates that functions share, or asks of them, one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
}

impl Hold {
    /// The call may be made.
    #[must_use]
    pub fn is_granted(&self) -> bool {
        self.shares.iter().all(|share| share.is_taken)
    }

    /// A later dispatch has it from now on. What it still asks of shared gates it asks in its own name: whatever gave back what an earlier
    /// one had asked for must not take that from it.
    pub fn take_over(&mut self, generation: u32, now: Millis) {
        self.wait.generation = generation;
        (self.seen_at, self.checks) = (now, 0);
        for share in self.shares.iter_mut().filter(|share| !share.is_taken) {
            share.ask = Ask { generation, round: self.wait.rounds };
        }
    }
}

/// A start that was taken, and is put back if it is not made after all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenStart {
    /// The value of the throttle's key.
    pub value: String,
    /// The key's moment of evenness before it, ...
    pub before_ns: u64,
    /// ... and with it.
    pub after_ns: u64,
}

/// A place at a gate that functions share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The gate's key.
    pub gate: String,
    /// The limit that leads there.
    pub limit: LimitName,
    /// How much that was when it was first asked for.
    #[serde(default)]
    pub known: Known,
    /// Which time of asking.
    pub ask: Ask,
    /// It was given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_taken: bool,
}

/// A run that has begun, where only so many may.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// What its key expressions come to.
    pub keys: Keys,
    /// When it was last known to be.
    pub seen_at: Millis,
    /// How often it was asked whether it is.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub checks: u32,
}

/// How far a throttle's key is ahead of its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// The key's value.
    pub value: String,
    /// The time, in nanoseconds since 1970, at which all of its starts are made up for.
    pub even_at_ns: u64,
}

/// A row, read.
pub enum Key {
    /// `wait/…`
    Wait(SlotId),
    /// `hold/…`
    Hold(SlotId),
    /// `run/…`
    Run(RunId),
    /// `rate/…`
    Rate,
    /// `app/not-before`
    NotBefore,
}

impl Key {
    /// What a row's key says.
    ///
    /// # Errors
    /// A key that this actor does not write.
    pub fn parse(key: &str) -> Result<Self, Fault> {
        let parsed = key.split_once('/').and_then(|(kind, rest)| match kind {
            "wait" => SlotId::parse(rest).map(Self::Wait),
            "hold" => SlotId::parse(rest).map(Self::Hold),
            "run" => RunId::parse(rest).map(Self::Run),
            "rate" => Some(Self::Rate),
            "app" if rest == "not-before" => Some(Self::NotBefore),
            _ => None,
        });
        parsed.ok_or_else(|| Fault::new("row of a gate", format!("the key {key:?}")))
    }
}

/// Where it is stored when an app may be called again.
pub const NOT_BEFORE_KEY: &str = "app/not-before";

/// Where a call that waits is stored.
pub fn wait_key(slot: &SlotId) -> String {
    format!("wait/{slot}")
}

/// Where a call that has a slot is stored.
pub fn hold_key(slot: &SlotId) -> String {
    format!("hold/{slot}")
}

/// Where a run that has begun is stored.
pub fn run_key(run: RunId) -> String {
    format!("run/{run}")
}

/// Where a value of the throttle's key is stored.
pub fn rate_key(value: &str) -> String {
    format!("rate/{}", digest(&[value]))
}

/// When a run is asked next: each time after twice as long, up to a limit.
#[must_use]
pub fn check_at(seen_at: Millis, checks: u32) -> Millis {
    let times = 1_u64.checked_shl(checks).unwrap_or(u64::MAX);
    seen_at.plus(Millis(SLOT_CHECK_INTERVAL.0.saturating_mul(times).min(SLOT_CHECK_INTERVAL_MAX.0)))
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde asks for a reference
const fn is_zero(number: &u32) -> bool {
    *number == 0
}
