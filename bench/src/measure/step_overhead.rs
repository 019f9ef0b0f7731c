//! What the server adds between two sequential steps: from the app's answer to the next call.

use super::{Bench, runs};
use crate::app::Record;
use crate::floor::Floor;
use crate::server::Server;
use crate::statistics::Samples;
use crate::table::{Bar, Table};
use anyhow::Result;
use std::time::Duration;

const PART: &str = "steps, one run at a time";
const STEPS: usize = 10;
/// The bar: so many times what one durable write and one call cost at least.
const FLOORS_MAX: f64 = 4.0;

pub(super) async fn measure(bench: &Bench, server: &Server, floor: &Floor, table: &mut Table) -> Result<()> {
    let mut overheads = Vec::new();
    for _ in 0..bench.count(80) {
        let record = runs::whole(server, runs::of_steps(&bench.app, STEPS)).await?;
        overheads.extend(gaps(&record).map(|(_, gap)| gap));
    }
    let overheads = Samples::of_times(overheads);
    let least = floor.fdatasync_p50_ms + floor.raw_call_p50_ms;
    let bar = Bar::at_most(FLOORS_MAX * least, format!("{FLOORS_MAX} × (fdatasync + raw call)"));
    table.bar(PART, "step overhead, p50", overheads.p50(), "ms", bar);
    table.row(PART, "step overhead, p99", overheads.p99(), "ms");
    Ok(())
}

/// For each call but the first: how many results came with it, and how long after the answer before it it came.
pub(super) fn gaps(record: &Record) -> impl Iterator<Item = (usize, Duration)> {
    let followed = record.calls.iter().zip(record.calls.iter().skip(1));
    followed.map(|(before, call)| (call.memoized, call.arrived.duration_since(before.answered)))
}
