//! Runs under limits: what a slot costs a step, how soon a free slot is taken while thousands wait, and whether it matters how many
//! values of a key are in use.

use crate::bench::Bench;
use crate::client::Connection;
use crate::events::{self, Data};
use crate::report::{Bar, Row, Value};
use crate::samples::{Samples, rate};
use std::time::{Duration, Instant};

/// Steps of a run.
const STEPS: usize = 10;
/// How much dearer a step under a limit may be than one without.
const GATED_RATIO_MAX: f64 = 1.5;
/// The limit behind which runs are queued, as it is registered.
const LIMIT: usize = 10;
/// How long their calls take, in milliseconds, from so much ... With calls that take no time the machine has nothing else to do, and what is measured is
/// how much work it gets through.
const WORK_MS_MIN: u64 = 10;
/// ... to as much more: calls of one length would all end at once, again and again.
const WORK_MS_MORE: u64 = 20;
/// How soon a free slot must be taken.
const REFILL_TIME_MAX: Duration = Duration::from_millis(5);
/// How much dearer a start may be with many values of a key in use than with few.
const KEYS_RATIO_MAX: f64 = 1.5;
/// Starts that are measured at each count of values.
const KEYED_STARTS: usize = 100;
/// Events of a request.
const PER_REQUEST: usize = 100;

/// All three.
///
/// # Errors
/// The server refused an event, or let more runs go at once than it may.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut connection = bench.connect().await?;
    gated(bench, &mut connection).await?;
    queued(bench, &mut connection).await?;
    keyed(bench, &mut connection).await
}

/// The overhead of a step under a limit that is never reached, against one without; in turn, so that both meet the same machine.
async fn gated(bench: &mut Bench, connection: &mut Connection) -> anyhow::Result<()> {
    bench.report.progress("steps under a limit");
    let (mut free, mut gated) = (Samples::default(), Samples::default());
    for _ in 0..bench.scale.sequential_runs {
        for (event, samples) in [("bench/steps", &mut free), ("bench/gated", &mut gated)] {
            let data = bench.data(STEPS);
            events::send(connection, event, &[data]).await?;
            let segment = bench.app.segment().await?;
            segment.ensure_in_order()?;
            segment.overheads().for_each(|overhead| samples.add(overhead));
        }
    }
    let p50 = gated.percentile(50)?;
    let ratio = Value::Times(p50.as_secs_f64() / free.percentile(50)?.as_secs_f64());
    let bar = Bar::at_most(ratio, Value::Times(GATED_RATIO_MAX), "against one without a limit");
    let row = Row::new("gated", "overhead of a step under a limit, p50", Value::Time(p50));
    bench.report.row(row.p99(Value::Time(gated.percentile(99)?)).bar(bar));
    Ok(())
}

/// Thousands of runs of one call each behind a small limit: from an answer to the call that takes its place. Once with all of them queued before
/// the first answer, and calls that take a while; and once as fast as it goes, while events still come in.
async fn queued(bench: &mut Bench, connection: &mut Connection) -> anyhow::Result<()> {
    let count = bench.scale.queued;
    bench.report.progress(&format!("{count} runs behind a limit of {LIMIT}"));
    bench.app.hold(true);
    send_all(bench, connection, "bench/queued", count, |key| WORK_MS_MIN.saturating_add(spread(key))).await?;
    let began = Instant::now();
    bench.app.hold(false);
    let samples = refills(bench, count).await?;
    let time = began.elapsed();
    let p99 = Value::Time(samples.percentile(99)?);
    let bar = Bar::at_most(p99, Value::Time(REFILL_TIME_MAX), "p99");
    let longest = WORK_MS_MIN.saturating_add(WORK_MS_MORE);
    let label = format!("free slot to next call, {count} queued, calls of {WORK_MS_MIN} to {longest} ms, p50");
    bench.report.row(Row::new("refill", label, Value::Time(samples.percentile(50)?)).p99(p99).bar(bar));
    bench.report.row(Row::new("queued", "  runs a second behind that limit", Value::PerSecond(rate(count, time))));

    let began = Instant::now();
    send_all(bench, connection, "bench/queued", count, |_| 0).await?;
    let samples = refills(bench, count).await?;
    let time = began.elapsed();
    let p50 = Value::Time(samples.percentile(50)?);
    let label = format!("  the same while events come, {PER_REQUEST} a request, and calls take no time, p50");
    bench.report.row(Row::new("refill-busy", label, p50).p99(Value::Time(samples.percentile(99)?)));
    bench.report.row(Row::new("queued-busy", "  runs a second", Value::PerSecond(rate(count, time))));
    Ok(())
}

/// A number up to the limit that differs from key to key, and is the same in every run.
const fn spread(key: u64) -> u64 {
    key.wrapping_mul(7_919) % (WORK_MS_MORE + 1)
}

/// Waits for so many runs, and says how long each slot was free.
async fn refills(bench: &mut Bench, count: usize) -> anyhow::Result<Samples> {
    let (mut arrived, mut left) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for _ in 0..count {
        let segment = bench.app.segment().await?;
        let call = segment.first()?;
        arrived.push(call.arrived);
        left.push(call.left);
    }
    arrived.sort_unstable();
    left.sort_unstable();
    let mut samples = Samples::default();
    // The n-th call takes the place of the (n - LIMIT)-th answer: as many as that must have left before it came.
    for (came, freed) in arrived.iter().skip(LIMIT).zip(&left) {
        anyhow::ensure!(came >= freed, "more than {LIMIT} calls at once");
        samples.add(came.saturating_duration_since(*freed));
    }
    Ok(samples)
}

/// From an event to the first call of its run, where so many other values of its key are in use.
async fn keyed(bench: &mut Bench, connection: &mut Connection) -> anyhow::Result<()> {
    let mut in_use = 0_usize;
    let mut fewest = None;
    for count in bench.scale.keys {
        bench.report.progress(&format!("{count} values of a key"));
        let missing = count.saturating_sub(in_use);
        send_all(bench, connection, "bench/keyed", missing, |_| 0).await?;
        for _ in 0..missing {
            bench.app.segment().await?;
        }
        in_use = count.saturating_add(KEYED_STARTS);
        let mut samples = Samples::default();
        for _ in 0..KEYED_STARTS {
            let data = bench.data(0);
            let sent = Instant::now();
            events::send(connection, "bench/keyed", &[data]).await?;
            samples.add(bench.app.segment().await?.first()?.arrived.saturating_duration_since(sent));
        }
        let p50 = samples.percentile(50)?;
        let label = format!("event to first call, {count} values of a key in use, p50");
        let mut row =
            Row::new(format!("keys-{count}"), label, Value::Time(p50)).p99(Value::Time(samples.percentile(99)?));
        if let Some(fewest) = fewest.replace(fewest.unwrap_or(p50)) {
            let ratio = Value::Times(p50.as_secs_f64() / fewest.as_secs_f64());
            row = row.bar(Bar::at_most(ratio, Value::Times(KEYS_RATIO_MAX), "against the fewest"));
        }
        bench.report.row(row);
    }
    Ok(())
}

async fn send_all(
    bench: &mut Bench,
    connection: &mut Connection,
    event: &str,
    count: usize,
    work_ms: impl Fn(u64) -> u64,
) -> anyhow::Result<()> {
    let mut missing = count;
    while missing > 0 {
        let fresh = (0..missing.min(PER_REQUEST)).map(|_| bench.data(0));
        let data: Vec<Data> = fresh.map(|data| Data { work_ms: work_ms(data.key), ..data }).collect();
        missing = missing.saturating_sub(data.len());
        events::send(connection, event, &data).await?;
    }
    Ok(())
}
