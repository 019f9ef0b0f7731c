//! npm and PyPI packages, installed beside the lock files that name them, once for each state of a lock file.

use crate::{process, progress};
use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::process::Command;

/// Holds the hash of the lock file that was installed last; inside the installed folder, so that it goes with it.
const STAMP: &str = ".installed";

/// Installs what `package-lock.json` or `requirements.txt` of `folder` names, where it has one.
pub(crate) fn ensure(folder: &Path) -> Result<()> {
    if folder.join("package-lock.json").is_file() {
        once(folder, "package-lock.json", "node_modules", npm)?;
    }
    if folder.join("requirements.txt").is_file() {
        once(folder, "requirements.txt", ".venv", python)?;
    }
    Ok(())
}

fn once(folder: &Path, lock: &str, made: &str, install: fn(&Path) -> Result<()>) -> Result<()> {
    let lock = folder.join(lock);
    let hash = hex::encode(Sha256::digest(std::fs::read(&lock).with_context(|| lock.display().to_string())?));
    let stamp = folder.join(made).join(STAMP);
    if std::fs::read_to_string(&stamp).is_ok_and(|held| held == hash) {
        return Ok(());
    }
    progress::step(&format!("packages of {}", folder.display()), || install(folder))?;
    std::fs::write(&stamp, hash).with_context(|| stamp.display().to_string())
}

fn npm(folder: &Path) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(folder);
    process::run(&mut npm).context("npm comes with Node 20 or newer")
}

fn python(folder: &Path) -> Result<()> {
    // A half-made environment is not worth mending.
    if let Err(error) = std::fs::remove_dir_all(folder.join(".venv"))
        && error.kind() != std::io::ErrorKind::NotFound
    {
        bail!("cannot remove the old .venv: {error}");
    }
    process::run(Command::new("python3").args(["-m", "venv", ".venv"]).current_dir(folder))
        .context("Python 3.11 or newer with venv is needed")?;
    let mut pip = Command::new(folder.join(".venv/bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt"]);
    process::run(pip.current_dir(folder))
}
