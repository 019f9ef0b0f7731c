//! Machine code of components, kept beside their files: compiling takes seconds, and every test starts anew.

use anyhow::{Context, Result, anyhow};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// The engine that all components run in.
///
/// # Errors
/// The machine has no room for it.
pub fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model(true).wasm_component_model_async(true);
    Engine::new(&config).map_err(told)
}

/// Loads a component, compiling it first where that has not been done.
///
/// # Errors
/// It is not there, or is no component.
pub fn load(engine: &Engine, source: &Path) -> Result<Component> {
    let bytes = std::fs::read(source).with_context(|| source.display().to_string())?;
    let kept = kept(engine, source, &bytes);
    if let Some(component) = kept.is_file().then(|| loaded(engine, &kept).ok()).flatten() {
        return Ok(component);
    }
    let code = engine.precompile_component(&bytes).map_err(told).with_context(|| source.display().to_string())?;
    keep(&kept, &code).with_context(|| kept.display().to_string())?;
    loaded(engine, &kept).map_err(told)
}

/// Wasmtime's errors are no [`std::error::Error`].
pub(crate) fn told(fault: wasmtime::Error) -> anyhow::Error {
    anyhow!("{fault:?}")
}

/// Named by what it is made of: the component, the compiler, its settings.
fn kept(engine: &Engine, source: &Path, bytes: &[u8]) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    engine.precompile_compatibility_hash().hash(&mut hasher);
    let mut name = source.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{:016x}.cwasm", hasher.finish()));
    source.with_file_name(".compiled").join(name)
}

/// Others may be starting at the same time: each writes a file of its own, and the last to finish wins.
fn keep(kept: &Path, code: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = kept.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let own = kept.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&own, code)?;
    std::fs::rename(&own, kept)
}

#[allow(
    unsafe_code,
    reason = "the file was written by this program, from a component of the same build, into the build's own folder"
)]
fn loaded(engine: &Engine, kept: &Path) -> wasmtime::Result<Component> {
    unsafe { Component::deserialize_file(engine, kept) }
}
