//! The engine's code, compiled by another process where it must be.
//!
//! Compiling takes seconds and tens of megabytes that an allocator does not give back; a server that was started for the
//! first time should be as small as any other.

use crate::parts::{Code, code};
use std::process::{Command, Stdio};

/// The subcommand that compiles and ends.
pub const SUBCOMMAND: &str = "compile";

/// Loads the engine, compiling it first where the cache does not hold it.
///
/// # Errors
/// An engine that does not compile: the build is broken.
pub fn load() -> anyhow::Result<Code> {
    let cache = code::cache_folder();
    if let Some(folder) = cache.as_deref().filter(|folder| !Code::is_compiled(folder)) {
        tracing::info!(cache = %folder.display(), "compiling the engine for this machine; later starts need not");
        if let Err(cause) = compile_elsewhere() {
            tracing::debug!(%cause, "no other process could compile it; this one does");
        }
    }
    Code::load(cache.as_deref())
}

/// Compiles the engine into the cache: what [`SUBCOMMAND`] does.
///
/// # Errors
/// An engine that does not compile: the build is broken.
pub fn compile() -> anyhow::Result<()> {
    Code::load(code::cache_folder().as_deref()).map(drop)
}

fn compile_elsewhere() -> std::io::Result<()> {
    let own = std::env::current_exe()?;
    Command::new(own).arg(SUBCOMMAND).stdin(Stdio::null()).stdout(Stdio::null()).status().map(drop)
}
