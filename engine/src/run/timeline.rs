//! The timeline of a run as people read it: another fold of the same journal.

use super::defer;
use super::journal::{self, Answered, Arrival, Entry, Record, Then, What};
use super::memo::Memo;
use super::message::{Returned, Start};
use super::pause;
use super::problem::Problem;
use super::rerun::Copied;
use super::state::State;
use super::summary;
use super::unit::UnitId;
use crate::error::Fault;
use crate::ids::{EventId, Millis, RunId, StepId};
use crate::turn::{Row, Turn};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Larger outputs are left out of a timeline; their size is told.
const OUTPUT_BYTES_SHOWN: usize = 16 << 10;

/// One step's life.
#[derive(Debug, Serialize)]
pub struct Step {
    id: StepId,
    name: String,
    /// `run`, `sleep`, `waitForEvent`, `waitForSignal`, `invoke`, or what the SDK calls it (`step.sendEvent`).
    op: String,
    status: StepStatus,
    /// It was found together with others.
    parallel: bool,
    queued_at_ms: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wake_at_ms: Option<Millis>,
    /// What it waits or waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    awaits: Option<Awaited>,
    /// What it waited for did not come in time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    timed_out: bool,
    /// Its result was copied from the run that this one repeats.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    copied: bool,
    attempts: Vec<Attempt>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
}

/// What a step waits for.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Awaited {
    /// An event.
    Event {
        /// Its name.
        name: String,
        /// What it must be like.
        #[serde(skip_serializing_if = "Option::is_none", rename = "if")]
        condition: Option<String>,
        /// The one that came.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<EventId>,
    },
    /// A signal.
    Signal {
        /// Its name.
        name: String,
    },
    /// The end of an invoked run.
    Run {
        /// What runs.
        function: String,
        /// The run, once it has ended.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<RunId>,
    },
}

/// Where a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StepStatus {
    /// Found, and waiting for its call or in it.
    Planned,
    /// Threw, and will be tried again.
    Retrying,
    /// Resting.
    Sleeping,
    /// Waits for an event or a signal.
    Waiting,
    /// Waits for the run that it invoked.
    Invoking,
    /// Has a result.
    Completed,
    /// Threw for good.
    Failed,
}

impl Step {
    /// Keeps what the step gave, or how much it was.
    fn show(&mut self, output: &RawValue) {
        self.output_bytes = Some(output.get().len());
        self.output = (output.get().len() <= OUTPUT_BYTES_SHOWN).then(|| output.to_owned());
    }
}

/// A memo's two wrapped forms (PROTOCOL §3.9); an awaited event, which has a `data` too, is no such thing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outcome {
    data: Option<Box<RawValue>>,
    error: Option<Box<RawValue>>,
}

/// A failed attempt.
#[derive(Debug, Serialize)]
pub struct Attempt {
    number: u32,
    at_ms: Millis,
    error: Problem,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at_ms: Option<Millis>,
}

#[derive(Serialize)]
struct Timeline<'a> {
    run: summary::Summary<'a>,
    journal_rows: u32,
    steps: Vec<Step>,
    /// Failed attempts of the function itself, or of reaching it.
    attempts: Vec<Attempt>,
    /// What is to run once the run is over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    defers: Vec<defer::View<'a>>,
}

/// The timeline that these journal rows fold to as of now, as JSON.
///
/// # Errors
/// Rows that are no journal.
pub fn of(rows: &[Row], turn: &Turn<'_>) -> Result<Box<RawValue>, Fault> {
    let mut rows = rows
        .iter()
        .map(|row| serde_json::from_slice::<journal::Row>(&row.value).map_err(|e| Fault::new("journal row", e)));
    let first = rows.next().ok_or_else(|| Fault::new("journal", "it is empty"))??;
    let Entry::Started(start) = first.entry else {
        return Err(Fault::new("journal", "the first row does not start a run"));
    };
    let mut fold = Fold::new(first.at_ms, start);
    for row in rows {
        fold.apply(&row?);
    }
    let timeline = Timeline {
        run: summary::of(&fold.state, turn),
        journal_rows: fold.state.rows,
        steps: fold.steps,
        attempts: fold.attempts,
        defers: fold.state.defers.views(),
    };
    serde_json::value::to_raw_value(&timeline).map_err(|e| Fault::new("timeline", e))
}

/// The journal's entries as they are stored, but for the secrets in requests that the server makes.
///
/// # Errors
/// Rows that are not JSON.
pub fn journal(rows: &[Row]) -> Result<Vec<Box<RawValue>>, Fault> {
    let unreadable = |e| Fault::new("journal row", e);
    let shown = |row: &Row| {
        let entry: journal::Row = serde_json::from_slice(&row.value).map_err(unreadable)?;
        match without_secrets(entry) {
            Some(entry) => serde_json::value::to_raw_value(&entry).map_err(unreadable),
            None => serde_json::from_slice(&row.value).map_err(unreadable),
        }
    };
    rows.iter().map(shown).collect()
}

/// The row as people may see it; `None` where that is the row itself.
fn without_secrets(mut row: journal::Row) -> Option<journal::Row> {
    let Entry::Answered(answered) = &mut row.entry else { return None };
    let mut has_any = false;
    for record in &mut answered.steps {
        if let What::Asked { errand } = &mut record.what {
            **errand = errand.shown();
            has_any = true;
        }
    }
    has_any.then_some(row)
}

struct Fold {
    state: State,
    steps: Vec<Step>,
    places: BTreeMap<StepId, usize>,
    attempts: Vec<Attempt>,
}

impl Fold {
    fn new(at: Millis, start: Start) -> Self {
        let copied = start.rerun.as_ref().map(|rerun| rerun.copied.clone()).unwrap_or_default();
        let state = State::new(at, start);
        let mut fold = Self { state, steps: Vec::new(), places: BTreeMap::new(), attempts: Vec::new() };
        copied.iter().for_each(|copied| fold.copied(at, copied));
        fold
    }

    /// A step whose result was there from the start.
    fn copied(&mut self, at: Millis, copied: &Copied) {
        let step = self.step(&copied.id, &copied.name, "run", at);
        step.copied = true;
        let status = match serde_json::from_str(copied.memo.get()) {
            Ok(Outcome { error: Some(error), .. }) => {
                step.error = Some(Problem::read(&error));
                StepStatus::Failed
            }
            Ok(Outcome { data: Some(data), .. }) => {
                step.show(&data);
                StepStatus::Completed
            }
            Ok(_) | Err(_) => {
                step.show(&copied.memo);
                StepStatus::Completed
            }
        };
        self.end(at, &copied.id, status);
    }

    fn apply(&mut self, row: &journal::Row) {
        match &row.entry {
            Entry::Answered(answered) => self.answered(row.at_ms, answered),
            Entry::Checkpointed(saved) => {
                let queued_at = self.queued_at(&saved.unit, row.at_ms);
                saved.steps.iter().for_each(|record| self.record(row.at_ms, queued_at, false, record));
            }
            Entry::Woken { steps } => {
                for id in steps {
                    self.time_over(row.at_ms, id);
                }
            }
            Entry::Resumed { step, by } => self.resumed(row.at_ms, step, by),
            Entry::Started(_)
            | Entry::Began {}
            | Entry::Redispatched { .. }
            | Entry::Cancelled { .. }
            | Entry::Skipped { .. }
            | Entry::GivenUp { .. } => {}
        }
        self.state.apply(row);
    }

    fn queued_at(&self, unit: &UnitId, or: Millis) -> Millis {
        self.state.units.get(unit).map_or(or, |unit| unit.due)
    }

    fn answered(&mut self, at: Millis, answered: &Answered) {
        let queued_at = self.queued_at(&answered.unit, at);
        let parallel = answered.steps.len() > 1;
        for record in &answered.steps {
            self.record(at, queued_at, parallel, record);
        }
        let (step, problem, retry_at_ms) = match &answered.then {
            Then::Retry { step, problem, retry_at_ms } => (step.as_ref(), problem, Some(*retry_at_ms)),
            Then::Fail { problem } => (None, problem, None),
            Then::Proceed | Then::Again {} | Then::Complete { .. } => return,
        };
        let attempt = Attempt { number: answered.attempt, at_ms: at, error: problem.clone(), retry_at_ms };
        let planned = match &answered.unit {
            UnitId::Step(id) => Some(id),
            UnitId::Discovery(_) => None,
        };
        match step.map(|thrown| &thrown.id).or(planned) {
            Some(id) => {
                let name = step.map_or("", |thrown| thrown.name.as_str());
                let step = self.step(id, name, "run", queued_at);
                step.attempts.push(attempt);
                if retry_at_ms.is_some() {
                    step.status = StepStatus::Retrying;
                }
            }
            None => self.attempts.push(attempt),
        }
    }

    fn record(&mut self, at: Millis, queued_at: Millis, parallel: bool, record: &Record) {
        if self.state.memos.contains_key(&record.id) {
            return;
        }
        match &record.what {
            What::Ran { data, kind, timing } => {
                let step = self.step(&record.id, &record.name, kind.as_deref().unwrap_or("run"), queued_at);
                step.started_at_ms = Some(timing.map_or(queued_at, |timing| timing.started_at_ms));
                step.show(data);
                self.end(at, &record.id, StepStatus::Completed);
            }
            What::Stored { .. } => {
                let output = Memo::of(&record.what).and_then(|memo| RawValue::from_string(memo.json().to_owned()).ok());
                self.step(&record.id, &record.name, "run", queued_at).output = output;
                self.end(at, &record.id, StepStatus::Completed);
            }
            What::Failed { problem } => {
                self.step(&record.id, &record.name, "run", queued_at).error = Some(problem.clone());
                self.end(at, &record.id, StepStatus::Failed);
            }
            What::Asked { errand } => {
                let step = self.step(&record.id, &record.name, errand.kind.op(), at);
                step.parallel = parallel;
                step.started_at_ms.get_or_insert(at);
            }
            What::Planned { .. } => self.step(&record.id, &record.name, "run", at).parallel = parallel,
            What::Slept { until_ms } => {
                let step = self.step(&record.id, &record.name, "sleep", at);
                step.status = StepStatus::Sleeping;
                step.parallel = parallel;
                step.started_at_ms.get_or_insert(at);
                step.wake_at_ms.get_or_insert(*until_ms);
            }
            What::Waited { event, condition, until_ms, .. } => {
                let awaits = Awaited::Event { name: event.clone(), condition: condition.clone(), id: None };
                self.wait(at, record, parallel, *until_ms, ("waitForEvent", StepStatus::Waiting, awaits));
            }
            What::AwaitedSignal { signal, until_ms, .. } => {
                let awaits = Awaited::Signal { name: signal.clone() };
                self.wait(at, record, parallel, *until_ms, ("waitForSignal", StepStatus::Waiting, awaits));
            }
            What::Invoked { function, until_ms, .. } => {
                let awaits = Awaited::Run { function: function.clone(), id: None };
                self.wait(at, record, parallel, *until_ms, ("invoke", StepStatus::Invoking, awaits));
            }
            What::Deferred(_) | What::Discovery => {}
        }
    }

    /// A step begins to wait; what was said first stands.
    fn wait(
        &mut self,
        at: Millis,
        record: &Record,
        parallel: bool,
        until: Millis,
        (op, status, awaits): (&str, StepStatus, Awaited),
    ) {
        let step = self.step(&record.id, &record.name, op, at);
        step.status = status;
        step.parallel = parallel;
        step.started_at_ms.get_or_insert(at);
        step.wake_at_ms.get_or_insert(until);
        step.awaits.get_or_insert(awaits);
    }

    /// A sleep is over, or a wait in vain.
    fn time_over(&mut self, at: Millis, id: &StepId) {
        let invoked = self.state.pauses.get(id).map(|pause| matches!(pause.awaits, pause::Awaits::Return { .. }));
        let step = self.step(id, "", "run", at);
        step.timed_out = step.awaits.is_some();
        self.end(at, id, if invoked == Some(true) { StepStatus::Failed } else { StepStatus::Completed });
    }

    /// What a step waited for has come.
    fn resumed(&mut self, at: Millis, id: &StepId, by: &Arrival) {
        let step = self.step(id, "", "run", at);
        let mut status = StepStatus::Completed;
        let output = match (by, &mut step.awaits) {
            (Arrival::Event { id, event, .. }, Some(Awaited::Event { id: came, .. })) => {
                *came = Some(*id);
                event
            }
            (Arrival::Return { run, returned }, Some(Awaited::Run { id, .. })) => {
                *id = *run;
                match returned {
                    Returned::Value(value) => value,
                    Returned::Error(error) => {
                        step.error = Some(Problem::read(error));
                        status = StepStatus::Failed;
                        error
                    }
                }
            }
            (Arrival::Signal { data, .. }, _) => data,
            (Arrival::Event { .. } | Arrival::Return { .. }, _) => return,
        };
        if status == StepStatus::Completed {
            step.show(output);
        }
        self.end(at, id, status);
    }

    /// The step with this id, made where it is new.
    fn step(&mut self, id: &StepId, name: &str, op: &str, queued_at_ms: Millis) -> &mut Step {
        let known = self.places.get(id).copied().filter(|place| *place < self.steps.len());
        let place = known.unwrap_or_else(|| {
            self.steps.push(Step {
                id: id.clone(),
                name: name.to_owned(),
                op: op.to_owned(),
                status: StepStatus::Planned,
                parallel: false,
                queued_at_ms,
                started_at_ms: None,
                ended_at_ms: None,
                wake_at_ms: None,
                awaits: None,
                timed_out: false,
                copied: false,
                attempts: Vec::new(),
                output: None,
                output_bytes: None,
                error: None,
            });
            self.steps.len().saturating_sub(1)
        });
        self.places.insert(id.clone(), place);
        #[expect(clippy::indexing_slicing, reason = "place is below len: either just pushed, or checked above")]
        &mut self.steps[place]
    }

    fn end(&mut self, at: Millis, id: &StepId, status: StepStatus) {
        let step = self.step(id, "", "run", at);
        step.status = status;
        step.ended_at_ms = Some(at);
    }
}
