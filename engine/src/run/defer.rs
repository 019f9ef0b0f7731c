//! Functions that are to run once this run is over, however it ends (PROTOCOL §7.14, SERVER §7.6).
//!
//! What is deferred is kept with the run and drives nothing: it enters no stack, and no call is made for it. When the run is
//! over, each deferral that stands becomes an event, which starts the deferred function.

use super::finish::{self, Own};
use super::journal::{Record, What};
use super::state::State;
use crate::error::Fault;
use crate::ids::{EventId, FunctionId, Millis, RunId, StepId, uuid_of};
use crate::limits::{DEFERS_BYTES_MAX, DEFERS_PER_RUN_MAX};
use crate::shard::Shards;
use crate::turn::Done;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The event that starts deferred functions.
const DEFERRED: &str = "inngest/deferred.schedule";

/// What an app says of a deferral.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Deferral {
    /// This function is to run with this input.
    Add {
        /// Its slug.
        function: String,
        /// What it gets: a JSON object.
        input: Box<RawValue>,
    },
    /// It was said to, and cannot: the run goes on (SERVER §7.6).
    Refuse {
        /// Its slug.
        function: String,
        /// Why it cannot.
        reason: String,
    },
    /// The one that was added under `target` is not to run after all.
    Abort {
        /// The id of its op.
        target: StepId,
    },
}

/// Deferrals of one run.
#[derive(Clone, Debug, Default)]
pub struct Defers {
    known: BTreeMap<StepId, Known>,
    input_bytes: usize,
    changes: u32,
}

/// One deferral.
#[derive(Clone, Debug)]
struct Known {
    function: String,
    name: String,
    standing: Standing,
}

#[derive(Clone, Debug)]
enum Standing {
    Scheduled(Box<RawValue>),
    Aborted,
    Refused(String),
}

/// A deferral, as people read it.
#[derive(Debug, Serialize)]
pub struct View<'a> {
    id: &'a StepId,
    name: &'a str,
    function: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl Defers {
    /// Takes in what the op `record` says. What was added first stands, and adding is not undone by adding.
    pub fn apply(&mut self, record: &Record) {
        let What::Deferred(deferral) = &record.what else { return };
        match deferral {
            Deferral::Add { function, input } => self.add(record, function, Standing::Scheduled(input.clone())),
            Deferral::Refuse { function, reason } => self.add(record, function, Standing::Refused(reason.clone())),
            Deferral::Abort { target } => {
                if let Some(known @ Known { standing: Standing::Scheduled(_), .. }) = self.known.get_mut(target) {
                    known.standing = Standing::Aborted;
                    self.changes = self.changes.saturating_add(1);
                }
            }
        }
    }

    fn add(&mut self, record: &Record, function: &str, standing: Standing) {
        if self.known.contains_key(&record.id) {
            return;
        }
        if let Standing::Scheduled(input) = &standing {
            self.input_bytes = self.input_bytes.saturating_add(input.get().len());
        }
        let known = Known { function: function.to_owned(), name: record.name.clone(), standing };
        self.known.insert(record.id.clone(), known);
        self.changes = self.changes.saturating_add(1);
    }

    /// Counts what was said and not known before.
    #[must_use]
    pub const fn changes(&self) -> u32 {
        self.changes
    }

    /// Whether `record` says nothing that is not known.
    #[must_use]
    pub fn knows(&self, record: &Record) -> bool {
        match &record.what {
            What::Deferred(Deferral::Abort { target }) => {
                !matches!(self.known.get(target), Some(Known { standing: Standing::Scheduled(_), .. }))
            }
            _ => self.known.contains_key(&record.id),
        }
    }

    /// Writes `{"<id>":{"abortable":…},…}`, as calls carry it.
    ///
    /// # Errors
    /// None in practice; JSON's in principle.
    pub fn write(&self, to: &mut String) -> Result<(), Fault> {
        #[derive(Serialize)]
        struct Told {
            abortable: bool,
        }
        let told = |known: &Known| Told { abortable: matches!(known.standing, Standing::Scheduled(_)) };
        let told: BTreeMap<_, _> = self.known.iter().map(|(id, known)| (id, told(known))).collect();
        to.push_str(&serde_json::to_string(&told).map_err(|e| Fault::new("deferrals", e))?);
        Ok(())
    }

    /// All of them, by their ids.
    pub fn views(&self) -> Vec<View<'_>> {
        fn of(standing: &Standing) -> (&'static str, Option<&str>) {
            match standing {
                Standing::Scheduled(_) => ("scheduled", None),
                Standing::Aborted => ("aborted", None),
                Standing::Refused(reason) => ("rejected", Some(reason.as_str())),
            }
        }
        let views = self.known.iter().map(|(id, known)| {
            let (status, reason) = of(&known.standing);
            View { id, name: &known.name, function: &known.function, status, reason }
        });
        views.collect()
    }
}

/// Refuses, among the news of one answer, the deferrals that the run has no room for; says nothing that is known again.
pub fn admit(state: &State, steps: &mut Vec<Record>) {
    let mut defers = state.defers.clone();
    steps.retain_mut(|step| {
        if !matches!(step.what, What::Deferred(_)) {
            return true;
        }
        if defers.knows(step) {
            return false;
        }
        if let What::Deferred(Deferral::Add { function, input }) = &step.what
            && let Some(reason) = no_room(&defers, input)
        {
            step.what = What::Deferred(Deferral::Refuse { function: function.clone(), reason });
        }
        defers.apply(step);
        true
    });
}

fn no_room(defers: &Defers, input: &RawValue) -> Option<String> {
    if defers.known.len() >= DEFERS_PER_RUN_MAX {
        return Some(format!("a run defers at most {DEFERS_PER_RUN_MAX} functions"));
    }
    let bytes = defers.input_bytes.saturating_add(input.get().len());
    (bytes > DEFERS_BYTES_MAX).then(|| format!("the inputs of a run's deferrals are at most {DEFERS_BYTES_MAX} bytes"))
}

/// Starts what was deferred, now that the run is over since `at`. Derived from the state, so saying it twice is saying it once.
///
/// # Errors
/// A state that cannot be written as JSON.
pub fn start(state: &State, shards: Shards, at: Millis, done: &mut Done) -> Result<(), Fault> {
    for (id, known) in &state.defers.known {
        let Standing::Scheduled(input) = &known.standing else { continue };
        let marker = Marker {
            fn_slug: &known.function,
            parent_fn_id: uuid_of(state.start.function.as_str()),
            parent_fn_slug: &state.start.function,
            parent_run_id: state.start.run,
        };
        let marker = serde_json::value::to_raw_value(&marker).map_err(|e| Fault::new("deferral", e))?;
        let mut data: BTreeMap<String, Box<RawValue>> =
            serde_json::from_str(input.get()).map_err(|e| Fault::new("input of a deferral", e))?;
        data.insert("_inngest".to_owned(), marker);
        let run = state.start.run;
        let event = EventId::derived_of(run, at, &format!("{DEFERRED}/{run}/{id}"));
        let meta = finish::meta_of(state.trigger());
        let own = Own { id: event, told_id: event.to_string(), name: DEFERRED, at, meta };
        finish::send_event(shards, own, &data, done)?;
    }
    Ok(())
}

/// What the deferred function finds beside its input.
#[derive(Serialize)]
struct Marker<'a> {
    fn_slug: &'a str,
    parent_fn_id: String,
    parent_fn_slug: &'a FunctionId,
    parent_run_id: RunId,
}
