//! `cargo xtask worker`: the Cloudflare Worker, from the components and `worker/`.
//!
//! Everything that it takes comes from npm, pinned by `worker/package-lock.json`: jco, esbuild, the TypeScript compiler, workerd.

use crate::process::{self, Running};
use crate::workspace::Workspace;
use crate::{build, packages, progress};
use anyhow::Result;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The newest that Node 20 runs.
const WRANGLER: &str = "wrangler@4.86.0";
/// Checks types; what runs is made by esbuild.
const COMPILER: &str = "node_modules/typescript/bin/tsc";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Builds the Worker into worker/dist, checks its types and its size
    Build,
    /// Builds it and serves it here, without keys, until Ctrl-C
    Dev {
        /// Where to listen
        #[arg(long, default_value_t = 8288)]
        port: u16,
    },
    /// Builds it and deploys it with wrangler
    Deploy {
        /// What wrangler takes, such as --dry-run
        #[arg(value_name = "ARGUMENTS", trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// What a built Worker is run with.
pub(crate) struct Built {
    /// The folder of the script, its modules and `workerd.capnp`.
    pub(crate) dist: PathBuf,
    /// Cloudflare's runtime.
    pub(crate) workerd: PathBuf,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    build::components(workspace)?;
    let built = build(workspace)?;
    match &arguments.command {
        Action::Build => Ok(ExitCode::SUCCESS),
        Action::Dev { port } => dev(workspace, &built, *port),
        Action::Deploy { arguments } => {
            let mut npx = Command::new("npx");
            npx.args(["--yes", WRANGLER, "deploy", "--config"])
                .arg(workspace.root.join("wrangler.toml"))
                .args(arguments);
            process::run(npx.current_dir(&workspace.root))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Builds the Worker around the components that were built last.
pub(crate) fn build(workspace: &Workspace) -> Result<Built> {
    let folder = workspace.root.join("worker");
    packages::ensure(&folder)?;
    let dist = folder.join("dist");
    progress::step("worker", || {
        node(&folder, &["build.mjs".as_ref(), workspace.components().as_ref(), dist.as_ref()])?;
        node(&folder, &[COMPILER.as_ref(), "-p".as_ref(), ".".as_ref()])
    })?;
    Ok(Built { dist, workerd: folder.join("node_modules/workerd/bin/workerd") })
}

/// Builds the Worker, and the one of its own tests (worker/test) beside it; gives where that one is.
pub(crate) fn build_for_tests(workspace: &Workspace) -> Result<PathBuf> {
    let built = build(workspace)?;
    let folder = workspace.root.join("worker");
    let dist = folder.join("dist-test");
    progress::step("worker of the tests", || {
        node(&folder, &["test/build.mjs".as_ref(), built.dist.as_ref(), dist.as_ref()])?;
        node(&folder, &[COMPILER.as_ref(), "-p".as_ref(), "test".as_ref()])
    })?;
    Ok(dist)
}

fn node(folder: &Path, arguments: &[&OsStr]) -> Result<()> {
    process::run(Command::new("node").args(arguments).current_dir(folder))
}

fn dev(workspace: &Workspace, built: &Built, port: u16) -> Result<ExitCode> {
    let data = workspace.target.join("worker-dev");
    std::fs::create_dir_all(&data)?;
    let mut workerd = Command::new(&built.workerd);
    workerd.arg("serve").arg(built.dist.join("workerd.capnp")).arg(format!("--socket-addr=http=127.0.0.1:{port}"));
    workerd.arg(format!("--directory-path=data={}", data.display())).env("STEPWELL_KIND", "dev");
    progress::note(&format!("serving http://127.0.0.1:{port} until Ctrl-C; objects are in {}", data.display()));
    process::interrupt_is_success();
    let status = Running::start(&mut workerd)?.wait()?;
    process::leave_if_interrupted();
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
