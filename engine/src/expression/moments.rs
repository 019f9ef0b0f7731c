//! Functions of moments and spans.

use super::value::{Text, Value};
use super::{convert, dates};
use crate::ids::Millis;
use chrono::{DateTime, Datelike, FixedOffset, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

/// A part of a moment or of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    FullYear,
    Month,
    Date,
    DayOfMonth,
    DayOfWeek,
    DayOfYear,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
}

/// `date(x)`
pub(super) fn date(value: &Value<'_>) -> Option<DateTime<Utc>> {
    match value {
        Value::String(text) => dates::date(text),
        Value::Timestamp(at) => Some(*at),
        number => convert::int(number).and_then(dates::date_of_number),
    }
}

/// `now_plus(span)`, or `now_minus(span)` where `back`.
pub(super) fn shifted<'a>(now: Millis, span: &Value<'_>, back: bool) -> Option<Value<'a>> {
    let now = dates::moment(now)?;
    let Some(Value::Duration(span)) = convert::duration(span) else { return None };
    if back { now.checked_sub_signed(span) } else { now.checked_add_signed(span) }.map(Value::Timestamp)
}

/// `x.getHours()` and its kin; months, days of the month and of the year count from 0, weeks begin on Sunday.
pub(super) fn part_of(part: Part, value: &Value<'_>, zone: Option<&Text<'_>>) -> Option<i64> {
    match value {
        Value::Timestamp(at) => match zone.map(|zone| zone.parse::<Tz>()) {
            None => Some(part_of_moment(part, at)),
            Some(Ok(named)) => Some(part_of_moment(part, &at.with_timezone(&named))),
            Some(Err(_)) => Some(part_of_moment(part, &at.with_timezone(&offset(zone?)?))),
        },
        Value::Duration(span) if zone.is_none() => match part {
            Part::Hours => Some(span.num_hours()),
            Part::Minutes => Some(span.num_minutes()),
            Part::Seconds => Some(span.num_seconds()),
            Part::Milliseconds => Some(i64::from(span.subsec_millis())),
            _ => None,
        },
        _ => None,
    }
}

fn part_of_moment(part: Part, at: &DateTime<impl TimeZone>) -> i64 {
    match part {
        Part::FullYear => i64::from(at.year()),
        Part::Month => i64::from(at.month0()),
        Part::Date => i64::from(at.day()),
        Part::DayOfMonth => i64::from(at.day0()),
        Part::DayOfWeek => i64::from(at.weekday().num_days_from_sunday()),
        Part::DayOfYear => i64::from(at.ordinal0()),
        Part::Hours => i64::from(at.hour()),
        Part::Minutes => i64::from(at.minute()),
        Part::Seconds => i64::from(at.second()),
        Part::Milliseconds => i64::from(at.timestamp_subsec_millis()),
    }
}

/// `+02:00` or `02:00`.
fn offset(zone: &str) -> Option<FixedOffset> {
    let (east, rest) = match zone.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, zone.strip_prefix('+').unwrap_or(zone)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let (hours, minutes) = (hours.parse::<u8>().ok()?, minutes.parse::<u8>().ok()?);
    let seconds = i32::from(hours).checked_mul(3_600)?.checked_add(i32::from(minutes).checked_mul(60)?)?;
    FixedOffset::east_opt(seconds.checked_mul(east)?)
}
