//! What is measured, in the order of the table.

mod first_call;
mod ingest;
mod memoized;
mod runs;
mod sleeps;
mod start;
mod step_overhead;
mod throughput;

use crate::app::App;
use crate::client::Client;
use crate::floor::{Floor, commits, fdatasync, raw_http};
use crate::server::Server;
use crate::table::Table;
use anyhow::Result;
use std::path::PathBuf;
use std::time::Duration;

/// What every measurement is given.
pub(crate) struct Bench {
    pub(crate) app: App,
    pub(crate) client: Client,
    pub(crate) binary: PathBuf,
    pub(crate) folder: PathBuf,
    pub(crate) quick: bool,
}

impl Bench {
    /// How often something is done: `usual`, or a quarter of that.
    fn count(&self, usual: usize) -> usize {
        if self.quick { usual.div_ceil(4) } else { usual }
    }

    /// How long something is done: `usual`, or a third of that.
    fn time(&self, usual: Duration) -> Duration {
        if self.quick { usual.checked_div(3).unwrap_or(usual) } else { usual }
    }

    fn cache(&self) -> PathBuf {
        self.folder.join("cache")
    }

    async fn server(&self, data: &str) -> Result<Server> {
        Server::start(&self.binary, &self.folder.join(data), &self.cache()).await
    }
}

/// Fills the table.
pub(crate) async fn all(bench: &Bench, table: &mut Table) -> Result<()> {
    std::fs::create_dir_all(bench.cache())?;
    let floor = machine(bench, table).await?;
    start::measure(bench, table).await?;
    let server = bench.server("data").await?;
    server.register(&bench.app.url).await?;
    first_call::measure(bench, &server, table).await?;
    step_overhead::measure(bench, &server, &floor, table).await?;
    memoized::measure(bench, &server, table).await?;
    throughput::measure(bench, &server, &floor, table).await?;
    ingest::measure(bench, &server, table).await?;
    sleeps::measure(bench, &server, table).await
}

async fn machine(bench: &Bench, table: &mut Table) -> Result<Floor> {
    const PART: &str = "the machine's floor";
    let fdatasync_p50_ms = fdatasync::times(&bench.folder, bench.count(400))?.p50();
    table.row(PART, "fdatasync of a page, p50", fdatasync_p50_ms, "ms");
    let commits = commits::per_second(&bench.folder, bench.time(Duration::from_secs(3)))?;
    table.row(PART, "SQLite commits of one row, one after the other", commits, "/s");
    raw_http::times(&bench.client, &bench.app, 200, 0).await?;
    let raw_call_p50_ms = raw_http::times(&bench.client, &bench.app, bench.count(4_000), 0).await?.p50();
    table.row(PART, "raw HTTP call, one after the other, p50", raw_call_p50_ms, "ms");
    let raw_calls_per_second =
        raw_http::per_second(&bench.client, &bench.app, bench.time(Duration::from_secs(6))).await?;
    table.row(PART, format!("raw HTTP calls, {} at once", raw_http::IN_FLIGHT), raw_calls_per_second, "/s");
    Ok(Floor { fdatasync_p50_ms, raw_call_p50_ms, raw_calls_per_second })
}
