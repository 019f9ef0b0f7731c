//! Replays what the simulator recorded against the engine's component files.
//!
//! A *script* (`stepwell_sim::script`, docs/SIMULATION.md) is a list of calls of the functions in `wit/`, each with what the
//! linked engine gave. This driver makes the same calls in wasmtime. It knows no actor, no message and no effect: it reads
//! the shapes of arguments from the component itself (`value.rs`). If every call gives the same bytes, the simulator would have
//! gone on in the same way, so that the whole simulation is the same for both builds.

mod part;
mod value;

use anyhow::{Context as _, Result, bail};
use part::{PARTS, Running};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use wasmtime::component::Component;
use wasmtime::{Config, Engine};

/// The version of the format that is read here.
const VERSION: u32 = 1;

/// The three component files, compiled for this machine.
pub struct Components {
    engine: Engine,
    compiled: Vec<Component>,
}

impl Components {
    /// Compiles the components in `folder`.
    ///
    /// # Errors
    /// A file that is not there or is no component.
    pub fn load(folder: &Path) -> Result<Self> {
        let engine = Engine::new(&Config::new()).map_err(words)?;
        let compile = |part: &&str| {
            let path = folder.join(format!("{part}.wasm"));
            let wasm = std::fs::read(&path).with_context(|| format!("{}: cargo xtask build", path.display()))?;
            Component::new(&engine, wasm).map_err(words)
        };
        let compiled = PARTS.iter().map(compile).collect::<Result<_>>()?;
        Ok(Self { engine, compiled })
    }

    /// Makes the calls of a script in fresh instances, and gives the hash of what they gave.
    ///
    /// # Errors
    /// The first call that gave something else, or a script that cannot be read.
    pub fn replay<L: AsRef<str>>(&self, script: &[L]) -> Result<String> {
        let mut lines = script.iter().map(AsRef::as_ref);
        let head: Head<'_> = serde_json::from_str(lines.next().context("an empty script")?)?;
        if (head.script, head.version) != ("stepwell", VERSION) {
            bail!("this is no script of version {VERSION}");
        }
        let mut replay = Replay::new(self)?;
        replay.everywhere("configure", &[head.settings])?;
        for (number, line) in (2..).zip(lines) {
            let Ok(step) = serde_json::from_str::<Step<'_>>(line) else {
                let foot: Foot = serde_json::from_str(line).with_context(|| format!("line {number}"))?;
                return replay.finish(foot.steps);
            };
            replay.step(&step).with_context(|| format!("line {number}: {}", step.title()))?;
        }
        bail!("the script has no end")
    }
}

#[derive(Deserialize)]
struct Head<'a> {
    script: &'a str,
    version: u32,
    settings: Value,
}

#[derive(Deserialize)]
struct Foot {
    steps: u64,
}

#[derive(Deserialize)]
struct Step<'a> {
    r#do: &'a str,
    part: Option<&'a str>,
    #[serde(borrow)]
    on: Option<std::borrow::Cow<'a, str>>,
    args: Vec<Value>,
    gives: &'a RawValue,
}

impl Step<'_> {
    fn title(&self) -> String {
        format!("{} {}", self.r#do, self.on.as_deref().unwrap_or_default())
    }
}

/// A script on its way through three instances.
struct Replay {
    running: BTreeMap<&'static str, Running>,
    given: Sha256,
    steps: u64,
}

impl Replay {
    fn new(components: &Components) -> Result<Self> {
        let start = |(part, component): (&&'static str, _)| Ok((*part, Running::new(&components.engine, component)?));
        let running = PARTS.iter().zip(&components.compiled).map(start).collect::<Result<_>>()?;
        Ok(Self { running, given: Sha256::new(), steps: 0 })
    }

    fn step(&mut self, step: &Step<'_>) -> Result<()> {
        let gives = match step.part {
            None => self.everywhere(step.r#do, &step.args)?,
            Some(part) => {
                let running = self.running.get_mut(part).context("there is no such part")?;
                running.call(step.r#do, step.on.as_deref(), &step.args)?
            }
        };
        if gives != step.gives.get() {
            bail!("the linked engine gave\n{}\nthe component gives\n{gives}", step.gives.get());
        }
        self.given.update(&gives);
        self.given.update(b"\n");
        self.steps = self.steps.saturating_add(1);
        Ok(())
    }

    /// Calls every part, which must all give the same.
    fn everywhere(&mut self, r#do: &str, args: &[Value]) -> Result<String> {
        let mut all = self.running.values_mut().map(|running| running.call(r#do, None, args));
        let first = all.next().context("no parts")??;
        for other in all {
            if other? != first {
                bail!("the parts do not give the same");
            }
        }
        Ok(first)
    }

    fn finish(self, steps: u64) -> Result<String> {
        if steps != self.steps {
            bail!("{} steps were read, and there should be {steps}", self.steps);
        }
        Ok(hex::encode(self.given.finalize()))
    }
}

/// wasmtime's errors are not `std::error::Error`s.
fn words(error: wasmtime::Error) -> anyhow::Error {
    anyhow::anyhow!("{error:#}")
}
