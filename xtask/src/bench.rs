//! `cargo xtask bench`: builds a server and what measures it, and lets that measure.

use crate::process::{self, Running};
use crate::workspace::Workspace;
use crate::{build, progress, worker};
use anyhow::Result;
use std::ffi::OsString;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What is measured
    #[arg(long, value_enum, default_value_t = Home::Host)]
    home: Home,
    /// What the bench itself takes: --quick, --json <FILE>, --scratch <DIR>, and that of the host --only <PHASE>
    #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
    bench: Vec<OsString>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Home {
    /// The wasmtime host, beside what the machine costs
    Host,
    /// The Worker in Cloudflare's runtime, beside Cloudflare Workflows
    Workerd,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    build::components(workspace)?;
    let mut bench = match arguments.home {
        Home::Host => of_host(workspace)?,
        Home::Workerd => of_worker(workspace)?,
    };
    let status = Running::start(bench.args(&arguments.bench))?.wait()?;
    process::leave_if_interrupted();
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn of_host(workspace: &Workspace) -> Result<Command> {
    build::host(workspace, true)?;
    progress::step("bench", || {
        process::run(&mut workspace.cargo(&["build", "--release", "--package", "stepwell-bench"]))
    })?;
    let mut bench = Command::new(workspace.release("stepwell-bench"));
    bench.arg("--server-binary").arg(workspace.release("stepwell"));
    Ok(bench)
}

fn of_worker(workspace: &Workspace) -> Result<Command> {
    let built = worker::build(workspace)?;
    worker::install_tools(workspace)?;
    let mut bench = Command::new("node");
    bench
        .arg(workspace.root.join("worker/bench/bench.mjs"))
        .arg("--workerd")
        .arg(&built.workerd)
        .arg("--dist")
        .arg(&built.dist);
    // On the disk that is built on, unless another one is named: where temporary files lie may be memory.
    bench.arg("--scratch").arg(&workspace.target);
    Ok(bench)
}
