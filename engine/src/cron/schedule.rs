//! When a schedule comes due: `TZ=Europe/Berlin 0 5 * * 1` (SERVER §1.7).
//!
//! The `croner` crate finds the next time on a clock on the wall that is never changed. What a change of the clocks means is
//! decided here:
//!
//! - A schedule with fixed minutes and hours comes due once for each time on the wall: at the first of two, where the clocks are
//!   set back; at the moment of the change, where they are set forward over it.
//! - A schedule with any or stepped minutes or hours is an interval. It comes due whenever the wall shows its time: twice where
//!   the clocks are set back, never for a time that is left out.

use super::fields;
use crate::ids::Millis;
use crate::limits::{SCHEDULE_CHARACTERS_MAX, SCHEDULE_TIME_MAX};
use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use croner::Cron as Pattern;
use std::str::FromStr;

/// Longer than any change of the clocks lasts.
const CHANGE_MINUTES_MAX: u32 = 26 * 60;
/// The 29th of February comes after eight years at the latest.
const YEARS_AHEAD_MAX: i32 = 9;

/// A schedule.
#[derive(Debug)]
pub struct Schedule {
    pattern: Pattern,
    zone: Tz,
    is_interval: bool,
    is_never: bool,
}

impl Schedule {
    /// Reads five fields, perhaps after `TZ=<zone>` or `CRON_TZ=<zone>`; UTC where there is no zone.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > SCHEDULE_CHARACTERS_MAX {
            return Err(format!("is longer than {SCHEDULE_CHARACTERS_MAX} characters"));
        }
        let mut words: Vec<&str> = text.split_whitespace().collect();
        let zone = words.first().and_then(|first| first.strip_prefix("TZ=").or_else(|| first.strip_prefix("CRON_TZ=")));
        if zone.is_some() {
            words.remove(0);
        }
        let zone = zone.map_or(Ok(Tz::UTC), |zone| read_zone(text, zone))?;
        if words.first().is_some_and(|word| word.starts_with('@')) {
            return Err(format!("{text:?} is a descriptor; write five fields, such as \"0 * * * *\" for every hour"));
        }
        let read = fields::read(&words).map_err(|fault| format!("{text:?} {fault}"))?;
        let pattern = Pattern::from_str(&read.pattern).map_err(|fault| format!("{text:?}: {fault}"))?;
        Ok(Self { pattern, zone, is_interval: read.is_interval, is_never: read.is_never })
    }

    /// The first time that is later than `moment`; `None` where none will ever come.
    #[must_use]
    pub fn next_after(&self, moment: Millis) -> Option<Millis> {
        if self.is_never || moment > SCHEDULE_TIME_MAX {
            return None;
        }
        let after = self.zone.timestamp_millis_opt(i64::try_from(moment.0).ok()?).single()?;
        let next = if self.is_interval { self.next_interval(&after) } else { self.next_fixed(&after) };
        next.and_then(|next| u64::try_from(next.timestamp_millis()).ok()).map(Millis)
    }

    /// The last time that is later than `after` and not later than `until`.
    #[must_use]
    pub fn last_within(&self, after: Millis, until: Millis) -> Option<Millis> {
        let mut last = self.next_after(after).filter(|first| *first <= until)?;
        let mut end = until;
        // Between `last` and `end` is what is not known yet: each look halves it.
        while last < end {
            let middle = Millis(last.0.midpoint(end.0));
            match self.next_after(middle).filter(|next| *next <= until) {
                Some(next) => last = next,
                None => end = middle,
            }
        }
        Some(last)
    }

    fn next_fixed(&self, after: &DateTime<Tz>) -> Option<DateTime<Tz>> {
        let mut wall = after.naive_local();
        loop {
            wall = self.next_on_wall(wall)?;
            if let Some(next) = self.first_shown(wall).filter(|next| next > after) {
                return Some(next);
            }
        }
    }

    fn next_interval(&self, after: &DateTime<Tz>) -> Option<DateTime<Tz>> {
        let mut wall = after.naive_local();
        let ahead = loop {
            wall = self.next_on_wall(wall)?;
            let shown = self.zone.from_local_datetime(&wall);
            if let Some(next) = [shown.earliest(), shown.latest()].into_iter().flatten().find(|next| next > after) {
                break next;
            }
        };
        Some(self.shown_again(after).map_or(ahead, |again| again.min(ahead)))
    }

    /// The first time that is at hand for the second time, where `after` lies in the first of two passes over the same wall times.
    fn shown_again(&self, after: &DateTime<Tz>) -> Option<DateTime<Tz>> {
        let now = after.naive_local();
        if !matches!(self.zone.from_local_datetime(&now), MappedLocalTime::Ambiguous(..)) {
            return None;
        }
        let mut wall = now.checked_sub_signed(TimeDelta::minutes(i64::from(CHANGE_MINUTES_MAX)))?;
        loop {
            wall = self.next_on_wall(wall).filter(|wall| *wall <= now)?;
            if let MappedLocalTime::Ambiguous(_, second) = self.zone.from_local_datetime(&wall)
                && second > *after
            {
                return Some(second);
            }
        }
    }

    /// The moment at which the wall shows this time first, or the first moment after the change that left it out.
    fn first_shown(&self, wall: NaiveDateTime) -> Option<DateTime<Tz>> {
        let minutes = (0..=CHANGE_MINUTES_MAX).map(|minutes| TimeDelta::minutes(i64::from(minutes)));
        let walls = minutes.filter_map(|minutes| wall.checked_add_signed(minutes));
        walls.map(|wall| self.zone.from_local_datetime(&wall)).find_map(|shown| shown.earliest())
    }

    fn next_on_wall(&self, wall: NaiveDateTime) -> Option<NaiveDateTime> {
        let next = self.pattern.find_next_occurrence(&wall, false).ok()?;
        (next.year().saturating_sub(wall.year()) <= YEARS_AHEAD_MAX).then_some(next)
    }
}

fn read_zone(text: &str, name: &str) -> Result<Tz, String> {
    if name.is_empty() {
        return Err(format!("{text:?} names no time zone after TZ="));
    }
    Tz::from_str(name).map_err(|_| {
        format!("{text:?} names the time zone {name:?}, which there is not; zones are named like Europe/Berlin or UTC")
    })
}
