//! A run's state: the fold of its journal, and nothing else.
//!
//! The rules of parallelism (PROTOCOL §5) are here, because what is owed next must follow from the rows alone.

use super::defer::Defers;
use super::errand::Errand;
use super::journal::{Answered, Arrival, Entry, Record, Row, Then, What};
use super::memo::Memo;
use super::message::{Skip, Start, Status};
use super::pause::{Awaits, Pause};
use super::problem::Problem;
use super::stack::Stack;
use super::unit::{CallId, Unit, UnitId};
use crate::ids::{EventId, Millis, StepId};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The first version whose discoveries are coalesced (PROTOCOL §5.5).
const COALESCING_VERSION_MIN: i32 = 2;

/// A run as of its last row.
#[derive(Debug)]
pub struct State {
    /// What it began with.
    pub start: Start,
    /// When it came to be.
    pub started_at: Millis,
    /// When it made its first call, where it had to wait for that.
    pub began_at: Option<Millis>,
    /// Where it is in its life, as far as its rows tell; [`State::status_at`] knows the time as well.
    pub status: Status,
    /// How it ended.
    pub end: Option<End>,
    /// Why it never began.
    pub skipped: Option<Skip>,
    /// Calls that the app may have been at when the run ended without it, where it had begun.
    pub left_behind: Vec<CallId>,
    /// The SDK's execution version; -1 before it is known (PROTOCOL §3.7).
    pub version: i32,
    /// What finished steps are remembered as.
    pub memos: BTreeMap<StepId, Memo>,
    /// A step that is to run with other arguments than its own, and these in the form of a memo.
    pub input: Option<(StepId, Memo)>,
    /// Finished steps, in the order of finishing.
    pub stack: Stack,
    /// The bytes of all memos.
    pub memo_bytes: usize,
    /// What the app is to be called for, or is being called for.
    pub units: BTreeMap<UnitId, Unit>,
    /// What is to run once this run is over.
    pub defers: Defers,
    /// Steps that sleep or wait.
    pub pauses: BTreeMap<StepId, Pause>,
    /// Events that ended waits, and when they were accepted.
    pub taken: Vec<(EventId, Millis)>,
    /// Pauses that began and ended with the last row: the world is to be told of them.
    pub changes: Changes,
    /// Rows in the journal.
    pub rows: u32,
    /// Planned steps whose ends are awaited together before the next discovery (PROTOCOL §5.5). What pauses, or is asked of others, is
    /// not among them: a chain beside a wait goes on while the wait lasts.
    pending: BTreeSet<StepId>,
    /// Steps whose ends each cause a discovery (PROTOCOL §5.6).
    racing: BTreeSet<StepId>,
    /// Several steps are under way: the SDK must plan rather than run (PROTOCOL §5.4).
    parallel: bool,
    /// Discoveries so far.
    discoveries: u32,
}

/// Pauses that began and ended.
#[derive(Debug, Default)]
pub struct Changes {
    /// Steps that pause since.
    pub begun: Vec<StepId>,
    /// Steps that pause no longer, with what they paused for.
    pub ended: Vec<(StepId, Pause)>,
}

/// How and when a run ended.
#[derive(Clone, Debug)]
pub struct End {
    /// When.
    pub at: Millis,
    /// What it returned, or why it did not.
    pub result: Result<Box<RawValue>, Option<Problem>>,
}

impl State {
    /// The state after the first row, which says that the run started.
    #[must_use]
    pub fn new(at: Millis, start: Start) -> Self {
        let mut state = Self {
            start,
            started_at: at,
            began_at: None,
            status: Status::Scheduled,
            end: None,
            skipped: None,
            left_behind: Vec::new(),
            version: -1,
            memos: BTreeMap::new(),
            input: None,
            stack: Stack::default(),
            memo_bytes: 0,
            units: BTreeMap::new(),
            defers: Defers::default(),
            pauses: BTreeMap::new(),
            taken: Vec::new(),
            changes: Changes::default(),
            rows: 1,
            pending: BTreeSet::new(),
            racing: BTreeSet::new(),
            parallel: false,
            discoveries: 0,
        };
        state.begin_with_copies();
        match state.input.as_ref().map(|(id, _)| id.clone()) {
            // A call for the step itself: only there do SDKs heed the arguments whatever else they do by default.
            Some(id) => state.plan(state.first_due(), &id),
            None => state.discover(state.first_due()),
        }
        state
    }

    /// What a rerun has from the start.
    fn begin_with_copies(&mut self) {
        let Some(rerun) = self.start.rerun.clone() else { return };
        for step in &rerun.copied {
            self.remember(&step.id, Memo::of_raw(&step.memo));
        }
        self.input = rerun.input_memo();
        let input_bytes = self.input.as_ref().map_or(0, |(_, memo)| memo.size_bytes());
        self.memo_bytes = self.memo_bytes.saturating_add(input_bytes);
    }

    /// What calls carry under `steps`, in the order of the ids: the memos, and until its step has one the input of a rerun.
    pub fn told(&self) -> impl Iterator<Item = (&StepId, &Memo)> {
        let input = self.input.as_ref().filter(|(id, _)| !self.memos.contains_key(id));
        let is_before = move |id: &StepId| input.is_none_or(|(at, _)| id < at);
        let before = self.memos.iter().take_while(move |(id, _)| is_before(id));
        let after = self.memos.iter().skip_while(move |(id, _)| is_before(id));
        before.chain(input.map(|(id, memo)| (id, memo))).chain(after)
    }

    /// Applies one more row. Rows that come from a journal always apply; what they mention and is not there is passed over.
    pub fn apply(&mut self, row: &Row) {
        self.rows = self.rows.saturating_add(1);
        self.changes = Changes::default();
        match &row.entry {
            Entry::Started(_) => {}
            Entry::Began {} => {
                self.status = Status::Running;
                self.began_at = Some(row.at_ms);
            }
            Entry::Answered(answered) => self.apply_answer(row.at_ms, answered),
            Entry::Checkpointed(saved) => {
                self.status = Status::Running;
                saved.steps.iter().for_each(|step| self.finish_step(step));
                if let Some(unit) = self.units.get_mut(&saved.unit) {
                    unit.attempt = 0;
                }
            }
            Entry::Woken { steps } => {
                let together = self.are_awaited(steps);
                for id in steps {
                    let memo = self.pauses.get(id).map_or_else(Memo::null, Pause::timed_out);
                    self.remember(id, memo);
                }
                self.discover_after(row.at_ms, together);
            }
            Entry::Resumed { step, by } => {
                if let Arrival::Event { id, received_at, .. } = by {
                    self.taken.push((*id, *received_at));
                }
                let together = self.are_awaited(std::slice::from_ref(step));
                self.remember(step, Memo::of_arrival(by));
                self.discover_after(row.at_ms, together);
            }
            Entry::Redispatched { units } => {
                for id in units {
                    if let Some(unit) = self.units.get_mut(id) {
                        unit.dispatch_again(self.defers.changes());
                    }
                }
            }
            Entry::Cancelled { .. } => self.finish(row.at_ms, Status::Cancelled, Err(None)),
            Entry::Skipped { reason } => {
                self.skipped = Some(*reason);
                self.finish(row.at_ms, Status::Skipped, Err(None));
            }
            Entry::GivenUp { problem } => self.finish(row.at_ms, Status::Failed, Err(Some(problem.clone()))),
        }
    }

    fn apply_answer(&mut self, at: Millis, answered: &Answered) {
        self.status = Status::Running;
        if let Some(version) = answered.version {
            self.version = version;
        }
        let unit = self.units.remove(&answered.unit);
        match &answered.then {
            Then::Proceed => {
                self.proceed(at, &answered.steps);
                // A planned step whose answer says what is to be done for it: the same unit, and what comes late of the call is not of that.
                if let (Some(before), Some(unit)) = (unit, self.units.get_mut(&answered.unit)) {
                    unit.generation = before.generation.saturating_add(1);
                }
            }
            Then::Again {} => {
                answered.steps.iter().for_each(|step| self.finish_step(step));
                if let Some(mut unit) = unit {
                    unit.dispatch_again(self.defers.changes());
                    unit.due = at;
                    self.units.insert(answered.unit.clone(), unit);
                }
            }
            Then::Retry { retry_at_ms, .. } => {
                answered.steps.iter().for_each(|step| self.finish_step(step));
                if let Some(mut unit) = unit {
                    unit.attempt = unit.attempt.saturating_add(1);
                    unit.dispatch_again(self.defers.changes());
                    unit.due = *retry_at_ms;
                    self.units.insert(answered.unit.clone(), unit);
                }
            }
            Then::Complete { output } => {
                answered.steps.iter().for_each(|step| self.finish_step(step));
                self.finish(at, Status::Completed, Ok(output.clone()));
            }
            Then::Fail { problem } => {
                answered.steps.iter().for_each(|step| self.finish_step(step));
                self.finish(at, Status::Failed, Err(Some(problem.clone())));
            }
        }
    }

    /// What an answer's steps set in motion (PROTOCOL §5.3).
    fn proceed(&mut self, at: Millis, steps: &[Record]) {
        self.racing.extend(steps.iter().filter(|step| step.race).map(|step| step.id.clone()));
        let ended: Vec<_> = steps.iter().filter(|step| step.has_ended()).map(|step| step.id.clone()).collect();
        let mut together = self.are_awaited(&ended);
        let mut under_way = 0_usize;
        let mut planned = Vec::new();
        for step in steps {
            match &step.what {
                What::Ran { .. } | What::Stored { .. } | What::Failed { .. } | What::Deferred(_) => {
                    self.finish_step(step)
                }
                What::Planned {} => {
                    under_way = under_way.saturating_add(1);
                    planned.push(step.id.clone());
                    self.plan(at, &step.id);
                }
                What::Asked { errand } => {
                    under_way = under_way.saturating_add(1);
                    self.send_out(at, &step.id, errand);
                }
                What::Slept { .. } | What::Waited { .. } | What::AwaitedSignal { .. } | What::Invoked { .. } => {
                    under_way = under_way.saturating_add(1);
                    self.pause(at, step);
                }
                What::Discovery => {}
            }
        }
        if under_way > 1 {
            self.parallel = true;
            if self.version >= COALESCING_VERSION_MIN {
                planned.retain(|id| self.is_called_for(id) && !self.racing.contains(id));
                // What ended in the same answer was known to the SDK when it planned.
                together |= !planned.is_empty();
                self.pending.extend(planned);
            }
        }
        if steps.iter().any(|step| matches!(step.what, What::Discovery)) {
            self.discover(at);
        } else if !ended.is_empty() {
            self.discover_after(at, together);
        }
    }

    /// The app is to be called for the step, or is.
    fn is_called_for(&self, id: &StepId) -> bool {
        self.units.get(&UnitId::Step(id.clone())).is_some_and(|unit| unit.errand.is_none())
    }

    /// Whether the ends of all of these are awaited together with others. To be asked before they are remembered.
    fn are_awaited(&self, ids: &[StepId]) -> bool {
        let is_awaited = |id: &StepId| self.pending.contains(id) && !self.racing.contains(id);
        self.version >= COALESCING_VERSION_MIN && ids.iter().all(is_awaited)
    }

    /// Lets a step sleep or wait, unless it does or is done: what was said first stands (PROTOCOL §5.3).
    fn pause(&mut self, at: Millis, step: &Record) {
        if self.memos.contains_key(&step.id) || self.pauses.contains_key(&step.id) {
            return;
        }
        if let Some(pause) = Pause::of(step, at, self.taken.len()) {
            self.changes.begun.push(step.id.clone());
            self.pauses.insert(step.id.clone(), pause);
        }
    }

    /// Plans a call of its own for a step, unless it has one or is done (PROTOCOL §5.3).
    fn plan(&mut self, at: Millis, id: &StepId) {
        if self.memos.contains_key(id) {
            return;
        }
        let unit = self.unit(at);
        self.units.entry(UnitId::Step(id.clone())).or_insert(unit);
    }

    /// Sends for a step's result, unless it is sent for or there (PROTOCOL §5.3).
    fn send_out(&mut self, at: Millis, id: &StepId, errand: &Errand) {
        if self.memos.contains_key(id) {
            return;
        }
        let unit = self.unit(at);
        let errand = || Some(Arc::new(errand.clone()));
        self.units.entry(UnitId::Step(id.clone())).or_insert_with(|| Unit { errand: errand(), ..unit });
    }

    /// The discovery that ends of steps cause; none where these were awaited `together` with others that are still under way
    /// (PROTOCOL §5.5).
    fn discover_after(&mut self, at: Millis, together: bool) {
        if together && !self.pending.is_empty() {
            return;
        }
        if self.version >= COALESCING_VERSION_MIN && self.pending.is_empty() {
            self.parallel = false;
        }
        self.discover(at);
    }

    fn discover(&mut self, due: Millis) {
        let id = UnitId::Discovery(self.discoveries);
        self.discoveries = self.discoveries.saturating_add(1);
        let unit = self.unit(due);
        self.units.insert(id, unit);
    }

    /// A unit that comes to be now.
    fn unit(&self, due: Millis) -> Unit {
        Unit::new(due, self.stack.count(), self.defers.changes())
    }

    /// Something was said of deferrals that the call for `unit` may not have told.
    pub fn has_deferred_since(&self, unit: &UnitId) -> bool {
        self.units.get(unit).is_some_and(|unit| unit.deferrals < self.defers.changes())
    }

    /// Remembers a finished step, or what was deferred; the first result wins (PROTOCOL §3.9).
    fn finish_step(&mut self, step: &Record) {
        self.defers.apply(step);
        if let Some(memo) = Memo::of(&step.what) {
            self.remember(&step.id, memo);
        }
    }

    fn remember(&mut self, id: &StepId, memo: Memo) {
        self.pending.remove(id);
        self.units.remove(&UnitId::Step(id.clone()));
        if let Some(pause) = self.pauses.remove(id) {
            self.changes.ended.push((id.clone(), pause));
        }
        if !self.memos.contains_key(id) {
            self.memo_bytes = self.memo_bytes.saturating_add(memo.size_bytes());
            let memo = memo.of_step(id);
            self.stack.push(memo.id_json());
            self.memos.insert(id.clone(), memo);
        }
    }

    fn finish(&mut self, at: Millis, status: Status, result: Result<Box<RawValue>, Option<Problem>>) {
        let has_begun = self.status != Status::Scheduled;
        self.status = status;
        self.end = Some(End { at, result });
        let is_called = |unit: &Unit| has_begun && unit.due <= at;
        let due = std::mem::take(&mut self.units).into_iter().filter(|(_, unit)| is_called(unit));
        self.left_behind = due.map(|(unit, held)| CallId { unit, generation: held.generation }).collect();
        self.changes.begun.clear();
        self.changes.ended.extend(std::mem::take(&mut self.pauses));
        self.pending.clear();
    }

    /// Where the run is in its life at `now`: a first call that has nothing to wait for needs no row, so that time alone tells whether
    /// it has been made. `is_gated`: it has.
    #[must_use]
    pub fn status_at(&self, now: Millis, is_gated: bool) -> Status {
        let is_called = || !is_gated && self.units.values().any(|unit| unit.due <= now);
        if self.status == Status::Scheduled && is_called() { Status::Running } else { self.status }
    }

    /// Whether the SDK must plan rather than run what it finds: while anything else is under way, so that no step's code
    /// runs in two requests at once (PROTOCOL §5.4).
    #[must_use]
    pub fn must_plan(&self) -> bool {
        self.parallel || self.units.len() > 1 || !self.pauses.is_empty()
    }

    /// Whether the step waits for this.
    #[must_use]
    pub fn awaits(&self, step: &StepId, arrival: &Arrival) -> bool {
        let Some(pause) = self.pauses.get(step) else { return false };
        matches!(
            (&pause.awaits, arrival),
            (Awaits::Event { .. }, Arrival::Event { .. })
                | (Awaits::Signal { .. }, Arrival::Signal { .. })
                | (Awaits::Return { .. }, Arrival::Return { .. })
        )
    }

    /// When the first call was due.
    #[must_use]
    pub fn first_due(&self) -> Millis {
        self.start.not_before.map_or(self.started_at, |not_before| not_before.max(self.started_at))
    }

    /// The event that started the run, the first of a batch.
    #[must_use]
    pub fn trigger(&self) -> &RawValue {
        self.start.events.first().map_or(RawValue::NULL, AsRef::as_ref)
    }

    /// Steps that the run has had so far: finished, planned and at rest.
    #[must_use]
    pub fn steps(&self) -> usize {
        let planned = self.units.keys().filter(|id| matches!(id, UnitId::Step(_))).count();
        self.memos.len().saturating_add(planned).saturating_add(self.pauses.len())
    }

    /// Whether anything is under way besides `unit`.
    #[must_use]
    pub fn has_more_than(&self, unit: &UnitId) -> bool {
        !self.pauses.is_empty() || self.units.keys().any(|other| other != unit)
    }
}
