//! `cargo xtask test`: every check and every test, and how many passed.

mod checks;
mod runner;
mod tally;

use crate::workspace::Workspace;
use crate::{build, packages, progress};
use anyhow::{Context, Result};
use runner::Runner;
use std::process::ExitCode;
use std::time::Instant;
use tally::Tally;

/// Tested apart from the others: what they ask of shared dependencies must not have wasmtime built a second time.
const HOST: &str = "stepwell";
const END_TO_END: &str = "stepwell-tests";
/// The component files against what the simulator recorded; together with the host, so that both have one wasmtime.
const REPLAY: &str = "stepwell-replay";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs only the tests whose names contain this, and no checks
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Leaves out the end-to-end tests
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let (start, mut tally) = (Instant::now(), Tally::default());
    if arguments.filter.is_none() {
        tally.check("rustfmt", || checks::format(workspace));
    }
    // Without components nothing that follows could be built.
    build::components(workspace)?;
    tally.passed();
    if arguments.filter.is_none() {
        tally.check("clippy", || checks::clippy(workspace));
        tally.check("clippy of the components", || checks::clippy_of_components(workspace));
        tally.check("documentation", || checks::documentation(workspace));
    }
    let runner = Runner { workspace, filter: arguments.filter.as_deref() };
    tally.tests("unit tests", || runner.all_but(&[HOST, END_TO_END, REPLAY]))?;
    build::host(workspace, true)?;
    tally
        .tests("unit tests of the host, and the engine's builds against each other", || runner.only(&[HOST, REPLAY]))?;
    if !arguments.quick {
        install_apps(workspace)?;
        tally.tests("end-to-end tests", || runner.only(&[END_TO_END]))?;
    }
    progress::note(&format!("all in {:.0} s", start.elapsed().as_secs_f64()));
    println!("{tally}");
    Ok(if tally.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The real SDKs that the end-to-end tests drive.
fn install_apps(workspace: &Workspace) -> Result<()> {
    let apps = workspace.root.join("tests/apps");
    for entry in std::fs::read_dir(&apps).with_context(|| apps.display().to_string())? {
        packages::ensure(&entry?.path())?;
    }
    Ok(())
}
