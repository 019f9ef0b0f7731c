//! The whole run: the floor, the server, the phases, the table.

use crate::app::App;
use crate::args::{Args, Phase};
use crate::client::Connection;
use crate::events::Data;
use crate::floor::{self, Floor};
use crate::phases;
use crate::report::Report;
use crate::scale::Scale;
use crate::server::Server;
use crate::spin;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long one phase may take; beyond it something has been lost.
const PHASE_TIME_MAX: Duration = Duration::from_secs(45);

/// The same for the phase that waits for the next minute.
const CRONS_TIME_MAX: Duration = Duration::from_secs(120);

/// The same for the phases that first let 100,000 runs begin.
const WAITS_TIME_MAX: Duration = Duration::from_secs(600);

/// What a phase works with.
pub struct Bench {
    pub scale: Scale,
    pub app: App,
    pub server: Server,
    pub floor: Floor,
    pub report: Report,
    keys: u64,
}

impl Bench {
    /// Keys of runs begin after `keys`.
    pub const fn new(scale: Scale, app: App, server: Server, floor: Floor, report: Report, keys: u64) -> Self {
        Self { scale, app, server, floor, report, keys }
    }

    /// Ends the server; what may be used with another.
    pub fn into_parts(self) -> (App, Report, u64) {
        (self.app, self.report, self.keys)
    }

    /// Data for a new run of so many steps.
    pub fn data(&mut self, steps: usize) -> Data {
        self.keys = self.keys.saturating_add(1);
        Data { key: self.keys, steps, ..Data::default() }
    }

    /// A connection to the server.
    ///
    /// # Errors
    /// It does not listen any more.
    pub async fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.server.port).await.context("the server cannot be reached")
    }
}

/// As [`run`], until the user or the system stops it: the server is ended in any case.
///
/// # Errors
/// As [`run`], and when stopped.
pub async fn run_until_stopped(args: &Args) -> anyhow::Result<bool> {
    tokio::select! {
        done = run(args) => done,
        () = stopped() => anyhow::bail!("stopped"),
    }
}

/// Measures and prints; true when all bars hold.
///
/// # Errors
/// Something could not be measured.
async fn run(args: &Args) -> anyhow::Result<bool> {
    let binary = std::fs::canonicalize(&args.server_binary)
        .with_context(|| format!("there is no server at {}: build it with --release", args.server_binary.display()))?;
    let folder = scratch(args, &binary)?;
    let scale = Scale::of(args.quick);
    let mut report = Report::new();
    let app = App::start()?;
    if let (Some(manifest), Some(program)) = (&args.spin_manifest, &args.spin_program) {
        return spin::run(args, program, manifest, folder.path(), scale, app, report).await;
    }
    let floor = floor::measure(&scale, folder.path(), app.port, &mut report).await?;

    report.section("the server");
    let server = phases::start::run(args, &binary, folder.path(), &scale, &mut report).await?;
    app.know_server(server.port);
    let mut bench = Bench { scale, app, server, floor, report, keys: 0 };
    let measured = phases(args, &mut bench).await;
    measured.with_context(|| format!("the server's log ends with:\n{}\n", Server::log(folder.path())))?;
    tell(args, &bench.report)
}

/// Prints what was measured; true when all bars hold.
///
/// # Errors
/// The file for it cannot be written.
pub fn tell(args: &Args, report: &Report) -> anyhow::Result<bool> {
    report.print();
    if let Some(path) = &args.json {
        std::fs::write(path, format!("{:#}\n", report.json(args.quick)))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(report.passes())
}

async fn phases(args: &Args, bench: &mut Bench) -> anyhow::Result<()> {
    phases::start::register(args, bench).await?;
    let all = [
        Phase::FirstCall,
        Phase::Steps,
        Phase::Throughput,
        Phase::Ingest,
        Phase::Sleeps,
        Phase::Memoized,
        Phase::Checkpoint,
        Phase::Invoke,
        Phase::Crons,
        Phase::Waits,
        Phase::Limits,
    ];
    measure(args, bench, &all).await
}

/// Measures those of some phases that are wanted.
///
/// # Errors
/// One of them fails, or does not come to an end.
pub async fn measure(args: &Args, bench: &mut Bench, phases: &[Phase]) -> anyhow::Result<()> {
    for phase in phases.iter().copied() {
        if args.wants(phase) {
            let time_max = match phase {
                Phase::Waits | Phase::Limits => WAITS_TIME_MAX,
                Phase::Crons => CRONS_TIME_MAX,
                _ => PHASE_TIME_MAX,
            };
            let measured = tokio::time::timeout(time_max, phases::run(phase, bench)).await;
            measured.with_context(|| format!("{phase:?} has not ended after {time_max:?}: a run is lost"))??;
        }
    }
    Ok(())
}

/// A folder on the disk that is to be measured; it is removed at the end.
fn scratch(args: &Args, binary: &Path) -> anyhow::Result<tempfile::TempDir> {
    let beside = || binary.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let parent = args.scratch.clone().unwrap_or_else(beside);
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(&parent);
    folder.with_context(|| format!("no folder for data in {}: name another with --scratch", parent.display()))
}

#[cfg(unix)]
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        },
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn stopped() {
    let _ = tokio::signal::ctrl_c().await;
}
