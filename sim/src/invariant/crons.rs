//! Schedules: each starts its function at its times, at no other, and at all of them but those that were missed and are not to be
//! caught up with.

use super::run::{Around, Seen};
use super::watch::Watch;
use super::{Invariant, Violation, require};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use stepwell_engine::turn::CatchUp;

/// The event that starts a run of a schedule (PROTOCOL §4.7).
pub(super) const SCHEDULED: &str = "inngest/scheduled.timer";
const MINUTE_MS: u64 = 60_000;

/// What is known of schedules.
#[derive(Default)]
pub struct Schedules {
    /// By function: when its schedule was first stored, by the server's clock.
    since: BTreeMap<String, u64>,
    /// When somebody set out to take them all away.
    until: Option<u64>,
    /// By function: the moments until which everything was decided, in the order in which they were stored.
    looks: BTreeMap<String, Vec<u64>>,
    /// What becomes of times that were missed.
    pub(super) catch_up: CatchUp,
}

/// A time that is less late than this was not missed.
const LATE_MS: u64 = 60_000;

impl Schedules {
    /// Whether a time of a function is to have a run, as it was found when it was decided. `is_time`: whether a minute is one.
    fn is_due(&self, function: &str, minute: u64, is_time: impl Fn(u64) -> bool) -> bool {
        let looks = self.looks.get(function).map_or(&[][..], Vec::as_slice);
        let Some(found) = looks.iter().copied().find(|decided| *decided >= minute) else { return true };
        let is_on_time = found.saturating_sub(minute) < LATE_MS;
        let next = minute.saturating_add(MINUTE_MS);
        let is_newest = || !(next..=found).step_by(60_000).any(&is_time);
        match self.catch_up {
            CatchUp::All => true,
            CatchUp::Last => is_on_time || is_newest(),
            CatchUp::None => is_on_time,
        }
    }
}

/// Until when a row of a cron actor says that everything has been decided.
fn decided(row: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Plan {
        loops: BTreeMap<String, Loop>,
    }
    #[derive(Deserialize)]
    struct Loop {
        decided: u64,
    }
    let plan: Plan = serde_json::from_slice(row).ok()?;
    plan.loops.values().map(|one| one.decided).max()
}

/// The minute that an event of a schedule is for.
#[must_use]
pub fn minute_of(event: &str) -> Option<u64> {
    #[derive(Deserialize)]
    struct Scheduled {
        ts: u64,
    }
    serde_json::from_str::<Scheduled>(event).ok().map(|event| event.ts)
}

fn is_time(minute: u64, every_min: u64) -> bool {
    let past_the_hour = minute.checked_div(MINUTE_MS).and_then(|minutes| minutes.checked_rem(60)).unwrap_or(0);
    minute.is_multiple_of(MINUTE_MS) && past_the_hour.is_multiple_of(every_min)
}

impl Seen {
    /// A schedule has started the run: at one of its times, and not before.
    pub(super) fn is_on_schedule(&self, around: &Around<'_>) -> Result<(), Violation> {
        let Some(minute) = self.minute else { return Ok(()) };
        let every_min = around.programs.get(&self.function).and_then(|program| program.every_min);
        let is_time = every_min.is_some_and(|every_min| is_time(minute, every_min));
        let is_early = around.clock < minute && !around.has_clock_stepped;
        require(is_time && !is_early, Invariant::SchedulesAreKept, || {
            format!("{} of {} is for {minute} and begins at {}", around.run, self.function, around.clock)
        })
    }
}

impl Watch {
    /// What is planned of a function is stored now, as this row.
    pub fn is_planned(&mut self, function: &str, row: &[u8], clock: u64) {
        self.schedules.since.entry(function.to_owned()).or_insert(clock);
        if let Some(decided) = decided(row) {
            self.schedules.looks.entry(function.to_owned()).or_default().push(decided);
        }
    }

    /// What becomes of times that were missed.
    pub const fn catches_up(&mut self, catch_up: CatchUp) {
        self.schedules.catch_up = catch_up;
    }

    /// Somebody sets out to take all schedules away.
    pub fn schedules_end(&mut self, clock: u64) {
        self.schedules.until.get_or_insert(clock);
    }

    /// Every time of every schedule has started its function, unless it was missed and is not to be caught up with: then it has not.
    /// That it did so once is seen elsewhere.
    pub(super) fn every_schedule_was_kept(&self) -> Result<(), Violation> {
        let Some(until) = self.schedules.until.filter(|_| !self.has_clock_stepped) else { return Ok(()) };
        let started: BTreeSet<(&str, u64)> = self
            .runs
            .values()
            .filter(|seen| seen.again.is_none())
            .filter_map(|seen| Some((seen.function.as_str(), seen.minute?)))
            .collect();
        for (slug, program) in self.programs.iter().filter(|(slug, _)| !self.lacked.contains(*slug)) {
            let Some((since, every_min)) = self.schedules.since.get(slug).copied().zip(program.every_min) else {
                continue;
            };
            let first =
                since.checked_div(MINUTE_MS).map_or(0, |minutes| minutes.saturating_add(1)).saturating_mul(MINUTE_MS);
            // What became due just before may be taken away with the schedule.
            let mut minutes =
                (first..until.saturating_sub(MINUTE_MS)).step_by(60_000).filter(|minute| is_time(*minute, every_min));
            let odd = minutes.find(|minute| {
                let is_due = self.schedules.is_due(slug, *minute, |minute| is_time(minute, every_min));
                is_due != started.contains(&(slug.as_str(), *minute))
            });
            require(odd.is_none(), Invariant::SchedulesAreKept, || {
                let (looks, catch_up) = (self.schedules.looks.get(slug), self.schedules.catch_up);
                format!("{slug} was planned from {since} to {until}, decided {looks:?} by {catch_up:?}; {odd:?} is odd")
            })?;
        }
        Ok(())
    }
}
