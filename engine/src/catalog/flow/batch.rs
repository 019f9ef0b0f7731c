//! Several events in one run (SERVER §2.7).

use crate::catalog::fields::{Faults, Fields};
use crate::ids::Millis;
use crate::limits::{BATCH_EVENTS_MAX, BATCH_EVENTS_MIN, BATCH_TIMEOUT_MAX, BATCH_TIMEOUT_MIN};
use serde::{Deserialize, Serialize};

/// How events are gathered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Events in a full batch.
    pub events_max: u32,
    /// How long after its first event a batch starts, full or not.
    pub timeout: Millis,
    /// CEL over `event`: one batch per value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// CEL over `event`: those for which it is false run alone.
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

impl Batch {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Self> {
        let before = faults.details.len();
        let events_max = fields.count("maxSize", faults);
        let is_read = faults.details.len() == before;
        if is_read && !events_max.is_some_and(|max| (BATCH_EVENTS_MIN..=BATCH_EVENTS_MAX).contains(&max)) {
            let message = format!("a batch holds from {BATCH_EVENTS_MIN} to {BATCH_EVENTS_MAX} events");
            faults.add("batch_size_invalid", fields.path("maxSize"), message);
        }
        let bounds = BATCH_TIMEOUT_MIN..=BATCH_TIMEOUT_MAX;
        let timeout = fields.required_duration("timeout", "batch_timeout_invalid", bounds, faults);
        let key = fields.expression("key", "batch_key_expression_invalid", faults);
        let condition = fields.expression("if", "batch_if_expression_invalid", faults);
        Some(Self { events_max: events_max?, timeout: timeout?, key, condition })
    }
}
