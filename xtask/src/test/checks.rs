//! What must hold of the sources. Release profiles throughout, so that what is built for one check serves the others.

use crate::workspace::Workspace;
use crate::{build, harness, process, spin};
use anyhow::Result;

pub(crate) fn format(workspace: &Workspace) -> Result<()> {
    process::run(&mut workspace.cargo(&["fmt", "--all", "--check"]))
}

pub(crate) fn clippy(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo(&["clippy", "--workspace", "--all-targets", "--release", "--", "-D", "warnings"]);
    process::run(&mut cargo)
}

/// The components are empty except on their own target.
pub(crate) fn clippy_of_components(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo(&["clippy", "--profile", "component", "--target", build::WASM_TARGET]);
    cargo.args(build::component_packages()).args(["--", "-D", "warnings"]);
    process::run(&mut cargo)
}

/// Neither are the shells under Spin, nor what the harness is held to by.
pub(crate) fn clippy_of_spin(workspace: &Workspace) -> Result<()> {
    build::wasi_target()?;
    let mut cargo = workspace.cargo(&["clippy", "--profile", "component", "--target", build::WASI_TARGET]);
    cargo.args(spin::packages()).args(["--package=stepwell-spin-shell", "--package", harness::GUEST]);
    cargo.args(["--", "-D", "warnings"]);
    process::run(&mut cargo)
}

pub(crate) fn documentation(workspace: &Workspace) -> Result<()> {
    let mut cargo = workspace.cargo(&["doc", "--workspace", "--no-deps", "--release"]);
    process::run(cargo.env("RUSTDOCFLAGS", "-D warnings"))
}
