//! All that was seen.

use super::crons::Schedules;
use super::flow::Gates;
use super::journal::{Entry, Row};
use super::reruns::Reruns;
use super::run::{Around, Seen};
use super::signals::Signals;
use super::{Invariant, Violation, require};
use crate::app::StepOf;
use crate::app::canonical::canonical;
use crate::app::deploy::{Deployed, address_of};
use crate::app::payload;
use crate::app::program::Program;
use crate::app::request::parameter;
use crate::app::wire::{CallBody, EventBody};
use crate::home::{Cell, Home, Kind, Seat};
use crate::reference::Plan;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use stepwell_engine::turn::{ActorKind, Address, AppCall, Done, Effect, Message};

/// Of so many turns and commits, one is looked at more closely.
const SAMPLED_OF: u64 = 4;
/// How long news may be under way between actors: longer than anything goes wrong, and than it takes to try again after that.
const SLACK_MS: u64 = 15 * 60_000;
/// The same where nothing goes wrong.
const SLACK_MS_QUIET: u64 = 20_000;
/// What a call may carry (PROTOCOL §3.8).
const CALL_BYTES_MAX: usize = 4 << 20;
/// In the data of each event, once.
const OF: &[u8] = b"\"of\":\"";
/// Rows that an actor other than a run may have, for each event that arrived, each run, and each function.
const ROWS_PER_CAUSE_MAX: usize = 8;
/// The same of bytes, where an actor keeps no payloads.
const BYTES_PER_CAUSE_MAX: usize = 16 << 10;

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
    pub(super) programs: BTreeMap<String, Rc<Program>>,
    /// Functions that were not registered all the time.
    pub(super) lacked: BTreeSet<String>,
    /// How often the keys of concurrency became others, and what they are.
    pub(super) rekeyed: usize,
    pub(super) key: &'static str,
    /// Runs that somebody asked to cancel.
    pub(super) to_be_cancelled: BTreeSet<String>,
    pub(super) signals: Signals,
    pub(super) reruns: Reruns,
    pub(super) schedules: Schedules,
    pub(super) gates: Gates,
    pub(super) kind: Kind,
    pub(super) is_signed: bool,
    pub(super) look_back_ms: u64,
    pub(super) is_quiet: bool,
    pub(super) has_clock_stepped: bool,
    sampled_of: u64,
    seen: u64,
    functions: usize,
    /// Events that reached the server, and as often as they did.
    arrived: usize,
}

impl Watch {
    /// Nothing was seen of these functions yet.
    #[must_use]
    pub fn new(programs: &[Program], kind: Kind, (is_signed, look_back_ms): (bool, u64)) -> Self {
        Self {
            programs: programs.iter().map(|program| (program.slug(), Rc::new(program.clone()))).collect(),
            lacked: BTreeSet::new(),
            rekeyed: 0,
            key: "",
            to_be_cancelled: BTreeSet::new(),
            signals: Signals::default(),
            reruns: Reruns::default(),
            schedules: Schedules::default(),
            gates: Gates::default(),
            kind,
            is_signed,
            look_back_ms,
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
            arrived: 0,
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
    pub fn sends(&mut self, own: &str, name: &str, not_before: Option<u64>, k: Option<u64>) -> String {
        let number = u64::try_from(self.sent.len()).unwrap_or(0);
        let k = k.unwrap_or_else(|| payload::k_of(number));
        let fresh = || Event { name: name.to_owned(), data: payload::of_event(own, k, number), not_before };
        let event = self.sent.entry(own.to_owned()).or_insert_with(fresh);
        let ts = event.not_before.map_or_else(String::new, |ts| format!(",\"ts\":{ts}"));
        format!("{{\"id\":\"{own}\",\"name\":\"{name}\",\"data\":{}{ts}}}", event.data)
    }

    /// A request with events reached the server: each time they are others, as far as streams are concerned.
    pub fn events_arrive(&mut self, body: &[u8]) {
        let events = body.windows(OF.len()).filter(|part| *part == OF).count();
        self.arrived = self.arrived.saturating_add(events);
    }

    /// Somebody sends a signal; gives the request's body.
    pub fn signals(&mut self, mark: &str, signal: &str) -> Vec<u8> {
        self.signals.sends(mark, signal)
    }

    /// Somebody asks to cancel a run.
    pub fn is_to_be_cancelled(&mut self, run: &str) {
        self.to_be_cancelled.insert(run.to_owned());
    }

    /// The n-th run, if it is there.
    #[must_use]
    pub fn nth_run(&self, place: usize) -> Option<String> {
        self.runs.iter().filter(|(_, seen)| seen.rows > 0).nth(place).map(|(run, _)| run.clone())
    }

    /// The app was deployed, and will be registered.
    pub fn deployed(&mut self, deployed: &Deployed) {
        self.lacked.extend(deployed.lacked.iter().map(|name| format!("app-{name}")));
        self.rekeyed = deployed.rekeyed;
        self.key = deployed.key();
    }

    /// How long news may be under way between actors.
    #[must_use]
    pub const fn slack_ms(&self) -> u64 {
        match self.kind {
            // It travels within a transaction.
            Kind::File => 0,
            _ if self.is_quiet => SLACK_MS_QUIET,
            _ => SLACK_MS,
        }
    }

    /// An event was acknowledged: it is in the store.
    ///
    /// # Errors
    /// It is not.
    pub fn acknowledged(&mut self, own: &str, home: &Home) -> Result<(), Violation> {
        let mark = format!("\"of\":\"{own}\"");
        let rows = home.streams().flat_map(|cell| cell.rows.iter().rev());
        let mut events = rows.filter(|(key, _)| key.starts_with("event/"));
        let is_there = events.any(|(_, value)| value.windows(mark.len()).any(|part| part == mark.as_bytes()));
        require(is_there, Invariant::DurableBeforeVisible, || format!("{own} was acknowledged and is not stored"))?;
        self.acknowledged.insert(own.to_owned());
        Ok(())
    }

    /// An app fetched what its call did not carry.
    ///
    /// # Errors
    /// It is not what was recorded.
    pub fn fetched(&mut self, run: &str, body: &[u8]) -> Result<(), Violation> {
        let Some(seen) = self.runs.get_mut(run) else { return Ok(()) };
        // The other thing that it fetches is a list.
        let Ok(steps) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(body) else { return Ok(()) };
        seen.fetches(run, steps.iter().map(|(id, memo)| (id, memo.get())))
    }

    /// A sync reaches the server. One that comes again after a newer one puts things back to what they were: a server cannot tell
    /// it from the wish to go back.
    pub fn sync_arrives(&mut self, body: &[u8]) {
        #[derive(serde::Deserialize)]
        struct Sync {
            url: String,
            functions: Vec<Function>,
        }
        #[derive(serde::Deserialize)]
        struct Function {
            id: String,
        }
        let Ok(sync) = serde_json::from_slice::<Sync>(body) else { return };
        let Some(address) = address_of(&sync.url) else { return };
        for Function { id } in sync.functions {
            self.synced.entry(id).and_modify(|newest| *newest = (*newest).min(address));
        }
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
        let calls = done.effects.iter().any(|effect| matches!(effect, Effect::Call(_)));
        let is_over = self.runs.get(&to.key).is_some_and(|seen| seen.ended.is_some());
        // Where reads may be stale, only what is swapped counts.
        require(!calls || !is_over || self.kind == Kind::Kv, Invariant::CancelledRunsStop, || {
            format!("{to:?} is over and makes calls")
        })?;
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
        let Self { runs, plans, programs, lacked, sent, is_quiet, look_back_ms, has_clock_stepped, .. } = self;
        let (is_quiet, look_back_ms, has_clock_stepped) = (*is_quiet, *look_back_ms, *has_clock_stepped);
        let around =
            Around { run, clock, returned, sent, plans, programs, lacked, look_back_ms, is_quiet, has_clock_stepped };
        let seen = runs.entry(run.to_owned()).or_default();
        let line = seen.row(&around, key, value)?;
        let is_first = seen.rows == 1;
        if let Some((signal, data)) = seen.heard.take() {
            self.signals.wakes(run, &signal, data)?;
        }
        if is_first {
            self.is_as_wished(run)?;
        }
        Ok(line)
    }

    fn decided_at(&self, seat: Seat, actor: &Address) -> u64 {
        self.decided_at.get(&(seat, actor.clone())).copied().unwrap_or(0)
    }

    /// An actor has no more rows, letters and bytes than it has reasons for.
    ///
    /// # Errors
    /// It has.
    pub fn rows_are_bounded(&self, address: &Address, cell: &Cell) -> Result<(), Violation> {
        let causes = self.arrived.saturating_add(self.runs.len()).saturating_add(self.functions).saturating_add(1);
        let most = causes.saturating_mul(ROWS_PER_CAUSE_MAX);
        let (rows, letters) = (cell.rows.len(), cell.parcels.len());
        let is_run = address.kind == ActorKind::Run;
        require((is_run || rows <= most) && letters <= most, Invariant::WithinBounds, || {
            format!("{address:?} has {rows} rows and {letters} letters after {causes} events, runs and functions")
        })?;
        // What others keep are payloads, which may be large.
        let is_index = matches!(address.kind, ActorKind::Waits | ActorKind::History | ActorKind::Catalog);
        let bytes: usize = if is_index { cell.rows.values().map(|row| row.len()).sum() } else { 0 };
        require(bytes <= causes.saturating_mul(BYTES_PER_CAUSE_MAX), Invariant::WithinBounds, || {
            format!("{address:?} has {bytes} bytes after {causes} events, runs and functions")
        })
    }

    /// Takes note of a call.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn call(&mut self, seat: Seat, from: &Address, call: &AppCall, body: &CallBody<'_>) -> Result<(), Violation> {
        let (size, url) = (call.body.len(), call.url.as_str());
        require(size <= CALL_BYTES_MAX, Invariant::WithinBounds, || format!("{} carries {size} bytes", call.id))?;
        let (run, clock) = (&from.key, self.decided_at(seat, from));
        let newest = parameter(url, "fnId").and_then(|slug| self.synced.get(&slug).copied()).unwrap_or(0);
        let address = address_of(url);
        require(address.is_some_and(|address| address >= newest), Invariant::CallsGoToTheNewestApp, || {
            format!("{run} calls {url}, but the app is at {newest}")
        })?;
        let seen = self.runs.entry(run.clone()).or_default();
        // A transaction may hold the end of a run behind a turn that makes a call.
        let may_be_over = self.kind == Kind::File;
        require(seen.ended.is_none() || may_be_over, Invariant::CancelledRunsStop, || format!("{run} is over: {url}"))?;
        seen.may_call(run, body.ctx.qi_id, clock)?;
        seen.call(run, self.is_signed, body)?;
        let event: EventBody<'_> = serde_json::from_str(body.event.get())
            .map_err(|e| Violation { invariant: Invariant::NoFault, what: format!("an event in a call: {e}") })?;
        let sent = self.sent.get(&identity(&event));
        let is_as_sent = |sent: &Event| {
            let canonical = if self.is_signed { canonical(&sent.data) } else { None };
            canonical.as_ref().unwrap_or(&sent.data) == event.data.get()
        };
        require(sent.is_none_or(is_as_sent), Invariant::PayloadsAreOpaque, || {
            format!("{run}: its event was sent with {sent:?} and travels with {}", event.data)
        })
    }

    /// Takes note of a request to somebody else's server, which is made for a step; whether it is the last attempt.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn errand(
        &mut self,
        seat: Seat,
        from: &Address,
        call: &AppCall,
        unit: &str,
        generation: u32,
    ) -> Result<bool, Violation> {
        let (run, clock) = (&from.key, self.decided_at(seat, from));
        let is_ours = |name: &str| name.starts_with("x-inngest");
        let tells = call.headers.iter().any(|(name, _)| is_ours(name));
        require(!tells, Invariant::CallsAreSigned, || format!("{} tells others of {:?}", call.id, call.headers))?;
        let seen = self.runs.entry(run.clone()).or_default();
        let may_be_over = self.kind == Kind::File;
        require(seen.ended.is_none() || may_be_over, Invariant::CancelledRunsStop, || {
            format!("{run} is over: {}", call.url)
        })?;
        seen.may_call(run, unit, clock)?;
        let held = seen.units.get(unit).copied().unwrap_or_default();
        require(held.generation == generation, Invariant::AttemptsAreCounted, || {
            format!("{run}: {unit} goes out as generation {generation}, but {held:?} is next")
        })?;
        let retries = self.programs.get(&seen.function).map_or(0, |program| program.retries);
        Ok(held.attempt >= retries)
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
        // It would hear that its time is over.
        if resumed.writes.iter().any(|write| write.value.as_ref().is_some_and(|row| ends(row))) {
            return Ok(());
        }
        let asked: BTreeSet<String> = resumed
            .effects
            .iter()
            .flat_map(|effect| match effect {
                Effect::Call(call) => unit_of(&call.id).map(|(unit, _)| unit).into_iter().collect(),
                // Under limits it asks its gate first.
                Effect::Send { to, body } if to.kind == ActorKind::Gate => super::flow::wanted(body),
                _ => Vec::new(),
            })
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

/// Whether a row cancels its run.
fn ends(row: &[u8]) -> bool {
    let entry = Row::read(row).and_then(|row| row.entry().map(|entry| matches!(entry, Entry::Cancelled(_))));
    entry.unwrap_or(false)
}

/// The number that conditions compare.
#[must_use]
pub fn k_of(data: &RawValue) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct Data {
        k: u64,
    }
    serde_json::from_str::<Data>(data.get()).ok().map(|data| data.k)
}
