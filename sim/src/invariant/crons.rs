//! Schedules: each starts its function at its times, at all of them, and at no other.

use super::run::{Around, Seen};
use super::watch::Watch;
use super::{Invariant, Violation, require};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

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
    /// What is planned of a function is stored now.
    pub fn is_planned(&mut self, function: &str, clock: u64) {
        self.schedules.since.entry(function.to_owned()).or_insert(clock);
    }

    /// Somebody sets out to take all schedules away.
    pub fn schedules_end(&mut self, clock: u64) {
        self.schedules.until.get_or_insert(clock);
    }

    /// Every time of every schedule has started its function. That it did so once is seen elsewhere.
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
            let missed = minutes.find(|minute| !started.contains(&(slug.as_str(), *minute)));
            require(missed.is_none(), Invariant::SchedulesAreKept, || {
                format!("{slug} was planned from {since} to {until} and has no run for {missed:?}")
            })?;
        }
        Ok(())
    }
}
