//! Times and spans as people read them.

use serde_json::Value;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A span: `12 ms`, `1.2 s`, `3 min 20 s`, `5 h 12 min`, `2 d 3 h`.
#[must_use]
pub fn span(ms: u64) -> String {
    match ms {
        0..SECOND => format!("{ms} ms"),
        SECOND..MINUTE => format!("{}.{} s", ms / SECOND, ms % SECOND / 100),
        MINUTE..HOUR => format!("{} min {} s", ms / MINUTE, ms % MINUTE / SECOND),
        HOUR..DAY => format!("{} h {} min", ms / HOUR, ms % HOUR / MINUTE),
        _ => format!("{} d {} h", ms / DAY, ms % DAY / HOUR),
    }
}

/// How long ago a moment was.
#[must_use]
pub fn ago(at_ms: u64, now_ms: u64) -> String {
    format!("{} ago", span(now_ms.saturating_sub(at_ms)))
}

/// A moment in milliseconds since the Unix epoch: a number, or RFC 3339 in UTC.
#[must_use]
pub fn moment(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| rfc3339(value.as_str()?))
}

/// `2026-11-22T04:21:07.836417158Z`
fn rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = three(date, '-')?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, ""));
    let [hours, minutes, seconds] = three(whole, ':')?;
    let mut millis = fraction.chars().take(3).collect::<String>();
    while millis.len() < 3 {
        millis.push('0');
    }
    let of_day = hours
        .checked_mul(HOUR)?
        .checked_add(minutes.checked_mul(MINUTE)?)?
        .checked_add(seconds.checked_mul(SECOND)?)?;
    days_since_epoch(year, month, day)?.checked_mul(DAY)?.checked_add(of_day)?.checked_add(millis.parse().ok()?)
}

fn three(text: &str, between: char) -> Option<[u64; 3]> {
    let mut parts = text.split(between).map(|part| part.parse::<u64>().ok());
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// Howard Hinnant's `days_from_civil`, for years from 1970 on: years begin in March, so that leap days come last.
fn days_since_epoch(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let month_from_march = month.checked_add(9)? % 12;
    let day_of_year =
        month_from_march.checked_mul(153)?.checked_add(2)?.checked_div(5)?.checked_add(day)?.checked_sub(1)?;
    let leap_days = (year / 4).checked_sub(year / 100)?.checked_add(year / 400)?;
    year.checked_mul(365)?.checked_add(leap_days)?.checked_add(day_of_year)?.checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn spans_are_told_in_their_largest_units() {
        for (ms, told) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1.0 s"),
            (59_999, "59.9 s"),
            (200_000, "3 min 20 s"),
            (5 * HOUR + 12 * MINUTE, "5 h 12 min"),
            (2 * DAY + 3 * HOUR, "2 d 3 h"),
        ] {
            assert_eq!(span(ms), told);
        }
    }

    #[test]
    fn moments_are_read_in_both_forms() {
        assert_eq!(moment(&json!(7)), Some(7));
        assert_eq!(moment(&json!("1970-01-01T00:00:00Z")), Some(0));
        assert_eq!(moment(&json!("2000-02-29T12:30:15.5Z")), Some(951_827_415_500));
        assert_eq!(moment(&json!("2026-11-22T04:21:07.836417158Z")), Some(1_795_321_267_836));
        for garbage in [json!(null), json!("yesterday"), json!("2026-11Z"), json!("1969-01-01T00:00:00Z"), json!(-1)] {
            assert_eq!(moment(&garbage), None, "{garbage}");
        }
    }
}
