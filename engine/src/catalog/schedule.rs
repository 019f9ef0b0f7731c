//! Whether a text is a schedule (SERVER §1.7).

use crate::limits::SCHEDULE_CHARACTERS_MAX;

/// Minute, hour, day of month, month, day of week.
const FIELDS: usize = 5;

/// Why `schedule` is none, if it is none: five fields, perhaps after `TZ=<zone>` or `CRON_TZ=<zone>`.
pub(super) fn schedule_fault(schedule: &str) -> Option<String> {
    if schedule.chars().count() > SCHEDULE_CHARACTERS_MAX {
        return Some(format!("is longer than {SCHEDULE_CHARACTERS_MAX} characters"));
    }
    let mut words = schedule.split_whitespace().peekable();
    if let Some(first) = words.peek()
        && let Some(zone) = first.strip_prefix("TZ=").or_else(|| first.strip_prefix("CRON_TZ="))
    {
        if zone.is_empty() {
            return Some(format!("{schedule:?} names no time zone after TZ="));
        }
        words.next();
    }
    if words.peek().is_some_and(|word| word.starts_with('@')) {
        return Some(format!("{schedule:?} is a descriptor; write five fields, such as \"0 * * * *\" for every hour"));
    }
    let count = words.count();
    (count != FIELDS)
        .then(|| format!("{schedule:?} has {count} fields; a schedule has {FIELDS}, such as \"0 5 * * 1\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_five_fields() {
        for schedule in ["* * * * *", "TZ=Europe/Berlin 0 5 1 1 *", "CRON_TZ=UTC */5 * * * MON-FRI"] {
            assert_eq!(schedule_fault(schedule), None, "{schedule}");
        }
        for schedule in ["", "* * * *", "* * * * * *", "@daily", "@every 5m", "TZ=UTC @hourly", "TZ= * * * * *"] {
            assert!(schedule_fault(schedule).is_some(), "{schedule}");
        }
    }

    #[test]
    fn a_schedule_is_not_too_long() {
        let of_length = |length: usize| format!("* * * * {}", "1".repeat(length - 8));
        assert_eq!(schedule_fault(&of_length(SCHEDULE_CHARACTERS_MAX)), None);
        assert!(schedule_fault(&of_length(SCHEDULE_CHARACTERS_MAX + 1)).is_some());
    }
}
