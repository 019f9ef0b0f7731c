//! The Worker's own tests (worker/test): what is pure of it in Node, the rest under workerd.

use super::runner::counted;
use super::tally::Tally;
use crate::worker;
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Those whose names contain `filter`, or all.
pub(crate) fn run(workspace: &Workspace, filter: Option<&str>) -> Result<Tally> {
    let dist = worker::build_for_tests(workspace)?;
    let folder = workspace.root.join("worker");
    let mut node = Command::new("node");
    // One after another: each has a workerd of its own.
    node.args(["--test", "--test-concurrency=1", "--test-reporter=spec"]).current_dir(&folder);
    if let Some(filter) = filter {
        node.arg(format!("--test-name-pattern={filter}"));
    }
    node.args(tests(&dist.join("unit"))?).args(tests(&folder.join("test"))?);
    node.env("STEPWELL_SIM", workspace.release("stepwell-sim"));
    counted(&mut node)
}

fn tests(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths: std::io::Result<Vec<_>> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let is_test = |path: &PathBuf| path.to_string_lossy().ends_with(".test.mjs");
    let mut tests: Vec<_> = paths?.into_iter().filter(is_test).collect();
    tests.sort();
    Ok(tests)
}
