//! Which runs a gate has been shown, and when: for so long that nothing comes twice by then.
//!
//! One row a run, `<prefix>/<run>`, which holds the moment. A gate may have several such lists.

use crate::error::Fault;
use crate::ids::{Millis, RunId};
use crate::limits::GATE_ROWS_FORGOTTEN_PER_TURN_MAX;
use crate::turn::{Done, Row};
use std::collections::{BTreeMap, BTreeSet};

/// The runs, by id and by moment.
#[derive(Debug)]
pub struct Seen {
    prefix: &'static str,
    at: BTreeMap<RunId, Millis>,
    order: BTreeSet<(Millis, RunId)>,
}

impl Seen {
    /// None yet; in rows with this prefix.
    pub const fn new(prefix: &'static str) -> Self {
        Self { prefix, at: BTreeMap::new(), order: BTreeSet::new() }
    }

    /// Takes in a row, where it is one of these; says whether it is.
    ///
    /// # Errors
    /// A row that this does not write.
    pub fn fold(&mut self, row: &Row) -> Result<bool, Fault> {
        let rest = row.key.strip_prefix(self.prefix).and_then(|rest| rest.strip_prefix('/'));
        let Some(run) = rest else { return Ok(false) };
        let run = RunId::parse(run).ok_or_else(|| Fault::new("row of a gate", format!("the key {:?}", row.key)))?;
        let at = serde_json::from_slice(&row.value).map_err(|error| Fault::new("row of a gate", error))?;
        self.insert(run, at);
        Ok(true)
    }

    /// Whether the run has been seen.
    pub fn has(&self, run: RunId) -> bool {
        self.at.contains_key(&run)
    }

    /// Notes a run that is shown at this moment; whether it had not been seen.
    ///
    /// # Errors
    /// As [`Seen::note`].
    pub fn is_new(&mut self, run: RunId, at: Millis, done: &mut Done) -> Result<bool, Fault> {
        if self.has(run) {
            return Ok(false);
        }
        self.note(run, at, done)?;
        Ok(true)
    }

    /// The run was seen at this moment.
    ///
    /// # Errors
    /// None in practice; JSON's in principle.
    pub fn note(&mut self, run: RunId, at: Millis, done: &mut Done) -> Result<(), Fault> {
        done.write(self.key(run), &at)?;
        self.insert(run, at);
        Ok(())
    }

    /// When the `n`th newest was seen, counted from 1.
    pub fn nth_newest(&self, n: u32) -> Option<Millis> {
        let behind = usize::try_from(n).unwrap_or(usize::MAX).saturating_sub(1);
        self.order.iter().rev().nth(behind).map(|(at, _)| *at)
    }

    /// Forgets a bounded number of those that are older than `span`, and says when the next one is.
    pub fn forget(&mut self, span: Millis, now: Millis, done: &mut Done) -> Option<Millis> {
        for _ in 0..GATE_ROWS_FORGOTTEN_PER_TURN_MAX {
            let (at, run) = *self.order.first()?;
            if at.plus(span) > now {
                return Some(at.plus(span));
            }
            self.order.remove(&(at, run));
            self.at.remove(&run);
            done.delete(self.key(run));
        }
        self.order.first().map(|(at, _)| at.plus(span))
    }

    fn insert(&mut self, run: RunId, at: Millis) {
        if let Some(before) = self.at.insert(run, at) {
            self.order.remove(&(before, run));
        }
        self.order.insert((at, run));
    }

    fn key(&self, run: RunId) -> String {
        format!("{}/{run}", self.prefix)
    }
}
