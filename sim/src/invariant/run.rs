//! What was seen of one run, and what must hold of it.

use super::journal::{Answered, Canceller, Checkpointed, Entry, Row, Started, Step, Then};
use super::pauses::{Awaits, Pause};
use super::reruns::Again;
use super::{Invariant, Violation, require};
use crate::app::StepOf;
use crate::app::program::{Program, Timeouts};
use crate::app::wire::EventBody;
use crate::reference::Plan;
use crate::story;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Rows that a journal may hold in these worlds: far more than any program needs.
const JOURNAL_ROWS_MAX: u32 = 2_000;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It returned this.
    Completed(String),
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// It was never to begin.
    Skipped,
}

/// What was seen of one run.
#[derive(Default)]
pub struct Seen {
    /// What it runs.
    pub function: String,
    /// What started it: the event's own name for itself.
    pub event: String,
    /// The names for themselves of all of a batch.
    pub events: Vec<String>,
    /// The name of that event.
    pub event_name: String,
    /// How it ended.
    pub ended: Option<Ended>,
    /// Finished steps: their memos as text, but for those that failed.
    pub memos: BTreeMap<String, Option<String>>,
    /// Finished steps, in the order of their ends.
    pub order: Vec<String>,
    /// Rows.
    pub rows: u32,
    /// Something came between, so that how often code runs is not determined.
    pub is_disturbed: bool,
    /// It may fail, whatever its program says.
    pub is_doomed: bool,
    /// The ids of the events that started it.
    pub event_ids: Vec<String>,
    /// The number in the data of the first.
    pub k: Option<u64>,
    /// When that was accepted.
    pub received_at: u64,
    /// When the run came to be.
    pub started_at: u64,
    /// When its first call could be made, where it had to wait for that.
    pub began_at: Option<u64>,
    /// When it ended.
    pub ended_at: Option<u64>,
    /// Who cancelled it.
    pub cancelled_by: Option<Canceller>,
    /// The code under which the server gave it up.
    pub given_up: Option<String>,
    /// The minute that it is for, where a schedule started it.
    pub minute: Option<u64>,
    /// What it has of the run that it repeats, where it is a rerun.
    pub again: Option<Again>,
    /// Its steps at rest, also those that are not any more.
    pub pauses: BTreeMap<String, Pause>,
    /// What it deferred: the function, while that stands.
    pub deferred: BTreeMap<String, Option<String>>,
    /// The signal that its newest row took, and what came with it.
    pub(super) heard: Option<(String, String)>,
    not_before: u64,
    first_due: u64,
    pub(super) plan: Option<Rc<Plan>>,
    last_key: String,
    pub(super) units: BTreeMap<String, Unit>,
    pub(super) carried: BTreeMap<String, String>,
}

/// A unit of work: a naive count of what happened to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    pub(super) generation: u32,
    pub(super) attempt: u32,
    /// Not to be called before.
    pub(super) due: u64,
    pub(super) is_over: bool,
}

impl Default for Unit {
    fn default() -> Self {
        Self { generation: 1, attempt: 0, due: 0, is_over: false }
    }
}

const fn ms(seconds: u64) -> u64 {
    seconds.saturating_mul(1_000)
}

fn unreadable(e: serde_json::Error) -> Violation {
    Violation { invariant: Invariant::NoFault, what: format!("a row cannot be read: {e}") }
}

/// What the checks of a row look at besides.
pub struct Around<'a> {
    /// The run.
    pub run: &'a str,
    /// The server's clock.
    pub clock: u64,
    /// What code has returned.
    pub returned: &'a BTreeMap<StepOf, BTreeSet<String>>,
    /// The data of events, by their own names.
    pub sent: &'a BTreeMap<String, super::watch::Event>,
    /// By function.
    pub plans: &'a BTreeMap<String, Rc<Plan>>,
    /// Also by function.
    pub programs: &'a BTreeMap<String, Rc<Program>>,
    /// Functions that were not registered all the time.
    pub lacked: &'a BTreeSet<String>,
    /// An event that came so long before a wait still ends it.
    pub look_back_ms: u64,
    /// Nothing goes wrong in this world.
    pub is_quiet: bool,
    /// The clock was set.
    pub has_clock_stepped: bool,
}

impl Around<'_> {
    /// The timeouts of a function, where they are the same all the time.
    fn timeouts(&self, function: &str) -> Option<Timeouts> {
        let is_stable = !self.lacked.contains(function);
        self.programs.get(function).filter(|_| is_stable).map(|program| program.timeouts)
    }
}

impl Seen {
    /// Takes note of a new row of the journal; gives a line for the story.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn row(&mut self, around: &Around<'_>, key: &str, value: &[u8]) -> Result<String, Violation> {
        let run = around.run;
        require(self.ended.is_none(), Invariant::EndsOnce, || {
            format!("{run} has ended and gets the row {}", String::from_utf8_lossy(value))
        })?;
        require(self.rows == 0 || key > self.last_key.as_str(), Invariant::KeysSortByTime, || {
            format!("{run} writes {key:?} after {:?}", self.last_key)
        })?;
        key.clone_into(&mut self.last_key);
        self.rows = self.rows.saturating_add(1);
        require(self.rows < JOURNAL_ROWS_MAX, Invariant::WithinBounds, || format!("{run} has {} rows", self.rows))?;
        let row = Row::read(value).map_err(unreadable)?;
        let entry = row.entry().map_err(unreadable)?;
        let line = story::row(&entry);
        self.is_in_time(around, row.at_ms, &entry)?;
        match entry {
            Entry::Started(started) => self.started(around, row.at_ms, &started)?,
            Entry::Answered(answered) => self.answered(around, row.at_ms, &answered)?,
            Entry::Checkpointed(saved) => self.saved(around, row.at_ms, &saved)?,
            Entry::Resumed(step, arrival) => self.resumed(around, row.at_ms, &step, &arrival)?,
            Entry::Woken(steps) => self.woken(around, row.at_ms, steps)?,
            Entry::Redispatched(units) => {
                self.is_disturbed |= !units.is_empty();
                for unit in units {
                    let unit = self.units.entry(unit).or_default();
                    unit.generation = unit.generation.saturating_add(1);
                }
            }
            Entry::Cancelled(by) => {
                self.ended = Some(Ended::Cancelled);
                self.cancelled_by = Some(by);
            }
            Entry::GivenUp(code) => {
                self.ended = Some(Ended::Failed);
                self.given_up = Some(code);
            }
            Entry::Began => {
                require(self.began_at.is_none(), Invariant::LimitsHold, || format!("{run} begins twice"))?;
                self.began_at = Some(row.at_ms);
            }
            Entry::Skipped => self.ended = Some(Ended::Skipped),
            Entry::Other(_) => self.is_disturbed = true,
        }
        if self.ended.is_some() {
            self.ended_at = Some(row.at_ms);
        }
        Ok(line)
    }

    /// Nothing happens to a run whose time is over but its end.
    fn is_in_time(&self, around: &Around<'_>, at: u64, entry: &Entry<'_>) -> Result<(), Violation> {
        let Some(timeouts) = around.timeouts(&self.function) else { return Ok(()) };
        let wanted = self.received_at.max(self.not_before);
        let is_late = timeouts.start_s.is_some_and(|seconds| self.started_at > wanted.saturating_add(ms(seconds)));
        let is_over = timeouts.finish_s.is_some_and(|seconds| at >= self.first_due.saturating_add(ms(seconds)));
        let by = if let Entry::Cancelled(by) = entry { Some(by) } else { None };
        let holds = match by {
            Some(Canceller::StartTimeout) => is_late,
            Some(Canceller::FinishTimeout) => is_over,
            // Whoever cancels it as well is as good.
            Some(_) => true,
            None => !is_late && !is_over,
        };
        require(holds, Invariant::TimeoutsHold, || {
            format!(
                "{} of {} is told {entry:?} at {at}, begun at {} for {wanted}",
                around.run, self.function, self.started_at
            )
        })
    }

    fn started(&mut self, around: &Around<'_>, at: u64, started: &Started<'_>) -> Result<(), Violation> {
        started.function.clone_into(&mut self.function);
        self.plan = around.plans.get(&started.function).cloned();
        let Some(event) = started.events.first() else { return Ok(()) };
        let whole = event.get();
        let event: EventBody<'_> = serde_json::from_str(whole).map_err(unreadable)?;
        self.event = super::watch::identity(&event);
        for event in &started.events {
            let event: EventBody<'_> = serde_json::from_str(event.get()).map_err(unreadable)?;
            self.events.push(super::watch::identity(&event));
        }
        self.event_name = event.name;
        self.k = super::watch::k_of(event.data);
        self.event_ids.clone_from(&started.event_ids);
        (self.received_at, self.started_at) = (started.received_at, at);
        self.not_before = started.not_before.unwrap_or(0);
        self.first_due = self.not_before.max(at);
        if let Some(sent) = around.sent.get(&self.event) {
            require(event.data.get() == sent.data, Invariant::PayloadsAreOpaque, || {
                format!("{} was sent with {} and starts a run with {}", self.event, sent.data, event.data)
            })?;
            let first = self.units.entry("discovery:0".to_owned()).or_default();
            // A clock that is set back afterwards makes it no future event.
            let is_future = |due: &u64| started.rerun.is_none() && *due > started.received_at;
            first.due = sent.not_before.filter(is_future).unwrap_or(0);
        }
        self.minute = (self.event_name == super::crons::SCHEDULED).then(|| super::crons::minute_of(whole)).flatten();
        self.is_on_schedule(around)?;
        if let Some(rerun) = &started.rerun {
            self.begins_again(around, rerun)?;
        }
        Ok(())
    }

    fn answered(&mut self, around: &Around<'_>, at: u64, answered: &Answered<'_>) -> Result<(), Violation> {
        self.is_current(around, &answered.unit, answered.generation)?;
        let then = answered.then().map_err(unreadable)?;
        let mut asks = false;
        for (id, step) in answered.steps().map_err(unreadable)? {
            self.step(around, at, id, &step)?;
            // The app was called for just this step, and says what is to be done for it.
            asks |= matches!(step, Step::Asked) && answered.unit == format!("step:{id}");
        }
        let unit = self.units.entry(answered.unit.clone()).or_default();
        match then {
            Then::Retry(due) => {
                unit.generation = unit.generation.saturating_add(1);
                unit.attempt = unit.attempt.saturating_add(1);
                unit.due = due;
            }
            Then::Proceed if asks => {
                (unit.generation, unit.attempt) = (unit.generation.saturating_add(1), 0);
            }
            Then::Proceed => unit.is_over = true,
            Then::Again => {
                unit.generation = unit.generation.saturating_add(1);
                // What was due has been called, wherever the clock stands now.
                unit.due = at;
            }
            Then::Complete(output) => self.ended = Some(Ended::Completed(output.to_owned())),
            Then::Fail => self.ended = Some(Ended::Failed),
        }
        Ok(())
    }

    fn saved(&mut self, around: &Around<'_>, at: u64, saved: &Checkpointed<'_>) -> Result<(), Violation> {
        self.is_current(around, &saved.unit, saved.generation)?;
        for (id, step) in saved.steps().map_err(unreadable)? {
            self.step(around, at, id, &step)?;
        }
        self.units.entry(saved.unit.clone()).or_default().attempt = 0;
        Ok(())
    }

    /// Whether what a row takes in belongs to the attempt that is current.
    fn is_current(&self, around: &Around<'_>, unit: &str, generation: u32) -> Result<(), Violation> {
        let held = self.units.get(unit).copied().unwrap_or_default();
        require(held.generation == generation && !held.is_over, Invariant::AttemptsAreFenced, || {
            format!("{} takes in {unit}/{generation} where it is {held:?}", around.run)
        })
    }

    fn step(&mut self, around: &Around<'_>, at: u64, id: &str, step: &Step<'_>) -> Result<(), Violation> {
        match step {
            Step::Ran(data) => {
                let key = (around.run.to_owned(), id.to_owned());
                let is_known = around.returned.get(&key).is_some_and(|returned| returned.contains(*data));
                require(is_known, Invariant::PayloadsAreOpaque, || {
                    format!("{}: {id} is recorded as {data}, which its code never returned", around.run)
                })?;
                self.finish(around, id, Some(format!("{{\"data\":{data}}}")))
            }
            Step::Stored(memo) => self.finish(around, id, Some((*memo).to_owned())),
            Step::Failed => self.finish(around, id, None),
            Step::Slept(until) => self.pause(around, at, id, *until, Awaits::Nothing),
            Step::Waited(event, until) => self.pause(around, at, id, *until, Awaits::Event(event.clone())),
            Step::AwaitedSignal(signal, until) => self.pause(around, at, id, *until, Awaits::Signal(signal.clone())),
            Step::Invoked(_, until) => self.pause(around, at, id, *until, Awaits::Return),
            Step::Deferred(deferral) => {
                self.defers(id, deferral);
                Ok(())
            }
            Step::Planned | Step::Asked | Step::Other => Ok(()),
        }
    }

    pub(super) fn finish(&mut self, around: &Around<'_>, id: &str, memo: Option<String>) -> Result<(), Violation> {
        // The first result wins; a later one may be written down, and changes nothing.
        if self.memos.contains_key(id) {
            return Ok(());
        }
        if let Some(plan) = &self.plan {
            let missing = plan.missing_before(id, &self.memos);
            require(missing.is_none(), Invariant::StepsFollowTheProgram, || {
                format!("{}: {id} ends before {missing:?}", around.run)
            })?;
        }
        self.memos.insert(id.to_owned(), memo);
        self.order.push(id.to_owned());
        if let Some(unit) = self.units.get_mut(&format!("step:{id}")) {
            unit.is_over = true;
        }
        Ok(())
    }
}
