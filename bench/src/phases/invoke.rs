//! One function invokes another that returns at once: from the answer that asks for it to the call that has the result.

use crate::bench::Bench;
use crate::events;
use crate::report::{Row, Value};
use crate::samples::Samples;

/// Runs that invoke, one after another.
///
/// # Errors
/// The server refused an event, or called in another order.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    bench.report.progress("invocations");
    let mut connection = bench.connect().await?;
    let mut samples = Samples::default();
    for _ in 0..bench.scale.sequential_runs {
        let data = bench.data(0);
        events::send(&mut connection, "bench/invoke", &[data]).await?;
        let asks = bench.app.segment().await?;
        let invoked = bench.app.segment().await?;
        let goes_on = bench.app.segment().await?;
        let steps = [asks.first()?.step, invoked.first()?.step, goes_on.first()?.step];
        anyhow::ensure!(steps == [0, 0, 1], "the calls of an invocation carry {steps:?} finished steps");
        samples.add(goes_on.first()?.arrived.saturating_duration_since(asks.first()?.left));
    }
    let (p50, p99) = (Value::Time(samples.percentile(50)?), Value::Time(samples.percentile(99)?));
    bench.report.row(Row::new("invoke", "invocation, from its answer to the call with the result, p50", p50).p99(p99));
    Ok(())
}
