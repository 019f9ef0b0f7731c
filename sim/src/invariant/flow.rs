//! Flow control: what gates keep, and what became of events.

use super::ends::stored_events;
use super::run::{Ended, Seen};
use super::watch::Watch;
use super::{Invariant, Violation, require};
use crate::app::App;
use crate::app::program::{Before, Flow, Program};
use crate::home::{Cell, Home, Kind};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use stepwell_engine::limits::GATE_SEEN_TIME;
use stepwell_engine::run::unit::UnitId;
use stepwell_engine::turn::{ActorKind, Address};

/// The key of runs' numbers, as functions register it.
const KEY: &str = "event.data.k";

/// What was seen of gates.
#[derive(Default)]
pub struct Gates {
    /// By function: when the throttle let runs begin.
    starts: BTreeMap<String, Vec<u64>>,
}

/// The row of a call that waits.
#[derive(Deserialize)]
struct Wait {
    rank: i64,
    #[serde(default)]
    is_first: bool,
    keys: BTreeMap<String, String>,
    #[serde(default)]
    parked: Option<serde::de::IgnoredAny>,
}

/// The row of a call that has a slot, or asks for what functions share.
#[derive(Deserialize)]
struct Hold {
    wait: Wait,
    seen_at: u64,
    #[serde(default)]
    took_start: Option<serde::de::IgnoredAny>,
    #[serde(default)]
    shares: Vec<Share>,
}

#[derive(Deserialize)]
struct Share {
    #[serde(default)]
    is_taken: bool,
}

/// The row of a call that has a place of what functions share.
#[derive(Deserialize)]
struct Place {
    limit: Limit,
}

#[derive(Deserialize)]
struct Limit {
    source: String,
}

impl Hold {
    fn is_granted(&self) -> bool {
        self.shares.iter().all(|share| share.is_taken)
    }
}

type Rows = BTreeMap<String, Rc<[u8]>>;

/// A slot as gates order them: `<run>/<unit>`.
fn in_order(slot: &str) -> Option<(&str, UnitId)> {
    let (run, unit) = slot.split_once('/')?;
    Some((run, UnitId::parse(unit)?))
}

/// The rows with this prefix, read; their keys without it.
fn read<'a, T: Deserialize<'a>>(rows: &'a Rows, prefix: &str) -> Result<BTreeMap<&'a str, T>, Violation> {
    let unreadable =
        |e: serde_json::Error| Violation { invariant: Invariant::NoFault, what: format!("a gate's row: {e}") };
    let of_kind = rows.iter().filter_map(|(key, value)| Some((key.strip_prefix(prefix)?, value)));
    of_kind.map(|(key, value)| Ok((key, serde_json::from_slice(value).map_err(unreadable)?))).collect()
}

/// The function of a gate, and its kind.
fn gate_of(address: &Address) -> Option<(&str, &str)> {
    let (kind, rest) = address.key.split_once('/')?;
    Some((kind, rest.split_once('/').map_or("", |(_, function)| function)))
}

/// The units that a run asks its gate for.
pub(super) fn wanted(body: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Tell {
        #[serde(rename = "News")]
        news: News,
    }
    #[derive(Deserialize)]
    struct News {
        #[serde(default)]
        wanted: Vec<Dispatch>,
    }
    #[derive(Deserialize)]
    struct Dispatch {
        unit: String,
    }
    let tell: Option<Tell> = serde_json::from_slice(body).ok();
    tell.map(|tell| tell.news.wanted.into_iter().map(|dispatch| dispatch.unit).collect()).unwrap_or_default()
}

impl Watch {
    /// The function's flow control, where it is the same all the time.
    fn flow_of(&self, slug: &str) -> Option<Flow> {
        let program = self.programs.get(slug).filter(|_| !self.lacked.contains(slug))?;
        Some(program.flow)
    }

    /// Whether there is to be one run of the function at a time.
    pub(super) fn is_singleton(&self, slug: &str) -> bool {
        self.programs.get(slug).is_some_and(|program| matches!(program.flow.before, Some(Before::Singleton(_))))
    }

    /// Takes note of a gate's rows as they become durable.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn gate(&mut self, address: &Address, before: &Rows, cell: &Cell) -> Result<(), Violation> {
        let Some((kind, slug)) = gate_of(address) else { return Ok(()) };
        if kind == "shared" {
            return self.shared_limit_holds(address, cell);
        }
        if kind != "slots" {
            return Ok(());
        }
        let Some(flow) = self.flow_of(slug) else { return Ok(()) };
        let holds: BTreeMap<&str, Hold> = read(&cell.rows, "hold/")?;
        self.limits_hold(slug, &flow, &holds, cell)?;
        let fresh = || holds.iter().filter(|(slot, _)| !before.contains_key(&format!("hold/{slot}")));
        // A transaction of the file holds many turns.
        if self.kind != Kind::File {
            let waits: BTreeMap<&str, Wait> = read(&cell.rows, "wait/")?;
            let waited: BTreeMap<&str, Wait> = read(before, "wait/")?;
            // Who comes back from a shared limit was the first before it went there.
            let was_parked = |slot: &str| waited.get(slot).is_some_and(|wait| wait.parked.is_some());
            for (slot, hold) in fresh().filter(|(slot, _)| !was_parked(slot)) {
                let passed_over = waits.iter().find(|(other, wait)| {
                    let wants_the_same = wait.parked.is_none() && wait.is_first == hold.wait.is_first;
                    wants_the_same
                        && wait.keys == hold.wait.keys
                        && (wait.rank, in_order(other)) < (hold.wait.rank, in_order(slot))
                });
                require(passed_over.is_none(), Invariant::GatesAreFair, || {
                    format!("{slot} of {slug} goes before {:?}", passed_over.map(|(other, _)| other))
                })?;
            }
        }
        let started: Vec<u64> =
            fresh().filter(|(_, hold)| hold.took_start.is_some()).map(|(_, hold)| hold.seen_at).collect();
        // A start that waits for what functions share is put back, and taken again.
        if let (Some((limit, seconds)), None) = (flow.throttle, flow.calls_of_all) {
            let starts = self.gates.starts.entry(slug.to_owned()).or_default();
            starts.extend(started);
            starts.sort_unstable();
            let interval = seconds.saturating_mul(1_000).checked_div(limit.into()).unwrap_or(0);
            let window = usize::try_from(limit).unwrap_or(usize::MAX).saturating_add(1);
            let is_kept = starts.windows(window).all(|starts| match starts {
                [first, .., last] => last.saturating_sub(*first) >= interval,
                _ => true,
            });
            require(is_kept || self.has_clock_stepped, Invariant::ThrottlesHold, || {
                format!("{slug} lets {limit} begin in {seconds} s, and some began at {starts:?}")
            })?;
        }
        Ok(())
    }

    fn limits_hold(&self, slug: &str, flow: &Flow, holds: &BTreeMap<&str, Hold>, cell: &Cell) -> Result<(), Violation> {
        let above = |what: &str, held: usize, limit: Option<u32>| {
            let limit = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
            require(held <= limit, Invariant::LimitsHold, || format!("{slug} has {held} {what} of {limit}"))
        };
        above("calls", holds.len(), flow.calls)?;
        let runs = cell.rows.keys().filter(|key| key.starts_with("run/")).count();
        above("runs", runs, flow.runs)?;
        // What is under way when the key changes counts for nobody's.
        if self.rekeyed > 0 {
            return Ok(());
        }
        let mut of_one: BTreeMap<&str, usize> = BTreeMap::new();
        for hold in holds.values() {
            let count = of_one.entry(hold.wait.keys.get(KEY).map_or("", String::as_str)).or_default();
            *count = count.saturating_add(1);
        }
        of_one.values().try_for_each(|count| above("calls of one number", *count, flow.calls_of_one))
    }

    /// What functions share: the functions of these worlds that share a limit may say differently how much it is.
    fn shared_limit_holds(&self, address: &Address, cell: &Cell) -> Result<(), Violation> {
        let limits: Vec<u32> = self.programs.values().filter_map(|program| program.flow.calls_of_all).collect();
        let most = limits.iter().max().copied().map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let places: BTreeMap<&str, Place> = read(&cell.rows, "hold/")?;
        let held = places.len();
        // Gates of a key that is no more keep nobody; and those of one that comes back have whom they had let go.
        let is_kept = |place: &Place| self.rekeyed == 0 || self.rekeyed == 1 && place.limit.source == self.key;
        if !places.values().all(is_kept) {
            return Ok(());
        }
        require(held <= most || !self.lacked.is_empty(), Invariant::LimitsHold, || {
            format!("{} has {held} calls of {most}", address.key)
        })
    }

    /// Who makes a call under limits has a slot.
    ///
    /// # Errors
    /// It has none.
    pub fn has_slot(&self, run: &str, unit: &str, home: &Home) -> Result<(), Violation> {
        let Some(seen) = self.runs.get(run) else { return Ok(()) };
        if !self.flow_of(&seen.function).is_some_and(|flow| flow.is_gated()) {
            return Ok(());
        }
        let gate = home.cells.iter().find(|(address, _)| {
            address.kind == ActorKind::Gate && gate_of(address) == Some(("slots", seen.function.as_str()))
        });
        let key = format!("hold/{run}/{unit}");
        let hold = gate.and_then(|(_, cell)| cell.rows.get(&key));
        let is_granted =
            hold.is_some_and(|row| serde_json::from_slice::<Hold>(row).is_ok_and(|hold| hold.is_granted()));
        require(is_granted, Invariant::LimitsHold, || format!("{run} makes a call for {unit} without a slot"))
    }

    /// What became of events that were held back, and what is left.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn flow_was_controlled(&self, app: &App, home: &Home) -> Result<(), Violation> {
        for program in &app.programs {
            let slug = program.slug();
            let Some(flow) = self.flow_of(&slug) else { continue };
            match flow.before {
                Some(Before::Batch(size, _)) => self.batches_are_whole(program, size, home)?,
                Some(Before::Debounce(_)) => self.the_newest_has_run(program, home)?,
                Some(Before::RateLimit(limit)) => self.so_many_began(program, limit, home)?,
                Some(Before::Singleton(_)) => self.there_was_one_at_a_time(&slug)?,
                None => {}
            }
        }
        for (address, cell) in home.cells.iter().filter(|(address, _)| address.kind == ActorKind::Gate) {
            let left = cell.rows.keys().find(|key| {
                let kinds = ["wait/", "hold/", "run/", "event/", "pending", "holder"];
                kinds.iter().any(|kind| key.starts_with(kind))
            });
            require(left.is_none(), Invariant::NoSlotsRemain, || format!("{} keeps {left:?}", address.key))?;
        }
        Ok(())
    }

    /// The runs of a function that events started, and not somebody who wanted them again.
    fn runs_of<'a>(&'a self, slug: &'a str) -> impl Iterator<Item = (&'a String, &'a Seen)> {
        self.runs.iter().filter(move |(_, seen)| seen.function == slug && seen.rows > 0 && seen.again.is_none())
    }

    /// The events that were to start a function, by their own names; none twice.
    fn events_for(program: &Program, home: &Home) -> BTreeSet<String> {
        let stored = stored_events(home).into_iter();
        stored.filter(|(name, _)| program.triggers.contains(name)).map(|(_, event)| event).collect()
    }

    fn batches_are_whole(&self, program: &Program, size: u32, home: &Home) -> Result<(), Violation> {
        let slug = program.slug();
        let mut due = Self::events_for(program, home);
        // Those that are late last: what they have may be in another.
        let (late, timely): (Vec<_>, Vec<_>) = self.runs_of(&slug).partition(|(_, seen)| is_late(seen));
        for (run, seen) in timely.into_iter().chain(late) {
            let is_small = u32::try_from(seen.events.len()).is_ok_and(|count| count <= size);
            require(is_small, Invariant::BatchesAreWhole, || format!("{run} has {} events", seen.events.len()))?;
            for event in &seen.events {
                require(due.remove(event) || is_late(seen), Invariant::BatchesAreWhole, || {
                    format!("{event} is in {run} of {slug}, and in another, or nobody sent it")
                })?;
            }
        }
        require(due.is_empty(), Invariant::BatchesAreWhole, || format!("{due:?} are in no batch of {slug}"))
    }

    fn the_newest_has_run(&self, program: &Program, home: &Home) -> Result<(), Violation> {
        let slug = program.slug();
        let events = times_of(program, home)?;
        let started: BTreeSet<&String> = self.runs_of(&slug).map(|(_, seen)| &seen.event).collect();
        let newest = events.iter().max_by_key(|(_, age)| *age).map(|(event, _)| event);
        let has_run = newest.is_none_or(|newest| started.contains(newest));
        require(has_run || self.has_clock_stepped, Invariant::DebouncesRunTheNewest, || {
            format!("{newest:?} was the newest for {slug} of {events:?}, of which {started:?} ran")
        })?;
        let is_any = !started.is_empty() || events.is_empty();
        require(is_any, Invariant::DebouncesRunTheNewest, || format!("none of {events:?} ran"))
    }

    /// Only where all came within the hour, and nothing but events started it.
    fn so_many_began(&self, program: &Program, limit: u32, home: &Home) -> Result<(), Violation> {
        const HOUR_MS: u64 = 3_600_000;
        let slug = program.slug();
        let runs: Vec<&Seen> = self.runs_of(&slug).map(|(_, seen)| seen).filter(|seen| !is_late(seen)).collect();
        let events = times_of(program, home)?;
        let moments = || events.values().map(|(_, id)| id.at().0);
        let span = moments().max().unwrap_or(0).saturating_sub(moments().min().unwrap_or(0));
        let is_invoked = runs.iter().any(|seen| seen.event_name == super::ends::INVOKED);
        let invokes = self.programs.values().any(|program| {
            let invokes = |member: &crate::app::program::Member| {
                matches!(&member.act, crate::app::program::Act::Invoke { function, .. } if format!("app-{function}") == slug)
            };
            program.members().any(invokes)
        });
        if is_invoked || invokes || self.has_clock_stepped || span.saturating_add(self.slack_ms()) >= HOUR_MS {
            return Ok(());
        }
        let due = events.len().min(usize::try_from(limit).unwrap_or(usize::MAX));
        require(runs.len() == due, Invariant::RateLimitsCount, || {
            format!("{slug} lets {limit} begin, and {} of {} events did", runs.len(), events.len())
        })
    }

    fn there_was_one_at_a_time(&self, slug: &str) -> Result<(), Violation> {
        let mut of_number: BTreeMap<Option<u64>, Vec<(u64, u64, &String)>> = BTreeMap::new();
        let there = self
            .runs
            .iter()
            .filter(|(_, seen)| seen.function == slug && seen.rows > 0 && seen.ended.as_ref() != Some(&Ended::Skipped));
        // What has no number is not set apart, and is nobody's peer.
        for (run, seen) in there.filter(|(_, seen)| seen.k.is_some()) {
            let span = (seen.started_at, seen.ended_at.unwrap_or(u64::MAX), run);
            of_number.entry(seen.k).or_default().push(span);
        }
        for spans in of_number.values_mut() {
            spans.sort_unstable();
            for pair in spans.windows(2) {
                let [(_, ended, one), (began, _, other)] = pair else { continue };
                require(began >= ended || self.has_clock_stepped, Invariant::SingletonsHold, || {
                    format!("{other} of {slug} began while {one} was there")
                })?;
            }
        }
        Ok(())
    }
}

/// Whether a run began so late that its gate may have been shown its event before, and have forgotten that: a sender that was idle may
/// have lost the word that its message was taken in, and sends it again when it wakes.
fn is_late(seen: &Seen) -> bool {
    seen.started_at.saturating_sub(seen.received_at) > GATE_SEEN_TIME.0
}

/// The events that were to start a function, by their own names, and how new each is: by its time, then by its id. Of an event that came
/// several times the first counts, which need not be the one that was sent first.
fn times_of(
    program: &Program,
    home: &Home,
) -> Result<BTreeMap<String, (u64, stepwell_engine::ids::EventId)>, Violation> {
    #[derive(Deserialize)]
    struct Row<'a> {
        #[serde(borrow)]
        event: &'a serde_json::value::RawValue,
        #[serde(default)]
        same_as: Option<serde::de::IgnoredAny>,
    }
    #[derive(Deserialize)]
    struct Ts {
        ts: u64,
    }
    let unreadable = |e: serde_json::Error| Violation { invariant: Invariant::NoFault, what: format!("an event: {e}") };
    let mut times = BTreeMap::new();
    for (key, value) in home.streams().flat_map(|cell| &cell.rows) {
        let Some(id) = key.strip_prefix("event/").and_then(stepwell_engine::ids::EventId::parse) else { continue };
        let row: Row<'_> = serde_json::from_slice(value).map_err(unreadable)?;
        if row.same_as.is_some() {
            continue;
        }
        let body: crate::app::wire::EventBody<'_> = serde_json::from_str(row.event.get()).map_err(unreadable)?;
        if !program.triggers.contains(&body.name) {
            continue;
        }
        let ts = serde_json::from_str::<Ts>(row.event.get()).map_err(unreadable)?.ts;
        let age = times.entry(super::watch::identity(&body)).or_insert((ts, id));
        *age = (*age).min((ts, id));
    }
    Ok(times)
}
