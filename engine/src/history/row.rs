//! The rows of a run in the history.

use crate::error::Fault;
use crate::ids::{EventId, FunctionId, Millis, RunId};
use crate::run::message::Status;
use crate::turn::Row;
use serde::{Deserialize, Serialize};

/// A run began.
#[derive(Serialize, Deserialize)]
pub(super) struct Started {
    pub(super) function: FunctionId,
    pub(super) event: EventId,
    pub(super) at: Millis,
}

/// A run ended; what it was stands here as well, so that one row is enough for it.
#[derive(Serialize, Deserialize)]
pub(super) struct Ended {
    pub(super) began: Started,
    pub(super) status: Status,
    pub(super) at: Millis,
}

/// Either row.
pub(super) enum RunRow {
    Started(Started),
    Ended(Ended),
}

pub(super) fn started_key(run: RunId) -> String {
    format!("run/{run}/started")
}

pub(super) fn ended_key(run: RunId) -> String {
    format!("run/{run}/ended")
}

impl RunRow {
    /// The row, and the run it is about.
    pub(super) fn decode(row: &Row) -> Result<(RunId, Self), Fault> {
        let unknown = || Fault::new("history row", format!("the key {:?}", row.key));
        let (run, what) = row.key.strip_prefix("run/").and_then(|rest| rest.split_once('/')).ok_or_else(unknown)?;
        let run = RunId::parse(run).ok_or_else(unknown)?;
        let held = match what {
            "started" => serde_json::from_slice(&row.value).map(Self::Started),
            "ended" => serde_json::from_slice(&row.value).map(Self::Ended),
            _ => return Err(unknown()),
        };
        Ok((run, held.map_err(|e| Fault::new("history row", e))?))
    }
}
