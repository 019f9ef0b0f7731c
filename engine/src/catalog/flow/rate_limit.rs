//! How many starts in a time; the others are dropped (SERVER §2.4).

use crate::catalog::fields::{Faults, Fields};
use crate::ids::Millis;
use crate::limits::{RATE_LIMIT_PERIOD_MAX, RATE_LIMIT_PERIOD_MIN};
use serde::{Deserialize, Serialize};

/// So many starts in a period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateLimit {
    /// So many, at least 1.
    pub limit: u32,
    /// In this time.
    pub period: Millis,
    /// CEL over `event`: each value by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl RateLimit {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Self> {
        let before = faults.details.len();
        let limit = fields.count("limit", faults);
        if limit.is_none_or(|limit| limit == 0) && faults.details.len() == before {
            faults.add("value_invalid", fields.path("limit"), "must be at least 1");
        }
        let bounds = RATE_LIMIT_PERIOD_MIN..=RATE_LIMIT_PERIOD_MAX;
        let period = fields.required_duration("period", "duration_invalid", bounds, faults);
        let key = fields.expression("key", "expression_invalid", faults);
        Some(Self { limit: limit?, period: period?, key })
    }
}
