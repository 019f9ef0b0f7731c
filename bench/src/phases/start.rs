//! Start to healthy, memory when idle, size of the binary.

use crate::app;
use crate::args::{Args, Phase};
use crate::bench::Bench;
use crate::process;
use crate::report::{Bar, Report, Row, Value};
use crate::samples::{Samples, count};
use crate::scale::Scale;
use crate::server::{Program, Server};
use std::path::Path;
use std::time::Duration;

/// The longest start, with a warm cache.
const START_TIME_MAX: Duration = Duration::from_millis(150);
/// The most memory when idle.
const IDLE_MEGABYTES_MAX: f64 = 60.0;
/// How long the server is left alone before its memory is read.
const SETTLE_TIME: Duration = Duration::from_secs(1);

/// Starts the server, once to fill its cache and then to measure; the last one stays.
///
/// # Errors
/// It does not become healthy.
pub async fn run(
    args: &Args,
    binary: &Path,
    folder: &Path,
    scale: &Scale,
    report: &mut Report,
) -> anyhow::Result<Server> {
    report.progress("starts of the server");
    let program = Program::Host(binary);
    let mut server = Server::start(program, folder).await?;
    if !args.wants(Phase::Start) {
        return Ok(server);
    }
    let mut starts = Samples::default();
    for _ in 0..scale.starts {
        drop(server);
        server = Server::start(program, folder).await?;
        starts.add(server.start_time);
    }
    let median = Value::Time(starts.percentile(50)?);
    let label = format!("start to healthy, warm cache, median of {}; worst", scale.starts);
    let bar = Bar::at_most(median, Value::Time(START_TIME_MAX), "");
    report.row(Row::new("start", label, median).p99(Value::Time(starts.percentile(100)?)).bar(bar));
    Ok(server)
}

/// Registers the app; before that, reads what the idle server takes.
///
/// # Errors
/// The server refused.
pub async fn register(args: &Args, bench: &mut Bench) -> anyhow::Result<()> {
    let mut connection = bench.connect().await?;
    app::register(&mut connection, bench.app.port).await?;
    if args.wants(Phase::Start) {
        bench.report.progress("memory when idle");
        tokio::time::sleep(SETTLE_TIME).await;
        if let Some(megabytes) = process::resident_megabytes(bench.server.pid()) {
            let value = Value::Megabytes(megabytes);
            let bar = Bar::at_most(value, Value::Megabytes(IDLE_MEGABYTES_MAX), "");
            bench.report.row(Row::new("idle-memory", "resident memory when idle, one app", value).bar(bar));
        }
        let bytes = std::fs::metadata(&args.server_binary)?.len();
        let kilobytes = usize::try_from(bytes.div_euclid(1_000))?;
        bench.report.row(Row::new("binary", "size of the binary", Value::Megabytes(count(kilobytes) / 1e3)));
    }
    Ok(())
}
