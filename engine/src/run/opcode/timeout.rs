//! How long a wait lasts: a duration or RFC 3339 (PROTOCOL §7.1).

use super::Rejection;
use crate::duration::{parse_date, parse_duration};
use crate::error::Code;
use crate::ids::Millis;
use crate::limits::{SLEEP_TIME_MAX, WAIT_TIME_DEFAULT};
use crate::run::problem::Problem;

/// The moment that `text` names; one in the past means now, and so does nothing at all between the quotes.
///
/// # Errors
/// What is neither, and what is too far off: the run fails, since asking again would not help.
pub(super) fn read(what: &str, text: Option<&str>, now: Millis) -> Result<Millis, Rejection> {
    let until = match text {
        None => now.plus(WAIT_TIME_DEFAULT),
        Some("") => now,
        Some(text) => {
            let until = parse_duration(text).map(|span| now.plus(span)).or_else(|| parse_date(text));
            until.ok_or_else(|| {
                let message = format!(
                    "{what} till {text:?}: neither a duration like \"1h30m\" nor a date like 2026-11-22T04:13:32Z."
                );
                Rejection::Run(Problem::found(Code::WaitInvalid, message))
            })?
        }
    };
    if until.since(now) > SLEEP_TIME_MAX {
        let message = format!("{what} till {:?} is longer than the limit of 366 days.", text.unwrap_or_default());
        return Err(Rejection::Run(Problem::named(Code::SleepTooLong, "InngestErrTimeoutTooLong", message)));
    }
    Ok(until.max(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_320_000_000);

    fn until(text: Option<&str>) -> Result<u64, Code> {
        match read("A wait", text, NOW) {
            Ok(until) => Ok(until.0 - NOW.0),
            Err(Rejection::Run(problem)) => Err(problem.code.unwrap()),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_timeout_is_a_duration_or_a_date() {
        assert_eq!(until(Some("30s")), Ok(30_000));
        assert_eq!(until(Some("2000-01-01T00:00:00Z")), Ok(0));
        assert_eq!(until(Some("")), Ok(0));
        assert_eq!(until(None), Ok(WAIT_TIME_DEFAULT.0));
        assert_eq!(until(Some("soon")), Err(Code::WaitInvalid));
    }

    #[test]
    fn a_wait_may_last_a_year_and_no_longer() {
        assert_eq!(until(Some("366d")), Ok(SLEEP_TIME_MAX.0));
        assert_eq!(until(Some("366d1s")), Err(Code::SleepTooLong));
    }
}
