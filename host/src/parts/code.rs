//! The components' code: embedded in the binary, compiled once for this machine, and kept compiled in the cache folder.

use super::Part;
use crate::limits;
use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wasmtime::component::Component;
use wasmtime::{Config, Engine, OptLevel};

const EVENT_API: &[u8] = include_bytes!(env!("STEPWELL_COMPONENT_EVENT_API"));
const SCHEDULER: &[u8] = include_bytes!(env!("STEPWELL_COMPONENT_SCHEDULER"));
const EXECUTOR: &[u8] = include_bytes!(env!("STEPWELL_COMPONENT_EXECUTOR"));

/// Compiled components, ready to be instantiated.
#[derive(Clone)]
pub struct Code {
    /// What they were compiled by and run in.
    pub engine: Engine,
    components: Arc<[(Part, Component)]>,
}

impl Code {
    /// Loads the three components, compiling those that `cache` does not hold yet (without a cache: all).
    ///
    /// # Errors
    /// A component that does not compile: the build is broken.
    pub fn load(cache: Option<&Path>) -> anyhow::Result<Self> {
        let engine = engine().map_err(words)?;
        let embedded = [
            (Part::EventApi, "event-api", EVENT_API),
            (Part::Scheduler, "scheduler", SCHEDULER),
            (Part::Executor, "executor", EXECUTOR),
        ];
        let components: Vec<_> = std::thread::scope(|scope| {
            let loading = embedded.map(|(part, name, wasm)| {
                let engine = &engine;
                (part, name, scope.spawn(move || component(engine, name, wasm, cache)))
            });
            loading
                .into_iter()
                .map(|(part, name, thread)| {
                    let component = thread.join().map_err(|_| anyhow::anyhow!("compiling {name} panicked"))?;
                    Ok((part, component.map_err(words).with_context(|| format!("cannot compile the engine's {name}"))?))
                })
                .collect::<anyhow::Result<_>>()
        })?;
        start_epochs(&engine);
        Ok(Self { engine, components: components.into() })
    }

    /// The component of `part`.
    ///
    /// # Errors
    /// Never, as long as [`Code::load`] loads every part.
    pub fn component(&self, part: Part) -> anyhow::Result<&Component> {
        let found = self.components.iter().find(|(known, _)| *known == part);
        found.map(|(_, component)| component).context("a part without a component")
    }
}

/// The folder where compiled components are kept: `STEPWELL_CACHE_DIR`, or `stepwell` in the user's cache folder.
#[must_use]
pub fn cache_folder() -> Option<PathBuf> {
    let named = std::env::var_os("STEPWELL_CACHE_DIR").map(PathBuf::from);
    named.or_else(|| dirs::cache_dir().map(|folder| folder.join("stepwell")))
}

/// wasmtime's errors are not `std::error::Error`s.
fn words(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}

/// The one configuration, for compiling and for loading: with another one a compiled file would be refused.
fn engine() -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config.wasm_component_model(true);
    config.cranelift_opt_level(OptLevel::Speed);
    config.epoch_interruption(true);
    Engine::new(&config)
}

/// Lets the engine's epochs pass, so that a call that does not end can be told from one that does.
fn start_epochs(engine: &Engine) {
    let weak = engine.weak();
    let ticker = std::thread::Builder::new().name("epochs".to_owned()).spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(limits::EPOCH_TICK);
        }
    });
    if let Err(cause) = ticker {
        tracing::warn!(%cause, "no thread for the engine's clock: calls into the engine have no time limit");
    }
}

fn component(engine: &Engine, name: &str, wasm: &[u8], cache: Option<&Path>) -> wasmtime::Result<Component> {
    let Some(folder) = cache else {
        return Component::new(engine, wasm);
    };
    let path = folder.join(format!("{name}-{}.cwasm", key(engine, wasm)));
    if path.is_file() {
        match load(engine, &path) {
            Ok(component) => return Ok(component),
            Err(cause) => {
                tracing::warn!(%cause, path = %path.display(), "cannot use a compiled component; compiling it again")
            }
        }
    }
    let compiled = engine.precompile_component(wasm)?;
    match keep(folder, &path, &compiled).map_err(wasmtime::Error::new).and_then(|()| load(engine, &path)) {
        Ok(component) => Ok(component),
        Err(cause) => {
            tracing::warn!(%cause, path = %path.display(), "cannot keep compiled components; every start will compile them");
            Component::new(engine, wasm)
        }
    }
}

/// Names a compiled component: by what it was compiled from, by which version of wasmtime, for which machine, how configured.
fn key(engine: &Engine, wasm: &[u8]) -> String {
    let mut compiler = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut compiler);
    let digest = Sha256::digest(wasm);
    let wasm_hash: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("{wasm_hash}-{:016x}", compiler.finish())
}

#[allow(unsafe_code)]
fn load(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file must be what wasmtime wrote and must not change while it is mapped. It lies in the user's own
    // cache folder, only the user can write there, its name carries the hashes of its source and of the compiler, it
    // came into place by a rename and is never written again; wasmtime checks version and configuration once more.
    unsafe { Component::deserialize_file(engine, path) }
}

/// Puts the file into place whole or not at all: two servers may start at once.
fn keep(folder: &Path, path: &Path, compiled: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let unfinished = path.with_extension(format!("{}.part", std::process::id()));
    std::fs::write(&unfinished, compiled)?;
    std::fs::rename(&unfinished, path)
}
