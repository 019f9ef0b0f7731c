//! The command line.

mod banner;
mod cancel;
mod client;
mod dev;
mod output;
mod run;
mod runs;
mod send;
mod start;
mod sync;
mod timeline;

use crate::config::ConfigError;
use crate::logging::{self, Logging};
use clap::{Args, Parser, Subcommand};
use std::future::Future;
use std::process::ExitCode;
use tracing_subscriber::filter::LevelFilter;

/// Threads that talk to sockets. Decisions have a thread of their own, and the common machine has two cores.
const IO_THREADS: usize = 2;

const AFTER_HELP: &str = "\
Try it:
  stepwell dev                          find the apps on this machine and serve them
  stepwell send shop/order.placed --data '{\"id\":7}' --wait
  stepwell runs
  stepwell run <run id> --follow

Flags may be given as environment variables, STEPWELL_PORT or INNGEST_PORT for --port, or in stepwell.yaml, .json or .toml.

Exit codes: 0 done; 1 it failed, or the run that was waited for did; 2 the command or the configuration cannot be used;
130 interrupted twice.";

/// A durable-functions server for unmodified Inngest SDKs
#[derive(Parser)]
#[command(name = "stepwell", version, after_help = AFTER_HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(Args, Clone)]
pub struct Global {
    /// How much is logged: trace, debug, info, warn, error or off
    #[arg(short = 'l', long, global = true, env = "LOG_LEVEL", default_value = "info", value_name = "LEVEL")]
    log_level: LevelFilter,

    /// Log everything
    #[arg(short = 'v', long, global = true)]
    verbose: bool,

    /// Results and logs as JSON, also on a terminal
    #[arg(long, global = true)]
    pub json: bool,

    /// No colour; NO_COLOR=1 says the same
    #[arg(long, global = true)]
    pub no_color: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Serve apps on this machine while you work on them
    Dev(Box<dev::Dev>),
    /// Serve apps in production: keys are required
    Start(Box<start::Start>),
    /// Send an event
    Send(send::Send),
    /// List runs, the newest first
    Runs(runs::Runs),
    /// Show a run as it went: steps, attempts, retries, sleeps, result
    Run(run::Run),
    /// Stop a run
    Cancel(cancel::Cancel),
    /// Ask an app for its functions
    Sync(sync::Sync),
    /// Tell the version
    Version,
}

/// How a command ended, where nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As it should.
    Well,
    /// The run that was waited for failed or was stopped.
    Badly,
}

/// Reads the command line, does what it says, and gives the exit code.
pub fn main() -> ExitCode {
    let Cli { global, command } = Cli::parse();
    let level = if global.verbose { LevelFilter::TRACE } else { global.log_level };
    Logging { level, json: global.json, color: !global.no_color && std::env::var_os("NO_COLOR").is_none() }.start();
    match execute(&global, command) {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::Badly) => ExitCode::FAILURE,
        Err(error) => {
            output::complain(&error);
            if error.is::<ConfigError>() { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn execute(global: &Global, command: Command) -> anyhow::Result<Ended> {
    match command {
        Command::Dev(dev) => serving(dev.execute(global)),
        Command::Start(start) => serving(start.execute(global)),
        Command::Send(send) => asking(send.execute(global)),
        Command::Runs(runs) => asking(runs.execute(global)),
        Command::Run(run) => asking(run.execute(global)),
        Command::Cancel(cancel) => asking(cancel.execute(global)),
        Command::Sync(sync) => asking(sync.execute(global)),
        Command::Version => {
            output::line(env!("CARGO_PKG_VERSION"));
            Ok(Ended::Well)
        }
    }
}

/// Runs a server. What its tasks are doing when it ends (calls in flight) is left: it is owed after the next start.
fn serving(command: impl Future<Output = anyhow::Result<Ended>> + Send + 'static) -> anyhow::Result<Ended> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(IO_THREADS)
        .thread_name("io")
        .enable_all()
        .build()?;
    let ended = runtime.block_on(async { tokio::spawn(command).await })?;
    runtime.shutdown_background();
    ended
}

fn asking(command: impl Future<Output = anyhow::Result<Ended>>) -> anyhow::Result<Ended> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(command)
}

/// Whether results may be coloured.
fn color(global: &Global) -> bool {
    logging::may_color(global.no_color || global.json)
}
