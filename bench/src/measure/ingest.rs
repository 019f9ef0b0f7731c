//! Events taken in that start nothing.

use super::Bench;
use crate::server::Server;
use crate::statistics::{Samples, number, rate};
use crate::table::Table;
use anyhow::Result;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PART: &str = "events in, one request after the other";
const MANY: usize = 100;

pub(super) async fn measure(bench: &Bench, server: &Server, table: &mut Table) -> Result<()> {
    let event = json!({ "name": "bench/nobody", "data": { "text": "x".repeat(200) } });
    for (count, title) in [(1, "one by one"), (MANY, "in hundreds")] {
        let events: Value = vec![event.clone(); count].into();
        let (start, mut times) = (Instant::now(), Vec::new());
        while start.elapsed() < bench.time(Duration::from_secs(3)) {
            let sent = Instant::now();
            server.send(&events).await?;
            times.push(sent.elapsed());
        }
        let taken = times.len().saturating_mul(count);
        table.row(PART, title, rate(u64::try_from(taken)?, start.elapsed()), "/s");
        if count == 1 {
            table.row(PART, "one, p50", Samples::of_times(times).p50(), "ms");
        } else {
            table.row(
                PART,
                "a hundred, p50, per event",
                Samples::of_times(times).p50() / number(u64::try_from(count)?),
                "ms",
            );
        }
    }
    Ok(())
}
