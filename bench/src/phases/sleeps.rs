//! How late 1,000 sleeps are that are due at the same moment.

use crate::bench::Bench;
use crate::events::{self, Data};
use crate::report::{Bar, Row, Value};
use crate::samples::Samples;
use chrono::{DurationRound as _, SecondsFormat, TimeDelta, Utc};
use std::time::{Duration, SystemTime};

/// Sleeps.
const SLEEPS: usize = 1_000;
/// Events of a request.
const PER_REQUEST: usize = 100;
/// The latest call, but for one in a hundred.
const LATENESS_P99_MAX: Duration = Duration::from_millis(50);

/// Starts 1,000 runs that sleep until one date, and waits for the calls that wake them.
///
/// # Errors
/// The server was early, or too slow to take all sleeps before they were due.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    bench.report.progress("1,000 sleeps");
    let (until, due) = date_in(bench.scale.sleeps_ahead)?;
    let mut connection = bench.connect().await?;
    for _ in 0..SLEEPS.div_euclid(PER_REQUEST) {
        let sleep = || Data { until: Some(until.clone()), ..bench.data(0) };
        let data: Vec<Data> = std::iter::repeat_with(sleep).take(PER_REQUEST).collect();
        events::send(&mut connection, "bench/sleep", &data).await?;
    }
    for _ in 0..SLEEPS {
        let asleep = bench.app.segment().await?;
        anyhow::ensure!(asleep.first()?.step == 0, "a sleep ended before it was due");
    }
    anyhow::ensure!(SystemTime::now() < due, "1,000 runs did not go to sleep in {:?}", bench.scale.sleeps_ahead);
    let mut lateness = Samples::default();
    for _ in 0..SLEEPS {
        let awake = bench.app.segment().await?;
        let late = awake.first()?.arrived_at.duration_since(due);
        lateness.add(late.map_err(|early| anyhow::anyhow!("a sleep ended {:?} early", early.duration()))?);
    }
    let (p50, p99) = (Value::Time(lateness.percentile(50)?), Value::Time(lateness.percentile(99)?));
    let bar = Bar::at_most(p99, Value::Time(LATENESS_P99_MAX), "the p99");
    bench.report.row(Row::new("sleeps", "lateness of 1,000 sleeps due at once, p50", p50).p99(p99).bar(bar));
    Ok(())
}

/// A date so far ahead, as it is sent and as a moment. Dates carry whole milliseconds.
fn date_in(ahead: Duration) -> anyhow::Result<(String, SystemTime)> {
    let date = Utc::now()
        .checked_add_signed(TimeDelta::from_std(ahead)?)
        .and_then(|date| date.duration_trunc(TimeDelta::milliseconds(1)).ok());
    let date = date.ok_or_else(|| anyhow::anyhow!("the clock is at the end of time"))?;
    Ok((date.to_rfc3339_opts(SecondsFormat::Millis, true), date.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_that_is_sent_is_the_moment_that_is_measured_from() {
        let (text, due) = date_in(Duration::from_secs(4)).unwrap();
        assert_eq!(SystemTime::from(chrono::DateTime::parse_from_rfc3339(&text).unwrap()), due);
        assert!(due > SystemTime::now());
    }
}
