//! Steps a second with many runs in flight, and what each call costs in CPU.

use super::{Bench, runs};
use crate::floor::{Floor, raw_http::IN_FLIGHT};
use crate::process;
use crate::server::Server;
use crate::statistics::{milliseconds, number, rate};
use crate::table::{Bar, Table};
use anyhow::Result;
use futures_util::future::try_join_all;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const PART: &str = "many runs at once";
const STEPS: usize = 10;
const WARM_UP: Duration = Duration::from_secs(1);
/// The bar: so many raw calls may a step cost.
const RAW_CALLS_PER_STEP_MAX: f64 = 8.0;

/// Each of [`IN_FLIGHT`] senders starts a run when its last one is over.
pub(super) async fn measure(bench: &Bench, server: &Server, floor: &Floor, table: &mut Table) -> Result<()> {
    let (app, is_over) = (&bench.app, Arc::new(AtomicBool::new(false)));
    let senders = (0..IN_FLIGHT).map(|_| {
        let is_over = Arc::clone(&is_over);
        async move {
            while !is_over.load(Ordering::Relaxed) {
                runs::whole(server, runs::of_steps(app, STEPS)).await?;
            }
            anyhow::Ok(())
        }
    });
    let window = async {
        tokio::time::sleep(WARM_UP).await;
        let (start, cpu) = (Instant::now(), process::cpu(server.id()));
        let (steps, calls) = (app.notebook.steps(), app.notebook.calls());
        tokio::time::sleep(bench.time(Duration::from_secs(9))).await;
        let (time, cpu) = (start.elapsed(), process::cpu(server.id())?.saturating_sub(cpu?));
        is_over.store(true, Ordering::Relaxed);
        anyhow::Ok((
            rate(app.notebook.steps().saturating_sub(steps), time),
            cpu,
            app.notebook.calls().saturating_sub(calls),
        ))
    };
    let (ended, measured) = tokio::join!(try_join_all(senders), window);
    ended?;
    let (steps_per_second, cpu, calls) = measured?;
    let bar = Bar::at_least(
        floor.raw_calls_per_second / RAW_CALLS_PER_STEP_MAX,
        format!("1/{RAW_CALLS_PER_STEP_MAX} of the raw calls"),
    );
    table.bar(PART, format!("durable steps, {IN_FLIGHT} runs in flight"), steps_per_second, "/s", bar);
    table.row(PART, "server CPU per call", milliseconds(cpu) / number(calls), "ms");
    table.row(PART, "resident memory under this load", process::resident_mib(server.id())?, "MiB");
    Ok(())
}
