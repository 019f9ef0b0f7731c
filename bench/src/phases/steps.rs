//! The overhead of a step: from the app's answer to the call for the next step, one run at a time.

use crate::bench::Bench;
use crate::events;
use crate::report::{Bar, Row, Value};
use crate::samples::Samples;

/// Steps of a run.
const STEPS: usize = 10;
/// The overhead may be so many times a sync of the disk and a call.
const FLOORS_MAX: u32 = 4;

/// Runs of ten steps, one after another.
///
/// # Errors
/// The server refused an event, or called twice.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    bench.report.progress("sequential steps");
    let mut connection = bench.connect().await?;
    let mut samples = Samples::default();
    for _ in 0..bench.scale.sequential_runs {
        let data = bench.data(STEPS);
        events::send(&mut connection, "bench/steps", &[data]).await?;
        let segment = bench.app.segment().await?;
        segment.ensure_in_order()?;
        segment.overheads().for_each(|overhead| samples.add(overhead));
    }
    let (p50, p99) = (Value::Time(samples.percentile(50)?), Value::Time(samples.percentile(99)?));
    let floor = bench.floor.sync_p50.saturating_add(bench.floor.call_p50);
    let limit = Value::Time(floor.saturating_mul(FLOORS_MAX));
    let bar = Bar::at_most(p50, limit, format!("{FLOORS_MAX} × (fdatasync + raw call)"));
    bench.report.row(Row::new("step", "overhead of a sequential step, p50", p50).p99(p99).bar(bar));
    Ok(())
}
