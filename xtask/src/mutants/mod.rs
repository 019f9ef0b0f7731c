//! `cargo xtask mutants`: changes the engine, one small thing at a time, and sees whether a test notices.

mod report;
mod shard;

use crate::process::{self, Running};
use crate::workspace::Workspace;
use anyhow::{Context, Result, bail};
use report::Report;
use shard::Shard;
use std::ffi::OsString;
use std::process::ExitCode;

/// The version that `gamma.toml` was written for, and that the score on docs/SIMULATION.md is of.
const GAMMA_VERSION: &str = "0.4.0";

#[derive(clap::Args)]
#[command(
    after_help = "Changes the actors run, waits and stream (gamma.toml says how) in one small way at a time, and runs the engine's \
tests: whatever no test notices is a gap in the tests, or changes nothing that anybody can see. All changes are compiled into one \
set of test binaries, and one of them is chosen at run time, so that a change costs a run of some tests and no build. Fails where \
less than 85 % are noticed. What is left, and why, is on docs/SIMULATION.md.

  cargo xtask mutants                                    # all of them
  cargo xtask mutants --list                             # what would be changed
  cargo xtask mutants --only src/waits/ --only list.rs   # those of which the list says this
  cargo xtask mutants --survivors                        # again, those that nobody noticed
  cargo xtask mutants --shard 1/4                        # a quarter
  cargo xtask mutants -- --show-killed                   # what else cargo-gamma takes"
)]
pub(crate) struct Arguments {
    /// Prints the changes and tries none
    #[arg(long)]
    list: bool,
    /// Only changes of whose line in the list a part matches this: `waits/`, `decide.rs:93`; may be repeated
    #[arg(long, value_name = "REGEX")]
    only: Vec<String>,
    /// Only this part of the changes: 1/4 is the first quarter
    #[arg(long, value_name = "K/N")]
    shard: Option<Shard>,
    /// Only changes that nobody noticed the last time
    #[arg(long, conflicts_with = "list")]
    survivors: bool,
    /// What cargo-gamma itself takes
    #[arg(value_name = "ARGUMENTS", last = true)]
    gamma: Vec<OsString>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    if !process::answers(&mut workspace.cargo(&["gamma", "--version"])) {
        bail!("cargo-gamma is missing; install it with `cargo install --locked cargo-gamma@{GAMMA_VERSION}`");
    }
    // It looks at every package of the lock file without asking the registry, also at those for other systems.
    process::run(&mut workspace.cargo(&["fetch", "--locked", "--quiet"]))?;
    let artifacts = workspace.target.join("cargo-gamma");
    let mut cargo = if arguments.list {
        workspace.cargo(&["gamma", "list", "mutants"])
    } else {
        workspace.cargo(&["gamma", "run", "--no-relaunch"])
    };
    if !arguments.list {
        cargo.arg("--artifact-dir").arg(&artifacts);
    }
    if arguments.survivors {
        // Of these alone there is no score that says anything.
        cargo.args(["--only-survivors", "--min-score", "0"]);
    }
    for regex in &arguments.only {
        cargo.args(["--re", regex]);
    }
    if let Some(shard) = &arguments.shard {
        cargo.args(shard.arguments());
    }
    cargo.args(&arguments.gamma);
    // Properties are tried with the same values for every change, and none is remembered for the next.
    cargo.env("PROPTEST_RNG_SEED", "1").env("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true");
    let status = Running::start(&mut cargo)?.wait()?;
    process::leave_if_interrupted();
    if !arguments.list {
        let path = artifacts.join("gamma-report.json");
        let report = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        println!("{}", Report::read(&report)?);
    }
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
