//! `Sleep`: the run rests till a moment; `null` is remembered (PROTOCOL §7.1, §7.2).

use super::{Op, Reading, Rejection};
use crate::duration::{parse_date, parse_duration};
use crate::error::Code;
use crate::ids::Millis;
use crate::limits::SLEEP_TIME_MAX;
use crate::run::journal::What;
use crate::run::problem::Problem;
use serde::Deserialize;

/// Shorter texts are durations, even where they could be dates.
const DATE_CHARACTERS_MIN: usize = 10;

#[derive(Default, Deserialize)]
struct Opts {
    duration: Option<String>,
}

pub(super) fn read(op: &Op<'_>, now: Millis) -> Result<Reading, Rejection> {
    let opts: Opts = op.opts();
    let text = opts.duration.as_deref().or(op.name.as_deref()).unwrap_or_default();
    let until_ms = moment(text, now).ok_or_else(|| {
        let message =
            format!("A sleep till {text:?}: neither a duration like \"1h30m\" nor a date like 2026-11-22T04:13:32Z.");
        Rejection::Run(Problem::found(Code::SleepInvalid, message))
    })?;
    if until_ms.since(now) > SLEEP_TIME_MAX {
        let message = format!("A sleep till {text:?} is longer than the limit of 366 days.");
        return Err(Rejection::Run(Problem::named(Code::SleepTooLong, "InngestErrTimeoutTooLong", message)));
    }
    op.record(What::Slept { until_ms }).map(Reading::Step)
}

/// The moment that `text` names; one in the past means now.
fn moment(text: &str, now: Millis) -> Option<Millis> {
    let date = (text.len() >= DATE_CHARACTERS_MIN).then(|| parse_date(text)).flatten();
    date.or_else(|| parse_duration(text).map(|span| now.plus(span))).map(|at| at.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_320_000_000);

    fn until(op: &str) -> Result<u64, Code> {
        let op: Op<'_> = serde_json::from_str(op).unwrap();
        match read(&op, NOW) {
            Ok(Reading::Step(record)) => match record.what {
                What::Slept { until_ms } => Ok(until_ms.0 - NOW.0),
                other => panic!("{other:?}"),
            },
            Err(Rejection::Run(problem)) => Err(problem.code.unwrap()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_sleep_reads_durations_and_dates() {
        assert_eq!(until(r#"{"op":"Sleep","id":"a","name":"1s"}"#), Ok(1_000));
        assert_eq!(until(r#"{"op":"Sleep","id":"a","name":"x","opts":{"duration":"2h30m10s"}}"#), Ok(9_010_000));
        assert_eq!(until(r#"{"op":"Sleep","id":"a","name":"2000-01-01T00:00:00Z","opts":null}"#), Ok(0));
    }

    #[test]
    fn what_is_as_long_as_a_date_is_read_as_one_first() {
        assert_eq!(until(r#"{"op":"Sleep","id":"a","name":"2006-01-02"}"#), Ok(0));
        assert_eq!(until(r#"{"op":"Sleep","id":"a","name":"100h30m10s"}"#), Ok(361_810_000));
        assert_eq!(until(r#"{"op":"Sleep","id":"a","name":"2006-1-2"}"#), Err(Code::SleepInvalid));
    }

    #[test]
    fn a_sleep_of_a_year_is_allowed_and_no_longer_one() {
        assert_eq!(until(r#"{"op":"Sleep","id":"a","name":"366d"}"#), Ok(SLEEP_TIME_MAX.0));
        assert_eq!(until(r#"{"op":"Sleep","id":"a","name":"366d1s"}"#), Err(Code::SleepTooLong));
    }

    #[test]
    fn an_unreadable_sleep_fails_the_run_rather_than_hanging_it() {
        assert_eq!(until(r#"{"op":"Sleep","id":"a","name":"soon"}"#), Err(Code::SleepInvalid));
        assert_eq!(until(r#"{"op":"Sleep","id":"a"}"#), Err(Code::SleepInvalid));
    }
}
