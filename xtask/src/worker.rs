//! `cargo xtask worker`: the Cloudflare Worker, from the components and `worker/`.
//!
//! Everything that it takes comes from npm, pinned by lock files: jco, esbuild, the TypeScript compiler and workerd by that of
//! `worker/`, wrangler and miniflare by that of `worker/tools/`.

use crate::process::{self, Running};
use crate::workspace::Workspace;
use crate::{build, packages, progress};
use anyhow::Result;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Speaks with Cloudflare.
const WRANGLER: &str = "node_modules/wrangler/bin/wrangler.js";
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
    /// Runs wrangler, the one that deploys: to log in, to set secrets, to read logs
    Wrangler {
        /// What it takes, such as secret put STEPWELL_SIGNING_KEY
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
    match &arguments.command {
        Action::Build => build_all(workspace).map(|_| ExitCode::SUCCESS),
        Action::Dev { port } => dev(workspace, &build_all(workspace)?, *port),
        Action::Deploy { arguments } => {
            build_all(workspace)?;
            wrangler(workspace, &[&["deploy".to_owned()], arguments.as_slice()].concat())
        }
        Action::Wrangler { arguments } => wrangler(workspace, arguments),
    }
}

fn build_all(workspace: &Workspace) -> Result<Built> {
    build::components(workspace)?;
    build(workspace)
}

/// Wrangler, told of the root's `wrangler.toml`.
fn wrangler(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let program = install_tools(workspace)?.join(WRANGLER);
    let mut wrangler = Command::new("node");
    wrangler.arg(program).args(arguments).arg("--config").arg(workspace.root.join("wrangler.toml"));
    let status = Running::start(wrangler.current_dir(&workspace.root))?.wait()?;
    process::leave_if_interrupted();
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Wrangler and miniflare, installed if they are not there yet; gives their folder.
pub(crate) fn install_tools(workspace: &Workspace) -> Result<PathBuf> {
    let folder = workspace.root.join("worker/tools");
    packages::ensure(&folder)?;
    Ok(folder)
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
    // One test sees what it would deploy.
    install_tools(workspace)?;
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
