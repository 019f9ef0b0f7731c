//! How many starts in a time; the others wait (SERVER §2.3).

use crate::catalog::fields::{Faults, Fields};
use crate::ids::Millis;
use crate::limits::{THROTTLE_PERIOD_MAX, THROTTLE_PERIOD_MIN};
use serde::{Deserialize, Serialize};

/// So many starts in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Throttle {
    /// So many, at least 1.
    pub limit: u32,
    /// In this time.
    pub period: Millis,
    /// Besides `limit`, so many at once after a quiet time.
    #[serde(default)]
    pub burst: u32,
    /// CEL over `event`: each value by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Throttle {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Self> {
        // 0 acts as 1, as it does elsewhere.
        let limit = fields.count("limit", faults).unwrap_or(0).max(1);
        let bounds = THROTTLE_PERIOD_MIN..=THROTTLE_PERIOD_MAX;
        let period = fields.required_duration("period", "duration_invalid", bounds, faults);
        let burst = fields.count("burst", faults).unwrap_or(0);
        let key = fields.expression("key", "expression_invalid", faults);
        Some(Self { limit, period: period?, burst, key })
    }
}
