//! `cargo xtask sim`: builds the simulator and lets it run.

use crate::process::{self, Running};
use crate::progress;
use crate::workspace::Workspace;
use anyhow::Result;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What the simulator itself takes: --seed <N>, --seeds <COUNT>, --minutes <N>, --without <FAULTS>, --story, --record <FILE>
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    sim: Vec<OsString>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    progress::step("simulator", || {
        process::run(&mut workspace.cargo(&["build", "--release", "--package", "stepwell-sim"]))
    })?;
    let mut sim = Command::new(workspace.release("stepwell-sim"));
    sim.args(&arguments.sim);
    let status = Running::start(&mut sim)?.wait()?;
    process::leave_if_interrupted();
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
