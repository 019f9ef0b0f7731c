//! The five fields of a schedule as this protocol writes them (SERVER §1.7), rewritten as the `croner` crate reads them.
//!
//! What that crate takes and this protocol does not (seconds, years, `L`, `W`, `#`, `+`, nicknames) is refused here, with the
//! field; what both take and mean differently (`*/1` among days, `5/2` among weekdays) leaves here as what it means.

/// One of the five.
struct Field {
    name: &'static str,
    lowest: u8,
    /// Where `*` and a step without an end stop.
    last: u8,
    /// The highest number that may be written: 7 is Sunday, too.
    highest: u8,
    /// What may be written for the numbers from `lowest` on.
    names: &'static [&'static str],
}

const fn numbers(name: &'static str, lowest: u8, last: u8) -> Field {
    Field { name, lowest, last, highest: last, names: &[] }
}

const FIELDS: [Field; 5] = [
    numbers("minute", 0, 59),
    numbers("hour", 0, 23),
    numbers("day of month", 1, 31),
    Field {
        name: "month",
        lowest: 1,
        last: 12,
        highest: 12,
        names: &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"],
    },
    Field {
        name: "day of week",
        lowest: 0,
        last: 6,
        highest: 7,
        names: &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
    },
];

/// Five fields, understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Read {
    /// For the crate: numbers, ranges, steps and lists.
    pub(super) pattern: String,
    /// The minute or the hour is any, or a step: it goes on through a change of the clocks, as an interval would.
    pub(super) is_interval: bool,
    /// No month has such a day: to look for one would take long and be in vain.
    pub(super) is_never: bool,
}

/// Reads the words of a schedule.
///
/// # Errors
/// What is wrong, for people: with the name of the field.
pub(super) fn read(words: &[&str]) -> Result<Read, String> {
    if words.len() != FIELDS.len() {
        return Err(format!("has {} fields; a schedule has {}, such as \"0 5 * * 1\"", words.len(), FIELDS.len()));
    }
    let mut all = Vec::with_capacity(FIELDS.len());
    for (field, text) in FIELDS.iter().zip(words) {
        let items = text.split(',').map(|item| field.item(item)).collect::<Result<Vec<_>, _>>()?;
        all.push((field.pattern(&items), items));
    }
    let is_interval = all.iter().take(2).flat_map(|(_, items)| items).any(|item| item.is_open);
    let is_never = matches!(all.as_slice(), [_, _, (_, days), (_, months), (weekdays, _)]
        if weekdays == "*" && !may_be(days, months));
    let patterns: Vec<String> = all.into_iter().map(|(pattern, _)| pattern).collect();
    Ok(Read { pattern: patterns.join(" "), is_interval, is_never })
}

/// Whether any of the months has the first of the days.
fn may_be(days: &[Item], months: &[Item]) -> bool {
    let first = days.iter().map(|day| day.from).min().unwrap_or(1);
    let length = |month: u8| match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let mut months = months.iter().flat_map(|month| (month.from..=month.to).step_by(usize::from(month.step)));
    months.any(|month| length(month) >= first)
}

/// One of the things that a field lists.
struct Item {
    from: u8,
    to: u8,
    step: u8,
    /// `*` with or without a step, or a step without an end.
    is_open: bool,
}

impl Field {
    fn item(&self, text: &str) -> Result<Item, String> {
        let (base, step) = match text.split_once('/') {
            Some((base, step)) => (base, Some(self.step(step)?)),
            None => (text, None),
        };
        if matches!(base, "*" | "?") {
            return Ok(Item { from: self.lowest, to: self.last, step: step.unwrap_or(1), is_open: true });
        }
        let (from, to) = match base.split_once('-') {
            Some((from, to)) => (self.value(from)?, self.end(to)?),
            None => {
                let from = self.value(base)?;
                (from, if step.is_some() { self.last.max(from) } else { from })
            }
        };
        if from > to {
            return Err(format!("has the {} range {base:?}, which ends before it begins", self.name));
        }
        let is_open = step.is_some() && !base.contains('-');
        Ok(Item { from, to, step: step.unwrap_or(1), is_open })
    }

    fn value(&self, text: &str) -> Result<u8, String> {
        let named = self.names.iter().zip(self.lowest..).find(|(name, _)| name.eq_ignore_ascii_case(text));
        if let Some((_, value)) = named {
            return Ok(value);
        }
        let is_number = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = text.parse::<u8>().ok().filter(|_| is_number);
        value.filter(|value| (self.lowest..=self.highest).contains(value)).ok_or_else(|| {
            let names = self.names.first().map(|first| format!(", or a name such as {first}")).unwrap_or_default();
            format!("has the {} {text:?}; it is a number from {} to {}{names}", self.name, self.lowest, self.highest)
        })
    }

    /// The end of a range: a week may also end on Sunday.
    fn end(&self, text: &str) -> Result<u8, String> {
        let value = self.value(text)?;
        Ok(if self.highest > self.last && text.eq_ignore_ascii_case("SUN") { self.highest } else { value })
    }

    fn step(&self, text: &str) -> Result<u8, String> {
        let is_number = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let step = text.parse::<u8>().ok().filter(|step| is_number && *step > 0);
        step.ok_or_else(|| format!("has the {} step {text:?}; it is a number from 1 to 255", self.name))
    }

    /// A field with a `*` in it is `*`: that matters for days, where it says that the other field alone counts.
    fn pattern(&self, items: &[Item]) -> String {
        let is_any = |item: &Item| item.step == 1 && item.from == self.lowest && item.to == self.last && item.is_open;
        if items.iter().any(is_any) {
            return "*".to_owned();
        }
        let item = |item: &Item| match item.from.checked_add(item.step) {
            Some(second) if second <= item.to && item.step > 1 => format!("{}-{}/{}", item.from, item.to, item.step),
            Some(_) if item.step == 1 && item.from < item.to => format!("{}-{}", item.from, item.to),
            _ => item.from.to_string(),
        };
        items.iter().map(item).collect::<Vec<_>>().join(",")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> String {
        read(&text.split(' ').collect::<Vec<_>>())
            .map(|read| read.pattern)
            .unwrap_or_else(|fault| panic!("{text}: {fault}"))
    }

    #[test]
    fn what_both_take_goes_through_and_what_they_mean_differently_is_said_plainly() {
        for (written, expected) in [
            ("* * * * *", "* * * * *"),
            ("0 5 1 1 1", "0 5 1 1 1"),
            ("*/15 0-6/2 1,15 JAN-mar MON-FRI", "0-59/15 0-6/2 1,15 1-3 1-5"),
            // A step that is none, and a list with everything in it: any day.
            ("0 0 */1 * MON", "0 0 * * 1"),
            ("0 0 5,* * MON", "0 0 * * 1"),
            ("0 0 ? * ?", "0 0 * * *"),
            // But a step, or all days written out, restrict the day.
            ("0 0 */2 * MON", "0 0 1-31/2 * 1"),
            ("0 0 1-31 * MON", "0 0 1-31 * 1"),
            // A step from a number on, up to the last; a week's last day is Saturday.
            ("5/20 * * * 5/2", "5-59/20 * * * 5"),
            ("5/1 * * * *", "5-59 * * * *"),
            ("* * * * 7", "* * * * 7"),
            ("* * * * FRI-SUN", "* * * * 5-7"),
            ("* * * * sun,0", "* * * * 0,0"),
            // A step beyond the end leaves the beginning.
            ("*/90 10-20/255 * * *", "0 10 * * *"),
        ] {
            assert_eq!(pattern(written), expected, "{written}");
        }
    }

    #[test]
    fn an_interval_is_any_or_a_step_of_the_minute_or_the_hour() {
        for (written, expected) in [
            ("* * * * *", true),
            ("*/5 3 * * *", true),
            ("0 */2 * * *", true),
            ("5/10 3 * * *", true),
            ("0 3 * * *", false),
            ("0,30 1-5 * * *", false),
            ("0-59/5 3 */2 */2 *", false),
        ] {
            assert_eq!(read(&written.split(' ').collect::<Vec<_>>()).unwrap().is_interval, expected, "{written}");
        }
    }

    #[test]
    fn faults_name_the_field() {
        for (written, said) in [
            ("60 * * * *", "minute \"60\""),
            ("* 24 * * *", "hour \"24\""),
            ("* * 0 * *", "day of month \"0\""),
            ("* * 32 * *", "day of month \"32\""),
            ("* * * 13 *", "month \"13\""),
            ("* * * JANUARY *", "month \"JANUARY\""),
            ("* * * * 8", "day of week \"8\""),
            ("JAN * * * *", "minute \"JAN\""),
            ("* * * MON *", "month \"MON\""),
            ("5-3 * * * *", "ends before it begins"),
            ("* * * * FRI-MON", "ends before it begins"),
            ("*/0 * * * *", "minute step \"0\""),
            ("*/x * * * *", "minute step \"x\""),
            ("*/+5 * * * *", "minute step \"+5\""),
            ("1/2/3 * * * *", "minute step \"2/3\""),
            ("1-2-3 * * * *", "minute \"2-3\""),
            ("*-5 * * * *", "minute \"*\""),
            ("1, * * * *", "minute \"\""),
            ("/5 * * * *", "minute \"\""),
            ("+5 * * * *", "minute \"+5\""),
            ("-5 * * * *", "minute \"\""),
            ("* * L * *", "day of month \"L\""),
            ("* * 15W * *", "day of month \"15W\""),
            ("* * * * 5#2", "day of week \"5#2\""),
            ("* * * * +MON", "day of week \"+MON\""),
            ("0005 * * * *", "minute \"0005\""),
            ("* * * *", "has 4 fields"),
            ("0 * * * * *", "has 6 fields"),
        ] {
            let fault = read(&written.split(' ').collect::<Vec<_>>()).expect_err(written);
            assert!(fault.contains(said), "{written}: {fault}");
        }
    }
}
