//! Events a second. They start no run, so that only their acceptance is measured; each is durable when it is answered.

use crate::bench::Bench;
use crate::events::{self, Data};
use crate::report::{Row, Value};
use crate::samples::rate;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// An event that no function waits for.
const NAME: &str = "bench/unheard";
/// Connections of the second measurement.
const CONNECTIONS: usize = 16;
/// Events of a request in the third.
const HUNDRED: usize = 100;

/// Sends events one by one, by sixteen senders, and in hundreds.
///
/// # Errors
/// The server refused one.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    for (name, label, connections, events) in [
        ("ingest-1", "events, one by one, one connection".to_owned(), 1, 1),
        ("ingest-16", format!("events, one by one, {CONNECTIONS} connections"), CONNECTIONS, 1),
        ("ingest-100", "events, in hundreds, one connection".to_owned(), 1, HUNDRED),
    ] {
        bench.report.progress(&label);
        let per_second = events_per_second(bench, connections, events).await?;
        bench.report.row(Row::new(name, label, Value::PerSecond(per_second)));
    }
    Ok(())
}

async fn events_per_second(bench: &mut Bench, connections: usize, events: usize) -> anyhow::Result<f64> {
    let time: Duration = bench.scale.rate_time;
    let mut lanes = JoinSet::new();
    // Seeds are made of keys: each lane takes its own range.
    let first_key = bench.data(0).key;
    for lane in 0..connections {
        let mut connection = bench.connect().await?;
        let mut key = first_key.saturating_add(u64::try_from(lane)?.saturating_add(1).saturating_mul(1 << 32));
        lanes.spawn(async move {
            let (mut sent, began) = (0_usize, Instant::now());
            while began.elapsed() < time {
                key = key.saturating_add(1);
                let data = vec![Data { key, ..Data::default() }; events];
                events::send(&mut connection, NAME, &data).await?;
                sent = sent.saturating_add(events);
            }
            anyhow::Ok(rate(sent, began.elapsed()))
        });
    }
    let mut sum = 0.0;
    while let Some(lane) = lanes.join_next().await {
        sum += lane??;
    }
    Ok(sum)
}
