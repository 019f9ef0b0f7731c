//! From an event to the first call of its run.

use super::{Bench, runs};
use crate::server::Server;
use crate::statistics::Samples;
use crate::table::Table;
use anyhow::{Context, Result};
use std::time::Instant;

const PART: &str = "an event's way";

/// From the moment that the sender begins to send, one event after the other.
pub(super) async fn measure(bench: &Bench, server: &Server, table: &mut Table) -> Result<()> {
    let mut times = Vec::new();
    for _ in 0..bench.count(400) {
        let event = runs::of_steps(&bench.app, 0);
        let start = Instant::now();
        let record = runs::whole(server, event).await?;
        times.push(record.calls.first().context("a run without a call")?.arrived.duration_since(start));
    }
    let times = Samples::of_times(times);
    table.row(PART, "event sent → first call, p50", times.p50(), "ms");
    table.row(PART, "event sent → first call, p99", times.p99(), "ms");
    Ok(())
}
