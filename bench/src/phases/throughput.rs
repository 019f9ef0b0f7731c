//! Steps a second with many runs in flight, and what a call costs the server.

use crate::app::Segment;
use crate::bench::Bench;
use crate::client::Connection;
use crate::events::{self, Data};
use crate::process::{self, Sampling, Shares};
use crate::report::{Bar, Report, Row, Value};
use crate::samples::{count, rate};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

/// Runs in flight.
const RUNS: usize = 64;
/// Steps of a run.
const STEPS: usize = 10;
/// The steps a second are to be at least this part of the raw calls a second.
const RAW_CALLS_PART: f64 = 8.0;

/// Keeps 64 runs of ten steps in flight: for each that ends, an event is sent.
///
/// # Errors
/// The server refused an event, or called twice.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    bench.report.progress("64 runs in flight");
    let mut lanes = JoinSet::new();
    let mut senders = Vec::new();
    for _ in 0..RUNS {
        let (send, mut receive) = unbounded_channel::<Data>();
        let mut connection = bench.connect().await?;
        lanes.spawn(async move {
            while let Some(data) = receive.recv().await {
                events::send(&mut connection, "bench/steps", &[data]).await?;
            }
            anyhow::Ok::<Connection>(connection)
        });
        senders.push(send);
    }
    let window = drive(bench, &senders).await?;
    drop(senders);
    while let Some(lane) = lanes.join_next().await {
        lane??;
    }
    window.report(bench.floor.calls_per_second, &mut bench.report);
    Ok(())
}

/// What was seen between two moments.
struct Window {
    time: Duration,
    steps: usize,
    calls: usize,
    cpu: Option<Duration>,
    threads: Vec<(String, Duration)>,
    shares: anyhow::Result<Shares>,
}

async fn drive(bench: &mut Bench, senders: &[UnboundedSender<Data>]) -> anyhow::Result<Window> {
    let pid = bench.server.pid();
    for sender in senders {
        sender.send(bench.data(STEPS))?;
    }
    let warm = Instant::now().checked_add(bench.scale.warm_up_time).unwrap_or_else(Instant::now);
    let mut ended: Vec<Segment> = Vec::new();
    let mut lanes = senders.iter().cycle();
    while Instant::now() < warm {
        next(bench, &mut lanes, &mut ended).await?;
    }
    let (began, cpu, threads) = (Instant::now(), process::cpu_time(pid), process::thread_times(pid));
    let sampling = Sampling::start(pid);
    while began.elapsed() < bench.scale.throughput_time {
        next(bench, &mut lanes, &mut ended).await?;
    }
    let end = Instant::now();
    let shares = sampling.and_then(Sampling::finish);
    let cpu = process::cpu_time(pid).zip(cpu).map(|(after, before)| after.saturating_sub(before));
    let threads = since(&threads, process::thread_times(pid));
    // Runs that are still under way belong to the window as far as they got in it.
    for _ in 0..RUNS {
        ended.push(bench.app.segment().await?);
    }
    let (mut steps, mut calls) = (0_usize, 0_usize);
    for segment in &ended {
        segment.ensure_in_order()?;
        let in_window = segment.visits.iter().filter(|visit| (began..end).contains(&visit.arrived));
        calls = calls.saturating_add(in_window.clone().count());
        steps = steps.saturating_add(in_window.filter(|visit| visit.step < STEPS).count());
    }
    Ok(Window { time: end.saturating_duration_since(began), steps, calls, cpu, threads, shares })
}

/// Waits for a run to end, and starts another.
async fn next<'a>(
    bench: &mut Bench,
    lanes: &mut impl Iterator<Item = &'a UnboundedSender<Data>>,
    ended: &mut Vec<Segment>,
) -> anyhow::Result<()> {
    ended.push(bench.app.segment().await?);
    let data = bench.data(STEPS);
    lanes.next().ok_or_else(|| anyhow::anyhow!("no connection"))?.send(data)?;
    Ok(())
}

/// The time of each thread since `before`, the busiest first.
fn since(before: &[(String, Duration)], after: Vec<(String, Duration)>) -> Vec<(String, Duration)> {
    let mut times: Vec<_> = after
        .into_iter()
        .map(|(name, time)| {
            let earlier = before.iter().find(|(earlier, _)| *earlier == name).map_or(Duration::ZERO, |(_, time)| *time);
            (name, time.saturating_sub(earlier))
        })
        .collect();
    times.sort_by_key(|(_, time)| std::cmp::Reverse(*time));
    times
}

impl Window {
    fn report(self, raw_calls_per_second: f64, report: &mut Report) {
        let steps = Value::PerSecond(rate(self.steps, self.time));
        let limit = Value::PerSecond(raw_calls_per_second / RAW_CALLS_PART);
        let bar = Bar::at_least(steps, limit, format!("1/{RAW_CALLS_PART:.0} of raw calls"));
        report.row(Row::new("steps", "steps with 64 runs of 10 in flight", steps).bar(bar));
        let Some(cpu) = self.cpu else { return };
        let per_call = Duration::from_secs_f64(cpu.as_secs_f64() / count(self.calls.max(1)));
        report.row(Row::new(
            "cpu-per-call",
            "  server CPU per call, its part of events included",
            Value::Time(per_call),
        ));
        match self.shares {
            Ok(Shares { wasm, kernel: Some(kernel) }) => {
                report.row(Row::new("wasm-share", "  of it in the engine's wasm", Value::Share(wasm)));
                report.row(Row::new("kernel-share", "  of it in the kernel", Value::Share(kernel)));
            }
            Ok(Shares { wasm, kernel: None }) => {
                report.row(Row::new(
                    "wasm-share-of-user",
                    "  of its user code, in the engine's wasm",
                    Value::Share(wasm),
                ));
            }
            Err(error) => report.progress(&format!("no wasm share: {error:#}")),
        }
        for (name, time) in self.threads.into_iter().take(3) {
            let share = time.as_secs_f64() / cpu.as_secs_f64().max(f64::MIN_POSITIVE);
            let label = format!("  of it in threads named {name}");
            report.row(Row::new(format!("thread-{name}"), label, Value::Share(share)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_told_by_what_they_used_since() {
        let second = Duration::from_secs;
        let before = [("a".to_owned(), second(5)), ("b".to_owned(), second(1))];
        let after = vec![("a".to_owned(), second(6)), ("b".to_owned(), second(4)), ("c".to_owned(), second(2))];
        let names: Vec<_> = since(&before, after).into_iter().map(|(name, time)| (name, time.as_secs())).collect();
        assert_eq!(names, [("b".to_owned(), 3), ("c".to_owned(), 2), ("a".to_owned(), 1)]);
    }
}
