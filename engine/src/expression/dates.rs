//! Moments and spans from text.

use crate::ids::Millis;
use chrono::{DateTime, Duration, NaiveDate, NaiveDateTime, TimeDelta, Utc};

/// Before it, a number is no date (SERVER §1.10): 2000-01-01.
const NUMBER_SECONDS_MIN: i64 = 946_684_800;

/// What `timestamp("…")` reads.
pub(super) fn rfc3339(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc())
}

/// What `date("…")` reads. The forms with digits alone are exact; those with words are read as SDKs' dates are.
pub(super) fn date(text: &str) -> Option<DateTime<Utc>> {
    rfc3339(text)
        .or_else(|| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok().map(|date| date.and_utc()))
        .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0).map(|date| date.and_utc()))
        .or_else(|| of_go(text))
        .or_else(|| moment(crate::duration::parse_date(text)?))
}

/// Forms of Go's library that no SDK writes: its own layout, and stamps, which have no year; that is the year 0 then.
fn of_go(text: &str) -> Option<DateTime<Utc>> {
    let layout = DateTime::parse_from_str(text, "%m/%d %I:%M:%S%p '%y %z").ok().map(|date| date.to_utc());
    let stamp = || NaiveDateTime::parse_from_str(&format!("0000 {text}"), "%Y %b %e %H:%M:%S%.f").ok();
    layout.or_else(|| stamp().map(|date| date.and_utc()))
}

/// A moment of the engine as one of chrono's.
pub(super) fn moment(at: Millis) -> Option<DateTime<Utc>> {
    i64::try_from(at.0).ok().and_then(DateTime::from_timestamp_millis)
}

/// What `date(1700000000)` reads: seconds, milliseconds or nanoseconds, whichever makes a date since 2000.
pub(super) fn date_of_number(number: i64) -> Option<DateTime<Utc>> {
    let milliseconds_from = NUMBER_SECONDS_MIN.checked_mul(1_000)?;
    let nanoseconds_from = NUMBER_SECONDS_MIN.checked_mul(1_000_000_000)?;
    if number >= nanoseconds_from {
        Some(DateTime::from_timestamp_nanos(number))
    } else if number >= milliseconds_from {
        DateTime::from_timestamp_millis(number)
    } else if number >= NUMBER_SECONDS_MIN {
        DateTime::from_timestamp(number, 0)
    } else {
        None
    }
}

/// What `duration("…")` and `now_plus("…")` read: `1d2h`, `1.5s`, `-3m`.
pub(super) fn duration(text: &str) -> Option<TimeDelta> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.is_empty() {
        return None;
    }
    let mut sum = TimeDelta::zero();
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at_checked(digits)?;
        let unit_end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit_end)?;
        let seconds = number.parse::<f64>().ok()? * seconds_of(unit)?;
        sum = sum.checked_add(&span(seconds)?)?;
        rest = after;
    }
    if negative { TimeDelta::zero().checked_sub(&sum) } else { Some(sum) }
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        "w" => 604_800.0,
        _ => return None,
    })
}

fn span(seconds: f64) -> Option<TimeDelta> {
    Duration::from_std(std::time::Duration::try_from_secs_f64(seconds).ok()?).ok()
}
