//! The targets that components are built for.

use crate::{process, progress};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

pub(crate) const NAME: &str = "wasm32-unknown-unknown";
/// That of the shells under Spin, which do have a system below them.
pub(crate) const WASI: &str = "wasm32-wasip2";

/// Adds the components' target where it is missing.
pub(crate) fn ensure() -> Result<()> {
    ensure_target(NAME)
}

/// Adds the target of Spin's shells where it is missing.
pub(crate) fn ensure_wasi() -> Result<()> {
    ensure_target(WASI)
}

fn ensure_target(name: &str) -> Result<()> {
    let sysroot = process::capture(Command::new("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(name).is_dir() {
        return Ok(());
    }
    progress::step(&format!("rustup target add {name}"), || {
        process::run(Command::new("rustup").args(["target", "add", name]))
            .context("the components need this target of the Rust toolchain: install it as your Rust was installed")
    })
}
