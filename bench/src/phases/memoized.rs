//! What a step costs after many others. The protocol makes the server send all results so far with each call; beyond
//! the time that these bytes take, a step must not cost more than an early one.
//!
//! That time is what a raw call of the very same body takes, and both are compared at their 10th percentile: what is
//! left when nothing else was in the way. Medians are shown, but those of a disk that is busy differ from one moment to the
//! next by more than what is looked for here.

use crate::bench::Bench;
use crate::events::{self, Data};
use crate::floor::echo_times;
use crate::report::{Bar, Row, Value};
use crate::samples::{Samples, count};
use hyper::body::Bytes;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Finished steps, and around them the calls that are measured.
const POINTS: [(usize, RangeInclusive<usize>); 3] = [(10, 8..=12), (100, 90..=110), (1_000, 970..=1_000)];
/// How many times the own cost of an early step the own cost of a late one may be.
const GROWTH_MAX: f64 = 1.5;

/// Measures steps with 10, 100 and 1,000 memoized ones, and for each a raw call of the very same body.
///
/// # Errors
/// The server refused an event, or called twice.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut early = None;
    for ((steps, calls), runs) in POINTS.into_iter().zip(bench.scale.memoized_runs) {
        bench.report.progress(&format!("steps with {steps} memoized"));
        let point = measure(bench, steps, calls, runs).await?;
        let own = Value::Times(point.own.as_secs_f64() / early.unwrap_or(point.own).as_secs_f64());
        let kilobytes = count(point.body.len()) / 1e3;
        let label = format!("step with {steps} memoized ({kilobytes:.1} kB a call), p50");
        let p99 = Value::Time(point.overheads.percentile(99)?);
        bench
            .report
            .row(Row::new(format!("memoized-{steps}"), label, Value::Time(point.overheads.percentile(50)?)).p99(p99));
        let label = "  its p10, less that of a raw call of that body".to_owned();
        bench.report.row(Row::new(format!("memoized-{steps}-own"), label, Value::Time(point.own)));
        if early.is_some() {
            let bar = Bar::at_most(own, Value::Times(GROWTH_MAX), "");
            let label = "  that, as a multiple of the one with 10";
            bench.report.row(Row::new(format!("memoized-{steps}-growth"), label, own).bar(bar));
        }
        early.get_or_insert(point.own);
    }
    Ok(())
}

struct Point {
    overheads: Samples,
    /// The cost at its 10th percentile, without the transport of the body.
    own: Duration,
    body: Bytes,
}

async fn measure(bench: &mut Bench, steps: usize, calls: RangeInclusive<usize>, runs: usize) -> anyhow::Result<Point> {
    let mut connection = bench.connect().await?;
    let (mut overheads, mut body) = (Samples::default(), Bytes::new());
    for _ in 0..runs {
        let data = Data { keep: Some(steps), ..bench.data(*calls.end()) };
        events::send(&mut connection, "bench/steps", &[data]).await?;
        let segment = bench.app.segment().await?;
        segment.ensure_in_order()?;
        // The first overhead is that of the call with one step.
        for (memoized, overhead) in (1_usize..).zip(segment.overheads()) {
            if calls.contains(&memoized) {
                overheads.add(overhead);
            }
        }
        body = segment.visits.into_iter().nth(steps).map(|visit| visit.body).unwrap_or_default();
    }
    anyhow::ensure!(!body.is_empty(), "a run has ended before {steps} steps");
    let raw = echo_times(bench.app.port, &body, bench.scale.replays).await?;
    let own = overheads.percentile(10)?.saturating_sub(raw.percentile(10)?);
    Ok(Point { overheads, own, body })
}
