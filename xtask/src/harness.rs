//! The harness (`tests/spin`) that stands for `spin` where there is none.

use crate::workspace::Workspace;
use crate::{build, process, progress};
use anyhow::{Context, Result};
use std::path::PathBuf;

/// Selected by itself, because its wasmtime has more in it than the host's.
pub(crate) const PACKAGE: &str = "stepwell-spin-harness";
const GUEST: &str = "stepwell-spin-guest";

/// Builds the component that does what Spin punishes.
pub(crate) fn guest(workspace: &Workspace) -> Result<PathBuf> {
    build::wasi_target()?;
    progress::step("guest of the harness", || {
        let mut cargo = workspace.cargo(&["build", "--profile", "component", "--target", build::WASI_TARGET]);
        process::run(cargo.args(["--package", GUEST]))
    })?;
    let built = workspace.target.join(build::WASI_TARGET).join("component").join("stepwell_spin_guest.wasm");
    built.canonicalize().with_context(|| built.display().to_string())
}
