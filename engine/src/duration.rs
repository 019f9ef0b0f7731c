//! Durations and dates as SDKs and users write them (PROTOCOL §7.1, §4.2).

use crate::ids::Millis;
use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// Longer texts are neither durations nor dates.
const TEXT_BYTES_MAX: usize = 128;
/// A `Retry-After` of at most so many characters is a number of seconds (PROTOCOL §4.2).
const RETRY_AFTER_SECONDS_CHARACTERS_MAX: usize = 7;

/// Reads an optional sign and one or more `<decimal><unit>`, where a unit is one of `ns us µs ms s m h d w`; `"0"` needs
/// none (PROTOCOL §7.1).
///
/// A fraction of a millisecond counts as a whole one, so that nothing is early. A negative duration is zero: what lies in
/// the past means now. `None` for anything else, and for what 64 bits of milliseconds cannot hold.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Millis> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let negative = text.starts_with('-');
    let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    if rest == "0" {
        return Some(Millis(0));
    }
    if rest.is_empty() {
        return None;
    }
    let mut sum_ns: u128 = 0;
    while !rest.is_empty() {
        let (number, after) = split_where(rest, |c| !c.is_ascii_digit() && c != '.');
        let (unit, after) = split_where(after, |c| c.is_ascii_digit() || c == '.');
        sum_ns = sum_ns.checked_add(decimal(number, unit_ns(unit)?)?)?;
        rest = after;
    }
    let millis = u64::try_from(sum_ns.div_ceil(1_000_000)).ok()?;
    Some(Millis(if negative { 0 } else { millis }))
}

/// Reads RFC 3339, `2006-01-02T15:04:05`, `2006-01-02`, RFC 1123, RFC 822, RFC 850, Unix date and ANSI C (PROTOCOL §7.1).
///
/// Where no numeric zone is given, UTC is meant. A moment before 1970 is 1970: both mean now. `None` for anything else.
#[must_use]
pub fn parse_date(text: &str) -> Option<Millis> {
    let text = text.trim();
    if text.is_empty() || text.len() > TEXT_BYTES_MAX {
        return None;
    }
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(moment(date.timestamp_millis()));
    }
    if let Ok(date) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Some(moment(date.and_utc().timestamp_millis()));
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(moment(date.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()));
    }
    parse_worded_date(text)
}

/// The delay that a `Retry-After` asks for, not clamped (PROTOCOL §4.2, SERVER §3.2): seconds, a Unix time in seconds, or
/// a date. `None` for anything else, also for zero and negative seconds.
#[must_use]
pub fn parse_retry_after(text: &str, now: Millis) -> Option<Millis> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = text.parse::<u64>().ok().filter(|seconds| *seconds > 0)?;
        let millis = Millis(seconds.saturating_mul(1_000));
        let is_delay = text.len() <= RETRY_AFTER_SECONDS_CHARACTERS_MAX;
        return Some(if is_delay { millis } else { millis.since(now) });
    }
    Some(parse_date(text)?.since(now))
}

fn split_where(text: &str, stop: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at_checked(text.find(stop).unwrap_or(text.len())).unwrap_or((text, ""))
}

fn unit_ns(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        // The micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        "d" => 86_400_000_000_000,
        "w" => 604_800_000_000_000,
        _ => return None,
    })
}

/// `number` units of `unit` nanoseconds, rounded up: exact, where floating point would not be.
fn decimal(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u128>().ok()?.checked_mul(unit)? };
    if fraction.is_empty() {
        return Some(whole);
    }
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let part = fraction.parse::<u128>().ok()?.checked_mul(unit)?.checked_next_multiple_of(scale)?.checked_div(scale)?;
    whole.checked_add(part)
}

/// Dates with the name of a month in them. Names of zones mean UTC: they are ambiguous, and SDKs write none but `GMT`.
fn parse_worded_date(text: &str) -> Option<Millis> {
    const SHAPES: [&str; 4] = ["%d %b %Y %H:%M:%S", "%d-%b-%y %H:%M:%S", "%b %d %H:%M:%S %Y", "%d %b %y %H:%M"];

    let mut offset_seconds: i64 = 0;
    let mut words = Vec::new();
    for (position, word) in text.split_whitespace().enumerate() {
        if position == 0 && is_weekday(word) {
            continue;
        }
        match zone_offset_seconds(word) {
            Some(offset) if position > 0 => offset_seconds = offset,
            _ => words.push(word),
        }
    }
    let words = words.join(" ");
    let local = SHAPES.iter().find_map(|shape| NaiveDateTime::parse_from_str(&words, shape).ok())?;
    Some(moment(local.and_utc().timestamp().checked_sub(offset_seconds)?.checked_mul(1_000)?))
}

/// The weekday says nothing that the date does not, so a wrong one does not matter.
fn is_weekday(word: &str) -> bool {
    word.trim_end_matches(',').parse::<chrono::Weekday>().is_ok()
}

fn zone_offset_seconds(word: &str) -> Option<i64> {
    let digits = word.strip_prefix(['+', '-']);
    if let Some(digits) = digits.filter(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
    {
        let (hours, minutes) = digits.split_at_checked(2)?;
        let seconds =
            hours.parse::<i64>().ok()?.checked_mul(60)?.checked_add(minutes.parse().ok()?)?.checked_mul(60)?;
        return if word.starts_with('-') { seconds.checked_neg() } else { Some(seconds) };
    }
    let is_name = (1..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_name && word.parse::<chrono::Month>().is_err()).then_some(0)
}

fn moment(millis: i64) -> Millis {
    Millis(u64::try_from(millis).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_read_as_the_protocol_writes_them() {
        for (text, millis) in [
            ("0", 0),
            ("+0", 0),
            ("1s", 1_000),
            ("1h30m", 5_400_000),
            ("2h30m10s", 9_010_000),
            ("1.5s", 1_500),
            (".5s", 500),
            ("1.s", 1_000),
            ("2d", 172_800_000),
            ("1w", 604_800_000),
            ("1w2d", 777_600_000),
            ("250ms", 250),
            ("1500us", 2),
            ("1500µs", 2),
            ("1500\u{3bc}s", 2),
            ("1ns", 1),
            ("1000000ns", 1),
            ("0.1s", 100),
            ("+5m", 300_000),
            ("-5m", 0),
            ("366d", 31_622_400_000),
        ] {
            assert_eq!(parse_duration(text), Some(Millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        let long = "1s".repeat(65);
        for text in [
            "",
            "-",
            "5",
            "s",
            ".s",
            "1",
            "1.2.3s",
            "5 min",
            "5min",
            " 5m",
            "1h30",
            "1y",
            "1S",
            "five",
            "--1s",
            "999999999999999999999w",
            long.as_str(),
        ] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn every_format_of_a_date_is_read() {
        let at = Millis(1_136_214_245_000);
        for (text, millis) in [
            ("2006-01-02T15:04:05Z", at),
            ("2006-01-02T15:04:05.999Z", Millis(1_136_214_245_999)),
            ("2006-01-02T17:04:05+02:00", at),
            ("2006-01-02T15:04:05", at),
            ("2006-01-02", Millis(1_136_160_000_000)),
            ("Mon, 02 Jan 2006 15:04:05 GMT", at),
            ("Mon, 02 Jan 2006 08:04:05 -0700", at),
            ("02 Jan 06 15:04 UTC", Millis(1_136_214_240_000)),
            ("02 Jan 06 08:04 -0700", Millis(1_136_214_240_000)),
            ("Monday, 02-Jan-06 15:04:05 MST", at),
            ("Mon Jan  2 15:04:05 UTC 2006", at),
            ("Mon Jan 02 08:04:05 -0700 2006", at),
            ("Mon Jan  2 15:04:05 2006", at),
            ("1955-11-05T06:00:00Z", Millis(0)),
        ] {
            assert_eq!(parse_date(text), Some(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in
            ["", "tomorrow", "2006-13-02", "2006-02-30", "15:04:05", "2006-01-02T25:00:00Z", "1136214245", "10s"]
        {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn retry_after_is_seconds_a_unix_time_or_a_date() {
        let now = Millis(1_136_214_245_000);
        assert_eq!(parse_retry_after("30", now), Some(Millis(30_000)));
        assert_eq!(parse_retry_after("9999999", now), Some(Millis(9_999_999_000)));
        assert_eq!(parse_retry_after("1136214305", now), Some(Millis(60_000)));
        assert_eq!(parse_retry_after("2006-01-02T15:05:05.500Z", now), Some(Millis(60_500)));
        assert_eq!(parse_retry_after("Mon, 02 Jan 2006 15:05:05 GMT", now), Some(Millis(60_000)));
        assert_eq!(parse_retry_after("2001-01-01T00:00:00Z", now), Some(Millis(0)));
        for text in ["", "0", "-5", "1.5", "soon"] {
            assert_eq!(parse_retry_after(text, now), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parsers_panic(text in "\\PC{0,40}|[0-9.+-]{0,20}[a-zµ]{0,3}[0-9.]{0,60}[smhdw]") {
            let _ = parse_duration(&text);
            let _ = parse_date(&text);
            let _ = parse_retry_after(&text, Millis(0));
        }

        #[test]
        fn whole_units_add_up(hours in 0_u64..1_000, minutes in 0_u64..1_000, millis in 0_u64..1_000_000) {
            let sum = hours * 3_600_000 + minutes * 60_000 + millis;
            prop_assert_eq!(parse_duration(&format!("{hours}h{minutes}m{millis}ms")), Some(Millis(sum)));
        }
    }
}
