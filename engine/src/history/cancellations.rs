//! Bulk cancellations (SERVER §3.7): every run of a function that began in some span of time, and whose event fulfils a condition.
//!
//! A record is kept under `cancel/<ULID>`. The runs that are listed are told page by page, each wake one page, with the place that
//! was reached in the record's row; a run whose beginning is told to the history later is told then. Each run decides for itself:
//! it has the event that the condition is about, and knows whether it is over.

use super::row::{self, RunRow};
use super::{History, answer};
use crate::error::{Code, Fault, Refusal};
use crate::ids::{FunctionId, Millis, RunId};
use crate::limits::{CANCELLATION_RUNS_PER_TURN_MAX, CANCELLATIONS_KEPT_MAX};
use crate::run::message::Tell as ToRun;
use crate::turn::{Address, Done, Outcome, Range, Row, Turn, Write};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use ulid::Ulid;

/// By row key, the oldest first.
pub(super) type Cancellations = BTreeMap<String, Kept>;

/// What is to be cancelled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancellation {
    /// Its id, a ULID.
    pub id: String,
    /// When it was asked for.
    pub created_at: Millis,
    /// Whose runs.
    pub function: FunctionId,
    /// Of those, the ones that began at this time or later.
    pub started_after: Option<Millis>,
    /// And not later than this.
    pub started_before: Millis,
    /// CEL over `event`, which started the run.
    #[serde(rename = "if")]
    pub condition: Option<String>,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) cancellation: Cancellation,
    /// All runs that are listed below this key have been told.
    reached: String,
    /// All of them have.
    done: bool,
}

pub(super) fn range() -> Range {
    let limit = u32::try_from(CANCELLATIONS_KEPT_MAX).unwrap_or(u32::MAX);
    Range { start: "cancel/".to_owned(), end: "cancel0".to_owned(), limit, descending: false }
}

pub(super) fn load(rows: &[Row]) -> Result<Cancellations, Fault> {
    let read = |row: &Row| Ok((row.key.clone(), serde_json::from_slice(&row.value).map_err(unreadable)?));
    rows.iter().map(read).collect()
}

/// Takes in `writes`, of which those of runs do not matter.
pub(super) fn apply(kept: &mut Cancellations, writes: &[Write]) -> Result<(), Fault> {
    for write in writes.iter().filter(|write| write.key.starts_with("cancel/")) {
        match &write.value {
            Some(value) => kept.insert(write.key.clone(), serde_json::from_slice(value).map_err(unreadable)?),
            None => kept.remove(&write.key),
        };
    }
    Ok(())
}

/// Whether there are runs to be told yet.
pub(super) fn is_under_way(kept: &Cancellations) -> bool {
    kept.values().any(|kept| !kept.done)
}

fn unreadable(error: serde_json::Error) -> Fault {
    Fault::new("cancellation row", error)
}

fn key(id: &str) -> String {
    format!("cancel/{id}")
}

impl Cancellation {
    /// Whether it is about this run, as far as its beginning tells. A run's id carries the moment of its event.
    fn concerns(&self, run: RunId, function: &FunctionId) -> bool {
        let at = run.at();
        self.function == *function && at <= self.started_before && self.started_after.is_none_or(|after| at >= after)
    }

    fn tell(&self, run: RunId, done: &mut Done) -> Result<(), Fault> {
        let (cancellation, condition) = (self.id.clone(), self.condition.clone());
        done.send(Address::run(run), &ToRun::CancelIf { cancellation, condition })
    }
}

impl History {
    /// Keeps a cancellation; the runs are told from the next wake on.
    pub(super) fn cancel(&self, token: u64, cancellation: Cancellation, done: &mut Done) -> Result<(), Fault> {
        if self.cancellations.len() >= CANCELLATIONS_KEPT_MAX
            && let Some(oldest) = self.cancellations.keys().next()
        {
            done.delete(oldest.clone());
        }
        let start = cancellation.started_after.unwrap_or_default();
        let reached = row::started_key(RunId(Ulid::from_parts(start.0, 0)));
        answer(done, token, &cancellation)?;
        let id = cancellation.id.clone();
        done.write(key(&id), &Kept { cancellation, reached, done: false })
    }

    pub(super) fn forget_cancellation(&self, token: u64, id: &str, done: &mut Done) -> Result<(), Fault> {
        let key = key(id);
        if !self.cancellations.contains_key(&key) {
            let refusal = Refusal::new(Code::CancellationUnknown, format!("there is no cancellation {id}"));
            return done.reply(token, &Err::<(), _>(refusal));
        }
        done.delete(key);
        answer(done, token, &())
    }

    /// A run whose beginning was told after the cancellation had passed its place.
    pub(super) fn cancel_latecomer(&self, run: RunId, function: &FunctionId, done: &mut Done) -> Result<(), Fault> {
        let concerned = self.cancellations.values().filter(|kept| kept.cancellation.concerns(run, function));
        concerned.into_iter().try_for_each(|kept| kept.cancellation.tell(run, done))
    }

    /// Tells the next page of runs.
    pub(super) fn cancel_on(&self, turn: &Turn<'_>, done: &mut Done) -> Result<Option<Outcome>, Fault> {
        let Some((key, kept)) = self.cancellations.iter().find(|(_, kept)| !kept.done) else { return Ok(None) };
        let end = RunId(Ulid::from_parts(kept.cancellation.started_before.0.saturating_add(1), 0));
        let (start, end) = (kept.reached.clone(), row::started_key(end));
        if start >= end {
            done.write(key.clone(), &Kept { done: true, ..kept.clone() })?;
            return Ok(None);
        }
        let range = Range { start, end, limit: CANCELLATION_RUNS_PER_TURN_MAX, descending: false };
        let Some(rows) = turn.supplied.get(&range) else { return Ok(Some(Outcome::Needs(vec![range]))) };
        // That a run has ended stands before that it began.
        let mut ended = None;
        for row in rows {
            match RunRow::decode(row)? {
                (run, RunRow::Ended(_)) => ended = Some(run),
                (run, RunRow::Started(started)) => {
                    if ended != Some(run) && kept.cancellation.concerns(run, &started.function) {
                        kept.cancellation.tell(run, done)?;
                    }
                }
            }
        }
        let is_full = u32::try_from(rows.len()).is_ok_and(|count| count >= CANCELLATION_RUNS_PER_TURN_MAX);
        let reached = rows.last().map_or_else(|| kept.reached.clone(), |last| format!("{}\0", last.key));
        done.write(key.clone(), &Kept { reached, done: !is_full, ..kept.clone() })?;
        Ok(None)
    }
}
