//! What runs the application of `spin.toml`: the real `spin` where one is new enough, else the harness (`tests/spin`) that stands for it.

use crate::workspace::Workspace;
use crate::{build, process, progress};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The package of the harness; selected by itself, because its wasmtime has more in it than the host's.
pub(crate) const PACKAGE: &str = "stepwell-spin-harness";
/// The component that does what Spin punishes.
pub(crate) const GUEST: &str = "stepwell-spin-guest";
/// `harness` or `real`, to choose.
const CHOICE: &str = "STEPWELL_SPIN";
/// The first Spin that has what spin-sdk 7 wants.
const SPIN_MIN: (u32, u32) = (4, 1);

/// A program with the command line of `spin`.
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) is_real: bool,
}

impl Program {
    /// Finds Spin, or builds the harness; says which it is.
    pub(crate) fn find(workspace: &Workspace) -> Result<Self> {
        let choice = std::env::var(CHOICE).unwrap_or_default();
        let real = match choice.as_str() {
            "harness" => None,
            "" | "real" => real(),
            other => bail!("{CHOICE} is {other:?}: harness or real"),
        };
        if let Some(path) = real {
            progress::note(&format!("under the real Spin: {}", path.display()));
            return Ok(Self { path, is_real: true });
        }
        if choice == "real" {
            bail!("there is no `spin` of {}.{} or newer on PATH", SPIN_MIN.0, SPIN_MIN.1);
        }
        let path = build(workspace)?;
        progress::note(
            "under the harness of the tests: there is no `spin` of 4.1 or newer on PATH, or it was not wanted",
        );
        Ok(Self { path, is_real: false })
    }

    /// Compiles the application at `manifest`, so that it starts at once: Spin has a cache of its own.
    pub(crate) fn compile(&self, manifest: &Path) -> Result<()> {
        if self.is_real {
            return Ok(());
        }
        progress::step("machine code of the application", || {
            process::run(Command::new(&self.path).arg("compile").arg("--from").arg(manifest))
        })
    }
}

/// Builds the harness.
fn build(workspace: &Workspace) -> Result<PathBuf> {
    progress::step("harness for Spin", || {
        process::run(&mut workspace.cargo(&["build", "--release", "--package", PACKAGE]))
    })?;
    Ok(workspace.release(PACKAGE))
}

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

/// A `spin` on PATH that is new enough.
fn real() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join("spin")).find(|program| program.is_file())?;
    let said = process::capture(Command::new(&found).arg("--version")).ok()?;
    (version(&said)? >= SPIN_MIN).then_some(found)
}

/// Major and minor of `spin 4.1.0 (…)`.
fn version(said: &str) -> Option<(u32, u32)> {
    let mut numbers = said.strip_prefix("spin ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spin_says_of_its_version_is_read() {
        assert_eq!(version("spin 4.1.0-pre0 (94a8fc8 2026-08-21)"), Some((4, 1)));
        assert_eq!(version("spin 3.6.2 (abc)"), Some((3, 6)));
        assert_eq!(version("spinning"), None);
        assert!(version("spin 10.0.1").is_some_and(|version| version >= SPIN_MIN));
    }
}
