//! Where things are.

use crate::process;
use anyhow::{Context, Result};
use serde::Deserialize;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

/// The workspace, as cargo sees it.
pub(crate) struct Workspace {
    /// The folder of the root `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo builds; follows `CARGO_TARGET_DIR`.
    pub(crate) target: PathBuf,
    cargo: OsString,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    target_directory: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(&cargo);
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata: Metadata = serde_json::from_str(&process::capture(&mut command)?).context("cargo metadata")?;
        Ok(Self { root: metadata.workspace_root, target: metadata.target_directory, cargo })
    }

    /// A cargo command that runs in the root. Whatever looks at the host, a lint as well, needs the components.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.cargo);
        command.args(arguments).current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command.env("STEPWELL_COMPONENTS", self.components());
        command
    }

    /// Where the encoded components are put.
    pub(crate) fn components(&self) -> PathBuf {
        self.target.join("components")
    }

    /// A program of a release build.
    pub(crate) fn release(&self, program: &str) -> PathBuf {
        self.program("release", program)
    }

    /// A program of a build with this profile's folder.
    pub(crate) fn program(&self, folder: &str, program: &str) -> PathBuf {
        self.target.join(folder).join(format!("{program}{}", std::env::consts::EXE_SUFFIX))
    }
}
