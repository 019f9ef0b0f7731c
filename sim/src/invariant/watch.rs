//! All that was seen.

use super::run::{Around, Seen};
use super::{Invariant, Violation, require};
use crate::app::StepOf;
use crate::app::deploy::{Deployed, address_of};
use crate::app::payload;
use crate::app::program::Program;
use crate::app::request::parameter;
use crate::app::wire::{CallBody, EventBody};
use crate::home::{Cell, Seat};
use crate::reference::Plan;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use stepwell_engine::turn::{ActorKind, Address, Done, Effect, Message};

/// Of so many turns and commits, one is looked at more closely.
const SAMPLED_OF: u64 = 4;
/// Rows that an actor other than a run may have, for each event that was sent, each run, and each function.
const ROWS_PER_CAUSE_MAX: usize = 8;

/// An event that somebody sent.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its data, as text.
    pub data: String,
    /// Its time, where that is in the future.
    pub not_before: Option<u64>,
}

/// All that was seen.
pub struct Watch {
    pub(super) runs: BTreeMap<String, Seen>,
    pub(super) plans: BTreeMap<String, Rc<Plan>>,
    /// Events by their own names.
    pub(super) sent: BTreeMap<String, Event>,
    /// Those that were answered with 200.
    pub(super) acknowledged: BTreeSet<String>,
    /// Tokens of questions that are to write nothing.
    reading: BTreeSet<u64>,
    /// By function: the address of the newest deployment with it whose sync was acknowledged.
    synced: BTreeMap<String, u64>,
    /// The server's clock when an actor decided last.
    decided_at: BTreeMap<(Seat, Address), u64>,
    is_quiet: bool,
    has_clock_stepped: bool,
    sampled_of: u64,
    seen: u64,
    functions: usize,
}

impl Watch {
    /// Nothing was seen of these functions yet.
    #[must_use]
    pub fn new(programs: &[Program]) -> Self {
        Self {
            runs: BTreeMap::new(),
            plans: programs.iter().map(|program| (program.slug(), Rc::new(Plan::of(program)))).collect(),
            sent: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            reading: BTreeSet::new(),
            synced: BTreeMap::new(),
            decided_at: BTreeMap::new(),
            is_quiet: false,
            has_clock_stepped: false,
            sampled_of: SAMPLED_OF,
            seen: 0,
            functions: programs.len(),
        }
    }

    /// Every turn and every commit is looked at closely.
    pub fn be_thorough(&mut self) {
        self.sampled_of = 1;
    }

    /// Nothing goes wrong in this world.
    pub fn be_quiet(&mut self) {
        self.is_quiet = true;
    }

    /// Every run.
    #[must_use]
    pub const fn runs(&self) -> &BTreeMap<String, Seen> {
        &self.runs
    }

    /// The clock was set.
    pub fn clock_stepped(&mut self) {
        self.has_clock_stepped = true;
    }

    /// Whether the clock was ever set.
    #[must_use]
    pub const fn has_clock_stepped(&self) -> bool {
        self.has_clock_stepped
    }

    /// Whether this turn or commit is one that is looked at closely.
    pub fn samples(&mut self) -> bool {
        self.seen = self.seen.saturating_add(1);
        self.seen.is_multiple_of(self.sampled_of)
    }

    /// Something came between, so that how often the code of this run runs is not determined.
    pub fn disturb(&mut self, run: &str) {
        if let Some(seen) = self.runs.get_mut(run) {
            seen.is_disturbed = true;
        }
    }

    /// This run may fail, whatever its program says.
    pub fn doom(&mut self, run: &str) {
        let seen = self.runs.entry(run.to_owned()).or_default();
        (seen.is_doomed, seen.is_disturbed) = (true, true);
    }

    /// Somebody sends an event; gives it as JSON.
    pub fn sends(&mut self, own: &str, name: &str, not_before: Option<u64>) -> String {
        let number = u64::try_from(self.sent.len()).unwrap_or(0);
        let fresh = || Event { name: name.to_owned(), data: payload::of_event(own, number), not_before };
        let event = self.sent.entry(own.to_owned()).or_insert_with(fresh);
        let ts = event.not_before.map_or_else(String::new, |ts| format!(",\"ts\":{ts}"));
        format!("{{\"id\":\"{own}\",\"name\":\"{name}\",\"data\":{}{ts}}}", event.data)
    }

    /// An event was acknowledged: it is in the store.
    ///
    /// # Errors
    /// It is not.
    pub fn acknowledged<'a>(&mut self, own: &str, streams: impl Iterator<Item = &'a Cell>) -> Result<(), Violation> {
        let mark = format!("\"of\":\"{own}\"");
        let rows = streams.flat_map(|cell| cell.rows.iter().rev());
        let mut events = rows.filter(|(key, _)| key.starts_with("event/"));
        let is_there = events.any(|(_, value)| value.windows(mark.len()).any(|part| part == mark.as_bytes()));
        require(is_there, Invariant::DurableBeforeVisible, || format!("{own} was acknowledged and is not stored"))?;
        self.acknowledged.insert(own.to_owned());
        Ok(())
    }

    /// A sync was acknowledged. Functions that it lacks stay where they were, for the runs that they still have.
    pub fn synced(&mut self, deployed: &Deployed) {
        let names =
            self.plans.keys().filter(|slug| !deployed.without.iter().any(|name| **slug == format!("app-{name}")));
        let names: Vec<String> = names.cloned().collect();
        self.synced.extend(names.into_iter().map(|slug| (slug, deployed.address)));
    }

    /// The answer to this question must cost nothing.
    pub fn reads(&mut self, token: u64) {
        self.reading.insert(token);
    }

    /// Takes note of a turn.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn turned(
        &mut self,
        seat: Seat,
        to: &Address,
        message: &Message,
        done: &Done,
        clock: u64,
    ) -> Result<(), Violation> {
        self.decided_at.insert((seat, to.clone()), clock);
        let Message::Ask { token, .. } = message else { return Ok(()) };
        let writes = !done.writes.is_empty();
        require(!writes || !self.reading.contains(token), Invariant::ReadingWritesNothing, || {
            format!("{to:?} was asked and writes {:?}", done.writes)
        })
    }

    /// Takes note of a new row of a run; gives a line for the story.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn row(
        &mut self,
        (seat, run): (Seat, &Address),
        key: &str,
        value: &[u8],
        returned: &BTreeMap<StepOf, BTreeSet<String>>,
    ) -> Result<String, Violation> {
        let clock = self.decided_at(seat, run);
        let run = run.key.as_str();
        let Self { runs, plans, sent, is_quiet, .. } = self;
        let around = Around { run, clock, returned, sent, plans, is_quiet: *is_quiet };
        runs.entry(run.to_owned()).or_default().row(&around, key, value)
    }

    fn decided_at(&self, seat: Seat, actor: &Address) -> u64 {
        self.decided_at.get(&(seat, actor.clone())).copied().unwrap_or(0)
    }

    /// An actor has no more rows than it has reasons for.
    ///
    /// # Errors
    /// It has.
    pub fn rows_are_bounded(&self, address: &Address, cell: &Cell) -> Result<(), Violation> {
        let causes = self.sent.len().saturating_add(self.runs.len()).saturating_add(self.functions).saturating_add(1);
        let bound = causes.saturating_mul(ROWS_PER_CAUSE_MAX);
        let is_run = address.kind == ActorKind::Run;
        require(is_run || cell.rows.len() <= bound, Invariant::WithinBounds, || {
            format!("{address:?} has {} rows after {causes} events, runs and functions", cell.rows.len())
        })
    }

    /// Takes note of a call.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn call(&mut self, seat: Seat, from: &Address, url: &str, body: &CallBody<'_>) -> Result<(), Violation> {
        let (run, clock) = (&from.key, self.decided_at(seat, from));
        let newest = parameter(url, "fnId").and_then(|slug| self.synced.get(&slug).copied()).unwrap_or(0);
        let address = address_of(url);
        require(address.is_some_and(|address| address >= newest), Invariant::CallsGoToTheNewestApp, || {
            format!("{run} calls {url}, but the app is at {newest}")
        })?;
        let seen = self.runs.entry(run.clone()).or_default();
        seen.may_call(run, body.ctx.qi_id, clock)?;
        seen.call(run, body)?;
        let event: EventBody<'_> = serde_json::from_str(body.event.get())
            .map_err(|e| Violation { invariant: Invariant::NoFault, what: format!("an event in a call: {e}") })?;
        let sent = self.sent.get(&identity(&event));
        require(sent.is_none_or(|sent| sent.data == event.data.get()), Invariant::PayloadsAreOpaque, || {
            format!("{run}: its event was sent with {sent:?} and travels with {}", event.data)
        })
    }

    /// What is under way is owed again by a run that was made anew and resumed.
    ///
    /// # Errors
    /// It is not.
    pub fn owed_again(&self, run: &str, under_way: Vec<String>, resumed: &Done) -> Result<(), Violation> {
        let Some(seen) = self.runs.get(run) else { return Ok(()) };
        let unit_of = |call: &str| -> Option<(String, u32)> {
            let (unit, generation) = call.split_once('/')?.1.rsplit_once('/')?;
            Some((unit.to_owned(), generation.parse().ok()?))
        };
        let asked: BTreeSet<String> = resumed
            .effects
            .iter()
            .filter_map(|effect| if let Effect::Call(call) = effect { Some(unit_of(&call.id)?.0) } else { None })
            .collect();
        for call in under_way {
            let Some((unit, generation)) = unit_of(&call) else { continue };
            let is_owed = !seen.counts(&unit, generation) || asked.contains(&unit) || self.has_clock_stepped;
            require(is_owed, Invariant::OwedIsDerivable, || {
                format!("{call} is under way; after a crash {run} would ask for {asked:?} only")
            })?;
        }
        Ok(())
    }
}

/// An event's own name for itself: what its sender called it, or which end it tells of.
#[must_use]
pub fn identity(event: &EventBody<'_>) -> String {
    #[derive(serde::Deserialize)]
    struct Data {
        of: Option<String>,
        run_id: Option<String>,
    }
    let data: Option<Data> = serde_json::from_str(event.data.get()).ok();
    match data {
        Some(Data { of: Some(of), .. }) => of,
        Some(Data { run_id: Some(run), .. }) => format!("{} {run}", event.name),
        _ => event.id.clone(),
    }
}
