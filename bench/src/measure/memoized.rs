//! That a step does not cost more for the steps before it, but for the bytes that the protocol makes us send.

use super::step_overhead::gaps;
use super::{Bench, runs};
use crate::floor::raw_http;
use crate::server::Server;
use crate::statistics::Samples;
use crate::table::{Bar, Table};
use anyhow::Result;

const PART: &str = "a step after many others";
/// The longest run that there may be.
const STEPS: usize = 1_000;
/// Calls whose number of results is this near count as one of that number.
const NEAR: usize = 10;
const RAW_CALLS: usize = 200;
/// The bar: so many times what a step after ten others costs, with the bytes taken off both.
const GROWTH_MAX: f64 = 2.0;

pub(super) async fn measure(bench: &Bench, server: &Server, table: &mut Table) -> Result<()> {
    let mut records = Vec::new();
    for _ in 0..bench.count(5) {
        records.push(runs::whole(server, runs::of_steps(&bench.app, STEPS)).await?);
    }
    let mut of_ten = f64::NAN;
    for memoized in [10, 100, STEPS.saturating_sub(NEAR)] {
        let is_near = |count: usize| count.abs_diff(memoized) < NEAR;
        let overheads = records.iter().flat_map(gaps).filter(|(count, _)| is_near(*count)).map(|(_, gap)| gap);
        let overhead = Samples::of_times(overheads).p50();
        let calls = records.iter().flat_map(|record| &record.calls);
        let bytes = calls.filter(|call| call.memoized == memoized).map(|call| call.body_bytes).max().unwrap_or(0);
        let raw = raw_http::times(&bench.client, &bench.app, RAW_CALLS, bytes).await?.p50();
        let own = overhead - raw;
        table.row(PART, format!("after {memoized}: overhead, p50, with a body of {bytes} bytes"), overhead, "ms");
        if memoized == 10 {
            of_ten = own;
            table.row(PART, format!("after {memoized}: less a raw call of that size"), own, "ms");
        } else {
            let bar = Bar::at_most(GROWTH_MAX * of_ten, format!("{GROWTH_MAX} × the same after 10"));
            table.bar(PART, format!("after {memoized}: less a raw call of that size"), own, "ms", bar);
        }
    }
    Ok(())
}
