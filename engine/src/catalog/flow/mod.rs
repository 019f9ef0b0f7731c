//! When runs start and how many at once, as functions ask for it (PROTOCOL §1.5, SERVER §2): one file per kind.
//!
//! Everything here has been checked when its function was registered; what applies it may rely on the bounds.

mod batch;
mod cancel;
mod concurrency;
mod debounce;
mod rate_limit;
mod singleton;
mod throttle;
mod timeouts;

pub use batch::Batch;
pub use cancel::{Cancel, CancelUntil};
pub use concurrency::{Concurrency, Limit, Scope};
pub use debounce::Debounce;
pub use rate_limit::RateLimit;
pub use singleton::{Singleton, SingletonMode};
pub use throttle::Throttle;
pub use timeouts::Timeouts;

use super::fields::{Faults, Fields};
use serde::{Deserialize, Serialize};

/// The flow control of a function; what it does not ask for is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flow {
    /// How many requests or runs at once.
    #[serde(skip_serializing_if = "Concurrency::is_unlimited")]
    pub concurrency: Concurrency,
    /// How many starts in a time; the others wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle: Option<Throttle>,
    /// How many starts in a time; the others are dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// CEL over `event`: one run per value in 24 h; stands in for `rate_limit` (SERVER §2.5).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<String>,
    /// Only the last of several events close together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub debounce: Option<Debounce>,
    /// Several events in one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// CEL over `event`: whole seconds that a run goes before its peers (SERVER §2.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// One run at a time, the others skipped or the older cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub singleton: Option<Singleton>,
    /// How long until a run starts, and until it ends.
    #[serde(skip_serializing_if = "Timeouts::are_none")]
    pub timeouts: Timeouts,
    /// Events that cancel a run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cancel: Vec<Cancel>,
}

impl Flow {
    /// Nothing is asked for.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Reads it from a function's configuration.
    pub(super) fn read(function: &Fields<'_>, faults: &mut Faults) -> Self {
        let flow = Self {
            concurrency: Concurrency::read(function, faults),
            throttle: function.object("throttle", faults).and_then(|fields| Throttle::read(&fields, faults)),
            rate_limit: function.object("rateLimit", faults).and_then(|fields| RateLimit::read(&fields, faults)),
            idempotency: function.expression("idempotency", "expression_invalid", faults),
            debounce: function.object("debounce", faults).and_then(|fields| Debounce::read(&fields, faults)),
            batch: function.object("batchEvents", faults).and_then(|fields| Batch::read(&fields, faults)),
            priority: function
                .object("priority", faults)
                .and_then(|fields| fields.expression("run", "expression_invalid", faults)),
            singleton: function.object("singleton", faults).and_then(|fields| Singleton::read(&fields, faults)),
            timeouts: function
                .object("timeouts", faults)
                .map_or_else(Timeouts::default, |f| Timeouts::read(&f, faults)),
            cancel: cancel::read(function, faults),
        };
        refuse_combinations(function, faults);
        flow
    }
}

/// A batch has no one event to cancel, debounce, single out or rank by (SERVER §2.0).
///
/// Judged by what was written rather than by what could be read of it, so that one fault does not hide the other.
fn refuse_combinations(function: &Fields<'_>, faults: &mut Faults) {
    if function.get("batchEvents").is_none() {
        return;
    }
    for other in ["cancel", "debounce", "singleton", "priority"] {
        let is_there = function.get(other).is_some_and(|value| value.as_array().is_none_or(|items| !items.is_empty()));
        if is_there {
            faults.add("combo_unsupported", other, format!("{other} and batchEvents cannot be used together"));
        }
    }
}
