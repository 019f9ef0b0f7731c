//! Only the last of several events close together (SERVER §2.6).

use crate::catalog::fields::{Faults, Fields};
use crate::ids::Millis;
use crate::limits::{DEBOUNCE_PERIOD_MAX, DEBOUNCE_PERIOD_MIN};
use serde::{Deserialize, Serialize};

/// How long events are held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Debounce {
    /// Without another event for so long, the last one runs.
    pub period: Millis,
    /// CEL over `event`: each value by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// So long after the first event, the last one runs whatever comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Millis>,
}

impl Debounce {
    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Option<Self> {
        let bounds = DEBOUNCE_PERIOD_MIN..=DEBOUNCE_PERIOD_MAX;
        let period = fields.required_duration("period", "duration_invalid", bounds, faults);
        let key = fields.expression("key", "expression_invalid", faults);
        let timeout = fields.duration("timeout", "duration_invalid", Millis(0)..=Millis(u64::MAX), faults);
        Some(Self { period: period?, key, timeout })
    }
}
