//! From an event to the first call of the run that it starts.

use crate::bench::Bench;
use crate::events;
use crate::report::{Row, Value};
use crate::samples::Samples;
use std::time::{Duration, Instant};

/// How long the server may put away a finished run before the next event comes.
const PAUSE: Duration = Duration::from_millis(2);

/// Sends events one at a time, each when nothing else goes on.
///
/// # Errors
/// The server refused an event, or called twice.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    bench.report.progress("event to first call");
    let mut connection = bench.connect().await?;
    let mut samples = Samples::default();
    let mut answers = Samples::default();
    for _ in 0..bench.scale.first_calls {
        let data = bench.data(0);
        let sent = Instant::now();
        events::send(&mut connection, "bench/steps", &[data]).await?;
        answers.add(sent.elapsed());
        let segment = bench.app.segment().await?;
        segment.ensure_in_order()?;
        samples.add(segment.first()?.arrived.saturating_duration_since(sent));
        tokio::time::sleep(PAUSE).await;
    }
    let (p50, p99) = (Value::Time(samples.percentile(50)?), Value::Time(samples.percentile(99)?));
    bench.report.row(Row::new("first-call", "event to first call, p50", p50).p99(p99));
    let (p50, p99) = (Value::Time(answers.percentile(50)?), Value::Time(answers.percentile(99)?));
    bench.report.row(Row::new("event-answer", "event to its 200, p50", p50).p99(p99));
    Ok(())
}
