//! What was seen of one run, and what must hold of it.

use super::journal::{Answered, Checkpointed, Entry, Row, Started, Step, Then};
use super::{Invariant, Violation, require};
use crate::app::StepOf;
use crate::app::wire::{CallBody, EventBody};
use crate::reference::{Due, Plan};
use crate::story;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// Rows that a journal may hold in these worlds: far more than any program needs.
const JOURNAL_ROWS_MAX: u32 = 2_000;
/// How late a sleep may end where nothing goes wrong: a tick of the slowest home, and the turns on the way.
const LATE_MS_MAX: u64 = 16_000;

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It returned this.
    Completed(String),
    /// It failed.
    Failed,
    /// It was cancelled.
    Cancelled,
}

/// What was seen of one run.
#[derive(Default)]
pub struct Seen {
    /// What it runs.
    pub function: String,
    /// What started it: the event's own name for itself.
    pub event: String,
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
    plan: Option<Rc<Plan>>,
    last_key: String,
    sleeps: BTreeMap<String, u64>,
    units: BTreeMap<String, Unit>,
    carried: BTreeMap<String, String>,
}

/// A unit of work: a naive count of what happened to it.
#[derive(Clone, Copy, Debug)]
struct Unit {
    generation: u32,
    attempt: u32,
    /// Not to be called before.
    due: u64,
    is_over: bool,
}

impl Default for Unit {
    fn default() -> Self {
        Self { generation: 1, attempt: 0, due: 0, is_over: false }
    }
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
    /// Nothing goes wrong in this world.
    pub is_quiet: bool,
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
        match entry {
            Entry::Started(started) => self.started(around, &started)?,
            Entry::Answered(answered) => self.answered(around, row.at_ms, &answered)?,
            Entry::Checkpointed(saved) => self.saved(around, row.at_ms, &saved)?,
            Entry::Woken(steps) => self.woken(around, steps)?,
            Entry::Redispatched(units) => {
                self.is_disturbed |= !units.is_empty();
                for unit in units {
                    let unit = self.units.entry(unit).or_default();
                    unit.generation = unit.generation.saturating_add(1);
                }
            }
            Entry::Cancelled => self.ended = Some(Ended::Cancelled),
            Entry::GivenUp => self.ended = Some(Ended::Failed),
            Entry::Other(_) => self.is_disturbed = true,
        }
        Ok(line)
    }

    fn started(&mut self, around: &Around<'_>, started: &Started<'_>) -> Result<(), Violation> {
        started.function.clone_into(&mut self.function);
        self.plan = around.plans.get(&started.function).cloned();
        let Some(event) = started.events.first() else { return Ok(()) };
        let event: EventBody<'_> = serde_json::from_str(event.get()).map_err(unreadable)?;
        self.event = super::watch::identity(&event);
        self.event_name = event.name;
        if let Some(sent) = around.sent.get(&self.event) {
            require(event.data.get() == sent.data, Invariant::PayloadsAreOpaque, || {
                format!("{} was sent with {} and starts a run with {}", self.event, sent.data, event.data)
            })?;
            let first = self.units.entry("discovery:0".to_owned()).or_default();
            first.due = sent.not_before.unwrap_or(0);
        }
        Ok(())
    }

    fn answered(&mut self, around: &Around<'_>, at: u64, answered: &Answered<'_>) -> Result<(), Violation> {
        self.is_current(around, &answered.unit, answered.generation)?;
        let then = answered.then().map_err(unreadable)?;
        for (id, step) in answered.steps().map_err(unreadable)? {
            self.step(around, at, id, &step)?;
        }
        let unit = self.units.entry(answered.unit.clone()).or_default();
        match then {
            Then::Retry(due) => {
                unit.generation = unit.generation.saturating_add(1);
                unit.attempt = unit.attempt.saturating_add(1);
                unit.due = due;
            }
            Then::Proceed => unit.is_over = true,
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

    fn woken(&mut self, around: &Around<'_>, steps: Vec<String>) -> Result<(), Violation> {
        let (run, clock) = (around.run, around.clock);
        for id in steps {
            let until = self.sleeps.get(&id).copied().unwrap_or(u64::MAX);
            require(clock >= until, Invariant::SleepsAreNotEarly, || {
                format!("{run}: {id} ends at {clock}, due at {until}")
            })?;
            let latest = until.saturating_add(LATE_MS_MAX);
            require(clock <= latest || !around.is_quiet || self.is_disturbed, Invariant::SleepsAreNotLate, || {
                format!("{run}: {id} ends at {clock}, due at {until}")
            })?;
            self.finish(around, &id, Some("null".to_owned()))?;
        }
        Ok(())
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
            Step::Slept(until) => {
                if let Some(Due::Sleep { ms }) = self.plan.as_ref().and_then(|plan| plan.due(id)) {
                    let span = until.saturating_sub(at);
                    require(span >= ms, Invariant::SleepsAreNotEarly, || {
                        format!("{}: {id} is to sleep {ms} ms and is given {span}", around.run)
                    })?;
                }
                self.sleeps.entry(id.to_owned()).or_insert(*until);
                Ok(())
            }
            Step::Planned | Step::Other => Ok(()),
        }
    }

    fn finish(&mut self, around: &Around<'_>, id: &str, memo: Option<String>) -> Result<(), Violation> {
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

    /// Whether `unit` may be called at `clock`.
    ///
    /// # Errors
    /// It is too early.
    pub fn may_call(&self, run: &str, unit: &str, clock: u64) -> Result<(), Violation> {
        let due = self.units.get(unit).map_or(0, |unit| unit.due);
        require(clock >= due, Invariant::CallsAreNotEarly, || {
            format!("{run}: {unit} is called at {clock}, due at {due}")
        })
    }

    /// Whether a call of this unit and generation would count.
    #[must_use]
    pub fn counts(&self, unit: &str, generation: u32) -> bool {
        let held = self.units.get(unit).copied().unwrap_or_default();
        self.ended.is_none() && held.generation == generation && !held.is_over
    }

    /// Takes note of what a call carries.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn call(&mut self, run: &str, body: &CallBody<'_>) -> Result<(), Violation> {
        for (id, memo) in &body.steps {
            let memo = memo.get();
            let before = self.carried.entry(id.clone()).or_insert_with(|| memo.to_owned());
            require(before == memo, Invariant::ResultsStay, || format!("{run}: {id} was {before} and is {memo}"))?;
            let recorded = self.memos.get(id);
            require(recorded.is_some(), Invariant::DurableBeforeVisible, || {
                format!("a call of {run} carries {id}, of which the store knows nothing")
            })?;
            let is_same = match recorded {
                Some(Some(recorded)) => recorded == memo,
                _ => memo.starts_with("{\"error\":"),
            };
            require(is_same, Invariant::PayloadsAreOpaque, || {
                format!("{run}: {id} is {recorded:?} and travels as {memo}")
            })?;
        }
        let stack = &body.ctx.stack;
        // A transaction may hold ends that came after the turn that made this call.
        let is_in_order = self.order.starts_with(&stack.stack) && stack.current <= stack.stack.len();
        require(is_in_order, Invariant::StackIsInOrder, || {
            format!("{run}: steps ended in the order {:?} and are told as {stack:?}", self.order)
        })?;
        let unit = self.units.get(body.ctx.qi_id).copied().unwrap_or_default();
        let counted = (unit.attempt, unit.generation);
        require((body.ctx.attempt, body.ctx.generation_id) == counted, Invariant::AttemptsAreCounted, || {
            format!(
                "{run}: {} goes out as attempt {} of generation {}, but {unit:?} is next",
                body.ctx.qi_id, body.ctx.attempt, body.ctx.generation_id
            )
        })
    }
}
