//! From the start of the process to its first healthy answer, and what it holds when it idles.

use super::Bench;
use crate::process;
use crate::statistics::{Samples, milliseconds};
use crate::table::{Bar, Table};
use anyhow::Result;
use std::time::Duration;

const PART: &str = "the server at rest";
/// The bars.
const START_MAX_MS: f64 = 150.0;
const IDLE_RSS_MAX_MIB: f64 = 60.0;
/// After this long nothing of the start is still going on.
const SETTLING: Duration = Duration::from_secs(2);

pub(super) async fn measure(bench: &Bench, table: &mut Table) -> Result<()> {
    let first = bench.server("started").await?;
    table.row(PART, "start → healthy, components not yet compiled", milliseconds(first.started_in), "ms");
    drop(first);
    let mut times = Vec::new();
    for _ in 0..bench.count(12) {
        times.push(bench.server("started").await?.started_in);
    }
    let bar = Bar::at_most(START_MAX_MS, "a person does not wait");
    table.bar(PART, "start → healthy, p50", Samples::of_times(times).p50(), "ms", bar);

    let idle = bench.server("idle").await?;
    tokio::time::sleep(SETTLING).await;
    let bar = Bar::at_most(IDLE_RSS_MAX_MIB, "a small machine");
    table.bar(PART, "resident memory, idle", process::resident_mib(idle.id())?, "MiB", bar);
    let bytes = std::fs::metadata(&bench.binary)?.len();
    table.row(PART, "the binary", crate::statistics::number(bytes) / f64::from(1_u32 << 20), "MiB");
    Ok(())
}
