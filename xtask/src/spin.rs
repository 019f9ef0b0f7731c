//! `cargo xtask spin`: the Spin application, from the components and `spin/`.

mod bench;
mod up;

use crate::workspace::Workspace;
use crate::{build, process, progress};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions};

/// The engine's parts, each with a shell in `spin/` that bears its name.
const PARTS: [&str; 3] = ["event-api", "scheduler", "executor"];
/// What Spin's cron trigger runs; there is nothing of the engine in it.
const CRON: &str = "cron";
/// Its file in the folder of the others.
pub(crate) const CRON_FILE: &str = "cron.wasm";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Builds the component files that spin.toml names, into spin/dist
    Build,
    /// Builds them and measures what the application costs, key-value against SQLite
    Bench(bench::Arguments),
    /// Builds them and runs the application here: under `spin up`, or the harness of the tests where there is no `spin`
    Up(up::Arguments),
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    build::components(workspace)?;
    build(workspace)?;
    match &arguments.command {
        Action::Build => Ok(ExitCode::SUCCESS),
        Action::Bench(arguments) => bench::bench(workspace, arguments),
        Action::Up(arguments) => up::up(workspace, arguments),
    }
}

/// Selects the packages of the component files on a cargo command line.
pub(crate) fn packages() -> impl Iterator<Item = String> {
    PARTS.into_iter().chain([CRON]).map(|component| format!("--package=stepwell-spin-{component}"))
}

/// Builds the shells and plugs the parts that were built last into them: files that stand alone. Gives their folder.
pub(crate) fn build(workspace: &Workspace) -> Result<PathBuf> {
    build::wasi_target()?;
    let dist = workspace.root.join("spin/dist");
    progress::step("spin components", || {
        let mut cargo = workspace.cargo(&["build", "--profile", "component", "--target", build::WASI_TARGET]);
        process::run(cargo.args(packages()))?;
        std::fs::create_dir_all(&dist)?;
        let built = workspace.target.join(build::WASI_TARGET).join("component");
        let built = |name: &str| read(&built.join(format!("stepwell_spin_{}.wasm", name.replace('-', "_"))));
        for part in PARTS {
            let shell = built(part)?;
            let engine = read(&workspace.components().join(format!("{part}.wasm")))?;
            let plugged = plugged(part, shell, engine).with_context(|| format!("composing {part}"))?;
            build::write_if_other(&dist.join(format!("{part}.wasm")), &plugged)?;
            progress::note(&build::line(part, &plugged)?);
        }
        let cron = built(CRON)?;
        build::write_if_other(&dist.join(CRON_FILE), &cron)?;
        progress::note(&build::line(CRON, &cron)?);
        Ok(())
    })?;
    Ok(dist)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

/// A shell with its part of the engine inside.
fn plugged(part: &str, shell: Vec<u8>, engine: Vec<u8>) -> Result<Vec<u8>> {
    let mut graph = CompositionGraph::new();
    let shell = Package::from_bytes(&format!("shell:{part}"), None, shell, graph.types_mut())?;
    let engine = Package::from_bytes(&format!("engine:{part}"), None, engine, graph.types_mut())?;
    let (shell, engine) = (graph.register_package(shell)?, graph.register_package(engine)?);
    wac_graph::plug(&mut graph, vec![engine], shell)?;
    Ok(graph.encode(EncodeOptions::default())?)
}
