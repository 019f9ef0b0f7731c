//! How long until a run starts, and until it ends (SERVER §2.9).

use crate::catalog::fields::{Faults, Fields};
use crate::ids::Millis;
use serde::{Deserialize, Serialize};

/// Beyond either, the run is cancelled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// From the run's creation to its first request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Millis>,
    /// From the first request to the run's end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish: Option<Millis>,
}

impl Timeouts {
    /// There are none.
    #[must_use]
    pub const fn are_none(&self) -> bool {
        self.start.is_none() && self.finish.is_none()
    }

    pub(super) fn read(fields: &Fields<'_>, faults: &mut Faults) -> Self {
        let any = Millis(0)..=Millis(u64::MAX);
        Self {
            start: fields.duration("start", "duration_invalid", any.clone(), faults),
            finish: fields.duration("finish", "duration_invalid", any, faults),
        }
    }
}
