//! `cargo xtask spin bench`: what the application costs, with each of its stores.

use crate::harness::Program;
use crate::process::{self, Running};
use crate::progress;
use crate::workspace::Workspace;
use anyhow::Result;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What the bench itself takes: --quick, --only <PHASE>, --json <FILE>, --scratch <DIR>
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    bench: Vec<OsString>,
}

/// Measures what was built last.
pub(crate) fn bench(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let (program, manifest) = (Program::find(workspace)?, workspace.root.join("spin.toml"));
    program.compile(&manifest)?;
    progress::step("bench", || {
        process::run(&mut workspace.cargo(&["build", "--release", "--package", "stepwell-bench"]))
    })?;
    let mut bench = Command::new(workspace.release("stepwell-bench"));
    bench.arg("--server-binary").arg(&program.path).arg("--spin-program").arg(&program.path);
    bench.arg("--spin-manifest").arg(&manifest);
    // Beside a `spin` of the system nobody may write.
    bench.arg("--scratch").arg(&workspace.target).args(&arguments.bench);
    let status = Running::start(&mut bench)?.wait()?;
    process::leave_if_interrupted();
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
