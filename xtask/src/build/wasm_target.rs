//! The target that the components are built for.

use crate::{process, progress};
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;

pub(crate) const NAME: &str = "wasm32-unknown-unknown";

/// Adds the target where it is missing.
pub(crate) fn ensure() -> Result<()> {
    let sysroot = process::capture(Command::new("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(NAME).is_dir() {
        return Ok(());
    }
    progress::step(&format!("rustup target add {NAME}"), || {
        process::run(Command::new("rustup").args(["target", "add", NAME]))
            .context("the components need this target of the Rust toolchain: install it as your Rust was installed")
    })
}
