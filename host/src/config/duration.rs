//! Spans of time as people write them.

use std::time::Duration;

/// Reads `5` (seconds), `100ms`, `2s`, `1.5s`, `3m` or `1h`.
///
/// # Errors
/// A sentence that says what is understood.
pub fn parse(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split).unwrap_or((text, ""));
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => f64::NAN,
    };
    let value = number.trim().parse::<f64>().unwrap_or(f64::NAN) * seconds;
    Duration::try_from_secs_f64(value)
        .map_err(|_| format!("{text:?} is not a span of time; write seconds (5), or 100ms, 2s, 3m, 1h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, millis) in [("5", 5_000), ("100ms", 100), ("2s", 2_000), ("1.5s", 1_500), ("3m", 180_000), ("0", 0)]
        {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in ["", "soon", "-1", "5 parsecs", "1e999", "NaN", "ms"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
