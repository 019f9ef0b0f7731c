//! `cargo xtask spin up`: the application, here, until Ctrl-C.

use crate::harness::Program;
use crate::process::{self, Running};
use crate::progress;
use crate::workspace::Workspace;
use anyhow::Result;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8288")]
    listen: String,
    /// What `spin up` takes beside it, such as --variable kind=cloud
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

/// Runs what was built last.
pub(crate) fn up(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let (program, manifest) = (Program::find(workspace)?, workspace.root.join("spin.toml"));
    program.compile(&manifest)?;
    let mut command = Command::new(&program.path);
    command.arg("up").arg("--from").arg(&manifest).args(["--listen", &arguments.listen]).args(&arguments.arguments);
    progress::note(&format!("serving http://{} until Ctrl-C; state is in .spin beside spin.toml", arguments.listen));
    process::interrupt_is_success();
    let status = Running::start(command.current_dir(&workspace.root))?.wait()?;
    process::leave_if_interrupted();
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
