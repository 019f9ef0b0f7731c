//! `cargo xtask build`: the components, then the host that holds them.

mod encode;
mod size;
mod wasm_target;

pub(crate) use size::line;
pub(crate) use wasm_target::{NAME as WASM_TARGET, WASI as WASI_TARGET, ensure_wasi as wasi_target};

use crate::workspace::Workspace;
use crate::{process, progress};
use anyhow::{Context, Result};
use std::path::Path;

/// The components, by their worlds in wit/, and their packages: the engine's three parts, and the ledger for shells that are not
/// written in Rust.
const COMPONENTS: [(&str, &str); 4] = [
    ("event-api", "stepwell-event-api"),
    ("scheduler", "stepwell-scheduler"),
    ("executor", "stepwell-executor"),
    ("ledger", "stepwell-ledger-component"),
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Optimises the host as well; the components always are
    #[arg(long)]
    release: bool,
    /// Builds no host
    #[arg(long)]
    components_only: bool,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<()> {
    components(workspace)?;
    if !arguments.components_only {
        host(workspace, arguments.release)?;
    }
    Ok(())
}

/// Selects the components' packages on a cargo command line.
pub(crate) fn component_packages() -> [String; 4] {
    COMPONENTS.map(|(_, package)| format!("--package={package}"))
}

/// Builds the components, each of which imports nothing and is what its world says.
pub(crate) fn components(workspace: &Workspace) -> Result<()> {
    wasm_target::ensure()?;
    progress::step("engine components", || {
        let mut cargo = workspace.cargo(&["build", "--profile", "component", "--target", wasm_target::NAME]);
        cargo.args(component_packages());
        process::run(&mut cargo)?;
        let (worlds, folder) = (encode::Worlds::read(&workspace.root.join("wit"))?, workspace.components());
        std::fs::create_dir_all(&folder)?;
        let built = workspace.target.join(wasm_target::NAME).join("component");
        for (name, package) in COMPONENTS {
            let core = built.join(format!("{}.wasm", package.replace('-', "_")));
            let core = std::fs::read(&core).with_context(|| core.display().to_string())?;
            let component = encode::component(&core, &worlds, name).with_context(|| format!("component {name}"))?;
            write_if_other(&folder.join(format!("{name}.wasm")), &component)?;
            progress::note(&size::line(name, &component)?);
        }
        Ok(())
    })
}

/// Builds the `stepwell` binary around the components that were built last.
pub(crate) fn host(workspace: &Workspace, release: bool) -> Result<()> {
    progress::step("host", || {
        let mut cargo = workspace.cargo(&["build", "--package", "stepwell"]);
        if release {
            cargo.arg("--release");
        }
        process::run(&mut cargo)?;
        let binary = workspace.program(if release { "release" } else { "debug" }, "stepwell");
        let bytes = std::fs::read(&binary).with_context(|| binary.display().to_string())?;
        progress::note(&size::line("stepwell", &bytes)?);
        Ok(())
    })
}

/// Leaves the file's time alone where nothing has changed, so that the host is not built again.
pub(crate) fn write_if_other(path: &Path, bytes: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|held| held == bytes) {
        return Ok(());
    }
    std::fs::write(path, bytes).with_context(|| path.display().to_string())
}
