//! What must hold, whatever happens. Checked after every commit, at every call, and at the end.

use crate::app::program::Program;
use crate::app::{Expected, expected};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A promise, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// An acknowledged event starts each matching function exactly once.
    StartsOnce,
    /// A recorded result never changes.
    ResultsStay,
    /// A step whose result was acknowledged to the app is never asked for again.
    AcknowledgedStays,
    /// At most one live attempt per unit of work.
    OneLiveAttempt,
    /// A sleep is never early.
    SleepsAreNotEarly,
    /// A run ends exactly once, and so does the news of it.
    EndsOnce,
    /// What is hot is the fold of the rows.
    HotIsTheFold,
    /// When faults stop, every run ends and nothing is owed.
    EverythingEnds,
    /// A run comes to what its program says.
    MeetsTheModel,
    /// No decision fails.
    NoFault,
    /// Rows stay within their bounds.
    WithinBounds,
}

impl fmt::Display for Invariant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.invariant, self.what)
    }
}

/// Breaks a promise unless `holds`.
///
/// # Errors
/// The violation.
pub fn require(holds: bool, invariant: Invariant, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { invariant, what: what() }) }
}

/// Rows that a journal may hold in these worlds: far more than any program needs.
const JOURNAL_ROWS_MAX: usize = 2_000;

/// What was seen of one run.
#[derive(Default)]
pub struct Watched {
    /// What it runs.
    pub function: String,
    /// The user's id of the event that started it.
    pub event: String,
    /// How it ended.
    pub ended: Option<&'static str>,
    /// What it returned.
    pub output: Value,
    /// Its finished steps as calls carried them.
    memos: BTreeMap<String, Value>,
    sleeps: BTreeMap<String, u64>,
    rows: usize,
    last: String,
}

impl Watched {
    /// Takes note of a new row of the journal.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn row(&mut self, run: &str, row: &Value) -> Result<(), Violation> {
        let entry = &row["entry"];
        self.last = row.to_string();
        let at = row["at_ms"].as_u64().unwrap_or(0);
        require(self.ended.is_none(), Invariant::EndsOnce, || format!("{run} has ended and got the row {row}"))?;
        self.rows = self.rows.saturating_add(1);
        require(self.rows < JOURNAL_ROWS_MAX, Invariant::WithinBounds, || format!("{run} has {} rows", self.rows))?;
        if let Some(start) = entry.get("Started") {
            start["function"].as_str().unwrap_or_default().clone_into(&mut self.function);
            start["events"][0]["id"].as_str().unwrap_or_default().clone_into(&mut self.event);
        }
        for steps in [&entry["Answered"]["steps"], &entry["Checkpointed"]["steps"]] {
            for step in steps.as_array().into_iter().flatten() {
                let id = step["id"].as_str().unwrap_or_default();
                if let Some(until) = step["what"]["Slept"]["until_ms"].as_u64() {
                    self.sleeps.entry(id.to_owned()).or_insert(until);
                }
            }
        }
        for id in entry["Woken"]["steps"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            let until = self.sleeps.get(id).copied().unwrap_or(u64::MAX);
            require(at >= until, Invariant::SleepsAreNotEarly, || format!("{run}: {id} ends at {at}, due {until}"))?;
        }
        let then = &entry["Answered"]["then"];
        self.ended = if let Some(complete) = then.get("Complete") {
            self.output = complete["output"].clone();
            Some("Completed")
        } else if then.get("Fail").is_some() || entry.get("GivenUp").is_some() {
            Some("Failed")
        } else if entry.get("Cancelled").is_some() {
            Some("Cancelled")
        } else {
            None
        };
        Ok(())
    }

    /// Takes note of the steps that a call carries.
    ///
    /// # Errors
    /// One of them was another before.
    pub fn call(&mut self, run: &str, steps: &Value) -> Result<(), Violation> {
        for (id, memo) in steps.as_object().into_iter().flatten() {
            let before = self.memos.entry(id.clone()).or_insert_with(|| memo.clone());
            require(before == memo, Invariant::ResultsStay, || format!("{run}: {id} was {before} and is {memo}"))?;
        }
        Ok(())
    }

    /// Compares the end with what the program says.
    ///
    /// # Errors
    /// It is something else.
    pub fn end(&self, run: &str, program: &Program, cancelled: bool) -> Result<(), Violation> {
        let met = match (self.ended, expected(program)) {
            (Some("Cancelled"), _) => cancelled,
            (Some("Failed"), Expected::Fails) => true,
            (Some("Completed"), Expected::Completes(names)) => {
                let members: Vec<_> = self.output.as_array().into_iter().flatten().collect();
                let same = |(member, name): (&&Value, &String)| {
                    member[0] == **name && self.memos.get(name).is_none_or(|memo| *memo == member[1])
                };
                members.len() == names.len() && members.iter().zip(&names).all(same)
            }
            _ => false,
        };
        require(met, Invariant::MeetsTheModel, || {
            let due = expected(program);
            format!("{run} of {} is {:?}, but {due:?} is due; its last row: {}", self.function, self.ended, self.last)
        })
    }
}

/// That every acknowledged event started each of its functions once, and nothing was started twice.
///
/// # Errors
/// It is not so.
pub fn starts_once(
    runs: &BTreeMap<String, Watched>,
    programs: &[Program],
    acknowledged: &BTreeMap<String, String>,
) -> Result<(), Violation> {
    let mut started: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for run in runs.values() {
        let count = started.entry((&run.event, &run.function)).or_default();
        *count = count.saturating_add(1);
    }
    for ((event, function), count) in &started {
        require(*count == 1, Invariant::StartsOnce, || format!("{event} started {function} {count} times"))?;
    }
    for (event, name) in acknowledged {
        let due: BTreeSet<String> =
            programs.iter().filter(|p| p.triggers.contains(name)).map(|p| format!("app-{}", p.name)).collect();
        for function in due {
            require(started.contains_key(&(event.as_str(), function.as_str())), Invariant::StartsOnce, || {
                format!("{event} ({name}) was acknowledged and has not started {function}")
            })?;
        }
    }
    Ok(())
}
