//! `cargo xtask test`: every check and every test, and how many passed.

mod checks;
mod home;
mod runner;
mod tally;
mod worker;

use crate::workspace::Workspace;
use crate::{build, harness, packages, progress, spin};
use anyhow::{Context, Result};
use home::Home;
use runner::Runner;
use std::process::ExitCode;
use std::time::Instant;
use tally::Tally;

/// Tested apart from the others: what they ask of shared dependencies must not have wasmtime built a second time.
const HOST: &str = "stepwell";
const END_TO_END: &str = "stepwell-tests";
/// The component files against what the simulator recorded; together with the host, so that both have one wasmtime.
const REPLAY: &str = "stepwell-replay";

/// What is run in `workerd` each time: nothing that was promised is lost to a kill, events, syncs, waits and flow control with every SDK. The
/// rest takes minutes: `--home`.
const REPRESENTATIVE: [&str; 7] = ["acknowledged", "durability", "events", "flow", "slots", "sync", "waits"];
/// The same under Spin.
const REPRESENTATIVE_UNDER_SPIN: [&str; 4] = ["acknowledged", "flow", "slots", "waits"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs only the tests whose names contain this, and no checks
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Leaves out the end-to-end tests and those of the Worker
    #[arg(long)]
    quick: bool,
    /// Where the server of the end-to-end tests lives; any but the host runs these tests alone
    #[arg(long, value_enum, default_value_t = Home::Host)]
    home: Home,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    if arguments.home != Home::Host {
        return elsewhere(workspace, arguments);
    }
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
        tally.check("clippy of Spin's shells", || checks::clippy_of_spin(workspace));
        tally.check("documentation", || checks::documentation(workspace));
    }
    let runner = Runner { workspace, filter: arguments.filter.as_deref(), home: arguments.home, variables: Vec::new() };
    tally.tests("unit tests", || runner.all_but(&[HOST, END_TO_END, REPLAY, harness::PACKAGE]))?;
    build::host(workspace, true)?;
    tally
        .tests("unit tests of the host, and the engine's builds against each other", || runner.only(&[HOST, REPLAY]))?;
    if !arguments.quick {
        tally.tests("tests of the Worker", || worker::run(workspace, arguments.filter.as_deref()))?;
        let guest = vec![("STEPWELL_SPIN_GUEST", harness::guest(workspace)?)];
        let runner = Runner { variables: guest, ..runner };
        tally.tests("tests of the harness for Spin", || runner.units_and_files(harness::PACKAGE, &["traps"]))?;
        install_apps(workspace)?;
        tally.tests("end-to-end tests", || runner.only(&[END_TO_END]))?;
        let runner = Runner { home: Home::Workerd, variables: Home::Workerd.prepare(workspace)?, ..runner };
        tally.tests("end-to-end tests that stand for all, workerd", || runner.files(END_TO_END, &REPRESENTATIVE))?;
        let runner = Runner { home: Home::Spin, variables: Home::Spin.prepare(workspace)?, ..runner };
        tally.tests("end-to-end tests that stand for all, Spin", || {
            runner.files(END_TO_END, &REPRESENTATIVE_UNDER_SPIN)
        })?;
    }
    progress::note(&format!("all in {:.0} s", start.elapsed().as_secs_f64()));
    println!("{tally}");
    Ok(if tally.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The end-to-end tests in another home than the host; its binary is the command line that they use.
fn elsewhere(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let mut tally = Tally::default();
    build::components(workspace)?;
    build::host(workspace, true)?;
    install_apps(workspace)?;
    let variables = arguments.home.prepare(workspace)?;
    arguments.home.tell_differences(workspace)?;
    let runner = Runner { workspace, filter: arguments.filter.as_deref(), home: arguments.home, variables };
    tally.tests(&format!("end-to-end tests, {}", arguments.home.name()), || runner.only(&[END_TO_END]))?;
    if arguments.home == Home::Spin {
        let guest = ("STEPWELL_SPIN_GUEST", harness::guest(workspace)?);
        let cron = ("STEPWELL_SPIN_CRON", spin::build(workspace)?.join(spin::CRON_FILE));
        // Those of the harness itself are run each time; under a real Spin they show that it is what the harness takes it for.
        let files: &[&str] =
            if runner.is_under_harness() { &["application", "cron"] } else { &["application", "cron", "traps"] };
        let runner = Runner { variables: runner.variables.iter().cloned().chain([guest, cron]).collect(), ..runner };
        tally.tests("the application by itself", || runner.files(harness::PACKAGE, files))?;
    }
    println!("{tally}");
    Ok(if tally.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The real SDKs that the end-to-end tests drive.
fn install_apps(workspace: &Workspace) -> Result<()> {
    let apps = workspace.root.join("tests/apps");
    for entry in std::fs::read_dir(&apps).with_context(|| apps.display().to_string())? {
        packages::ensure(&entry?.path())?;
    }
    packages::ensure(&workspace.root.join("examples/typescript"))
}
