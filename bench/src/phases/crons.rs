//! How late functions are that all start at the same minute.

use crate::app;
use crate::bench::Bench;
use crate::report::{Row, Value};
use crate::samples::Samples;
use chrono::{DurationRound as _, TimeDelta, Utc};
use std::time::{Duration, SystemTime};

/// Functions with a schedule of every minute.
const SCHEDULES: usize = 200;
/// So long before the minute the functions are known to the server.
const AHEAD_MIN: Duration = Duration::from_secs(3);

/// Registers the functions, and waits for the calls of the next minute.
///
/// # Errors
/// The server refused them, or called early.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    bench.report.progress("schedules: waits for the next minute");
    let minute = next_minute(Utc::now())?;
    let ahead = minute.duration_since(SystemTime::now()).unwrap_or_default();
    let minute = if ahead < AHEAD_MIN {
        tokio::time::sleep(ahead).await;
        next_minute(Utc::now())?
    } else {
        minute
    };
    let mut connection = bench.connect().await?;
    app::register_scheduled(&mut connection, bench.app.port, SCHEDULES).await?;
    let mut lateness = Samples::default();
    for _ in 0..SCHEDULES {
        let run = bench.app.segment().await?;
        let late = run.first()?.arrived_at.duration_since(minute);
        lateness.add(late.map_err(|early| anyhow::anyhow!("a schedule was {:?} early", early.duration()))?);
    }
    app::register_scheduled(&mut connection, bench.app.port, 0).await?;
    let (p50, p99) = (Value::Time(lateness.percentile(50)?), Value::Time(lateness.percentile(99)?));
    let label = format!("lateness of {SCHEDULES} schedules at one minute, p50");
    bench.report.row(Row::new("crons", label, p50).p99(p99));
    Ok(())
}

fn next_minute(now: chrono::DateTime<Utc>) -> anyhow::Result<SystemTime> {
    let minute = now
        .duration_trunc(TimeDelta::minutes(1))
        .ok()
        .and_then(|minute| minute.checked_add_signed(TimeDelta::minutes(1)));
    Ok(minute.ok_or_else(|| anyhow::anyhow!("the clock is at the end of time"))?.into())
}
