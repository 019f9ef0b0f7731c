//! `cargo xtask bench`: builds the server and the bench, and lets the bench measure.

use crate::process::{self, Running};
use crate::workspace::Workspace;
use crate::{build, progress};
use anyhow::Result;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What the bench itself takes: --quick, --only <PHASE>, --json <FILE>, --scratch <DIR>
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    bench: Vec<OsString>,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    build::components(workspace)?;
    build::host(workspace, true)?;
    progress::step("bench", || {
        process::run(&mut workspace.cargo(&["build", "--release", "--package", "stepwell-bench"]))
    })?;
    let mut bench = Command::new(workspace.release("stepwell-bench"));
    bench.arg("--server-binary").arg(workspace.release("stepwell")).args(&arguments.bench);
    let status = Running::start(&mut bench)?.wait()?;
    process::leave_if_interrupted();
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
