//! Texts and numbers made fit for a terminal's line.

use std::time::{Duration, UNIX_EPOCH};

/// `text` on one line and with at most `characters_max` characters. What apps send may hold line ends and escape sequences, which
/// must not reach the terminal.
pub fn clip(text: &str, characters_max: usize) -> String {
    let mut clean = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut out: String = clean.by_ref().take(characters_max).collect();
    if clean.next().is_some() {
        out.pop();
        out.push('…');
    }
    out
}

/// A span as people say it: `12 ms`, `1.5 s`, `2 m 5 s`, `3 h 4 m`, `5 d 6 h`.
pub fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => {
            let hundredths = format!("{:02}", ms % 1_000 / 10);
            match hundredths.trim_end_matches('0') {
                "" => format!("{seconds} s"),
                hundredths => format!("{seconds}.{hundredths} s"),
            }
        }
        60_000..3_600_000 => pair(seconds / 60, "m", seconds % 60, "s"),
        3_600_000..86_400_000 => pair(seconds / 3_600, "h", seconds % 3_600 / 60, "m"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3_600, "h"),
    }
}

/// A moment to the second, in UTC.
pub fn moment(ms: u64) -> String {
    match UNIX_EPOCH.checked_add(Duration::from_millis(ms)) {
        // humantime knows no year beyond 9999.
        Some(moment) if ms < 253_402_300_800_000 => humantime::format_rfc3339_seconds(moment).to_string(),
        _ => "a time out of reach".to_owned(),
    }
}

/// `text`, and spaces up to `width` characters.
pub fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    format!("{text}{}", " ".repeat(missing))
}

/// Rows as a table: cells padded to the widest of their column, two spaces between, nothing at a line's end.
pub fn cells(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let padded: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| padded(cell, *width)).collect();
        padded.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn pair(large: u64, large_unit: &str, small: u64, small_unit: &str) -> String {
    if small == 0 { format!("{large} {large_unit}") } else { format!("{large} {large_unit} {small} {small_unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_say_them() {
        let said = [
            (0, "0 ms"),
            (999, "999 ms"),
            (1_000, "1 s"),
            (1_234, "1.23 s"),
            (1_500, "1.5 s"),
            (1_050, "1.05 s"),
            (60_000, "1 m"),
            (125_999, "2 m 5 s"),
            (3_600_000, "1 h"),
            (86_400_000 + 7_200_000, "1 d 2 h"),
        ];
        for (ms, text) in said {
            assert_eq!(span(ms), text);
        }
    }

    #[test]
    fn nothing_that_an_app_says_reaches_the_terminal_as_a_command() {
        assert_eq!(clip("a\u{1b}[31mb\nc\t", 20), "a [31mb c");
        assert_eq!(clip("äöü123", 6), "äöü123");
        assert_eq!(clip("äöü1234", 6), "äöü12…");
    }

    #[test]
    fn moments_beyond_all_calendars_are_no_panic() {
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert_eq!(moment(u64::MAX), "a time out of reach");
    }
}
