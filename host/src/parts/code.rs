//! The components' code: embedded in the binary, compiled once for this machine, and kept compiled in the cache folder.

use super::Part;
use crate::limits;
use anyhow::Context as _;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wasmtime::component::Component;
use wasmtime::{Config, Engine, OptLevel};

/// One component, as it was built.
#[derive(Clone, Copy)]
struct Embedded {
    part: Part,
    name: &'static str,
    /// Of the wasm.
    hash: &'static str,
    wasm: &'static [u8],
}

const EMBEDDED: [Embedded; 3] = [
    Embedded {
        part: Part::EventApi,
        name: "event-api",
        hash: env!("STEPWELL_COMPONENT_EVENT_API_HASH"),
        wasm: include_bytes!(env!("STEPWELL_COMPONENT_EVENT_API")),
    },
    Embedded {
        part: Part::Scheduler,
        name: "scheduler",
        hash: env!("STEPWELL_COMPONENT_SCHEDULER_HASH"),
        wasm: include_bytes!(env!("STEPWELL_COMPONENT_SCHEDULER")),
    },
    Embedded {
        part: Part::Executor,
        name: "executor",
        hash: env!("STEPWELL_COMPONENT_EXECUTOR_HASH"),
        wasm: include_bytes!(env!("STEPWELL_COMPONENT_EXECUTOR")),
    },
];

/// Compiled components of one name that are kept: those of some versions side by side, not those of every build.
const KEPT_MAX: usize = 4;

/// Compiled components, ready to be instantiated.
#[derive(Clone)]
pub struct Code {
    /// What they were compiled by and run in.
    pub engine: Engine,
    components: Arc<[(Part, Component)]>,
}

impl Code {
    /// Whether `cache` holds all that [`Code::load`] would otherwise compile.
    #[must_use]
    pub fn is_compiled(cache: &Path) -> bool {
        engine().is_ok_and(|engine| EMBEDDED.iter().all(|embedded| embedded.path(&engine, cache).is_file()))
    }

    /// Loads the three components, compiling those that `cache` does not hold yet (without a cache: all).
    ///
    /// # Errors
    /// A component that does not compile: the build is broken.
    pub fn load(cache: Option<&Path>) -> anyhow::Result<Self> {
        let engine = engine().map_err(words)?;
        let components: Vec<_> = std::thread::scope(|scope| {
            let engine = &engine;
            let loading = EMBEDDED.map(|embedded| (embedded, scope.spawn(move || embedded.component(engine, cache))));
            loading
                .into_iter()
                .map(|(Embedded { part, name, .. }, thread)| {
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

impl Embedded {
    fn component(self, engine: &Engine, cache: Option<&Path>) -> wasmtime::Result<Component> {
        let Some(folder) = cache else {
            return Component::new(engine, self.wasm);
        };
        let path = self.path(engine, folder);
        if path.is_file() {
            match load(engine, &path) {
                Ok(component) => return Ok(component),
                Err(cause) => {
                    tracing::warn!(%cause, path = %path.display(), "cannot use a compiled component; compiling it again");
                }
            }
        }
        let compiled = engine.precompile_component(self.wasm)?;
        match keep(folder, &path, &compiled).map_err(wasmtime::Error::new).and_then(|()| load(engine, &path)) {
            Ok(component) => {
                self.prune(folder, &path);
                Ok(component)
            }
            Err(cause) => {
                tracing::warn!(%cause, path = %path.display(), "cannot keep a compiled component; every start will compile it");
                Component::new(engine, self.wasm)
            }
        }
    }

    /// Where it is kept compiled: the name tells what it was compiled from, and by which version of wasmtime, for which
    /// machine, how configured.
    fn path(self, engine: &Engine, folder: &Path) -> PathBuf {
        let mut compiler = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut compiler);
        folder.join(format!("{}-{}-{:016x}.cwasm", self.name, self.hash, compiler.finish()))
    }

    /// Removes all but the newest compiled components of this name.
    fn prune(self, folder: &Path, just_kept: &Path) {
        let prefix = format!("{}-", self.name);
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        let mut others: Vec<_> = entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix) && entry.path() != just_kept)
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        others.sort();
        let surplus = others.len().saturating_add(1).saturating_sub(KEPT_MAX);
        for (_, path) in others.into_iter().take(surplus) {
            // Whoever has it mapped keeps it; a failure leaves a file too many.
            let _ = std::fs::remove_file(path);
        }
    }
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
