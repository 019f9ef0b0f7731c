//! `cargo xtask mutants`: changes the engine, one small thing at a time, and sees whether a test notices.

use crate::process::{self, Running};
use crate::workspace::Workspace;
use anyhow::{Result, bail};
use std::ffi::OsString;
use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What cargo-mutants itself takes: --list, --file <GLOB>, --re <REGEX>, --shard <K/N>, …
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    mutants: Vec<OsString>,
}

/// What is changed, and by what it is tested, is in `.cargo/mutants.toml`.
pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    if !process::answers(&mut workspace.cargo(&["mutants", "--version"])) {
        bail!("cargo-mutants is missing; install it with `cargo install --locked cargo-mutants`");
    }
    // A copy of the sources is changed, never these; what is built is kept with the rest, so that it is built once.
    let mut cargo = workspace.cargo(&["mutants", "--package", "stepwell-engine", "--output"]);
    cargo.arg(&workspace.target).args(&arguments.mutants);
    let status = Running::start(&mut cargo)?.wait()?;
    process::leave_if_interrupted();
    // 2: some were missed, which is for people to judge; 3: some took too long, which is to be noticed.
    Ok(if matches!(status.code(), Some(0 | 2 | 3)) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
