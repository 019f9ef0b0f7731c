//! What is planned: the one row of a cron actor.

use super::message::Time;
use super::timetable::Timetable;
use crate::catalog::Function;
use crate::error::Fault;
use crate::ids::{FunctionId, Millis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The key of the row.
pub(super) const KEY: &str = "plan";

/// The schedules of one function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan {
    /// Of the catalog that these schedules were taken from: an older one is not followed.
    pub(super) catalog: u64,
    /// By what was registered.
    pub(super) loops: BTreeMap<String, Loop>,
}

/// A schedule that comes due again and again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Loop {
    /// The longest delay; none: runs start on time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) jitter: Option<Millis>,
    /// Whatever was to start by then has been started, or passed over.
    pub(super) decided: Millis,
    /// The newest time for which a run was started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<Millis>,
}

impl Plan {
    /// Reads the row, if there is one.
    ///
    /// # Errors
    /// A row that no cron actor wrote.
    pub(super) fn decode(row: Option<&[u8]>) -> Result<Self, Fault> {
        let plan = row.map(serde_json::from_slice).transpose().map_err(|e| Fault::new("plan of a cron", e))?;
        Ok(plan.unwrap_or_default())
    }

    /// Plans what the catalog of this version says of `function`, `None` being a function that it does not know. A schedule that
    /// is new begins now; one that is gone is planned no longer; one that stays goes on from where it was.
    ///
    /// Gives the times that have come and still waited because of a jitter that is no longer asked for: they are due now.
    pub(super) fn follow(
        &mut self,
        version: u64,
        id: &FunctionId,
        function: Option<&Function>,
        now: Millis,
    ) -> Vec<(String, Time)> {
        let wanted: BTreeMap<&str, Option<Millis>> = function.map_or_else(BTreeMap::new, |f| f.schedules().collect());
        let known = self.loops.iter().map(|(schedule, known)| (schedule.as_str(), known.jitter));
        if version < self.catalog || known.eq(wanted.iter().map(|(schedule, jitter)| (*schedule, *jitter))) {
            return Vec::new();
        }
        self.catalog = version;
        self.loops.retain(|schedule, _| wanted.contains_key(schedule.as_str()));
        let mut due = Vec::new();
        for (schedule, jitter) in wanted {
            let begun = Loop { jitter, decided: now, last: None };
            let known = self.loops.entry(schedule.to_owned()).or_insert(begun);
            if known.jitter != jitter {
                if let Ok(before) = Timetable::new(id, schedule, known.jitter) {
                    due.extend(before.waiting(known.decided, now).into_iter().map(|time| (schedule.to_owned(), time)));
                }
                known.jitter = jitter;
            }
        }
        due
    }
}
