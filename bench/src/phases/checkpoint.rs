//! Steps that the app reports while its call runs, as the TypeScript SDK 4 does by default.

use crate::bench::Bench;
use crate::events;
use crate::report::{Row, Value};
use crate::samples::Samples;

/// One run in one call; each of its steps is reported by checkpoint.
///
/// # Errors
/// The server refused the event or a checkpoint.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    bench.report.progress("checkpoints");
    let mut connection = bench.connect().await?;
    let steps = bench.scale.checkpoints;
    let data = bench.data(steps);
    events::send(&mut connection, "bench/checkpoint", &[data]).await?;
    let segment = bench.app.segment().await?;
    anyhow::ensure!(segment.checkpoints.len() == steps, "the server refused a checkpoint");
    let samples: Samples = segment.checkpoints.into_iter().collect();
    let (p50, p99) = (Value::Time(samples.percentile(50)?), Value::Time(samples.percentile(99)?));
    bench.report.row(Row::new("checkpoint", "checkpoint of a step to its 200, p50", p50).p99(p99));
    Ok(())
}
