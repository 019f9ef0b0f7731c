//! Runs tests with `cargo nextest` where it is there, else with `cargo test`, and counts them.

use super::home::Home;
use super::tally::Tally;
use crate::harness;
use crate::process::{self, Running};
use crate::workspace::Workspace;
use anyhow::{Context, Result};
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What all test runs have in common.
pub(crate) struct Runner<'a> {
    pub(crate) workspace: &'a Workspace,
    pub(crate) filter: Option<&'a str>,
    pub(crate) home: Home,
    /// What else the tests are told of it.
    pub(crate) variables: Vec<(&'static str, PathBuf)>,
}

impl Runner<'_> {
    /// The tests of some packages.
    pub(crate) fn only(&self, packages: &[&str]) -> Result<Tally> {
        self.run(&packages.iter().flat_map(|package| ["--package", package]).collect::<Vec<_>>())
    }

    /// The tests of the workspace but for some packages.
    pub(crate) fn all_but(&self, packages: &[&str]) -> Result<Tally> {
        let excluded = packages.iter().flat_map(|package| ["--exclude", package]);
        self.run(&std::iter::once("--workspace").chain(excluded).collect::<Vec<_>>())
    }

    /// The tests of some files of a package.
    pub(crate) fn files(&self, package: &str, files: &[&str]) -> Result<Tally> {
        let files = files.iter().flat_map(|file| ["--test", file]);
        self.run(&["--package", package].into_iter().chain(files).collect::<Vec<_>>())
    }

    /// The unit tests of a package, and the tests of some of its files.
    pub(crate) fn units_and_files(&self, package: &str, files: &[&str]) -> Result<Tally> {
        let files = files.iter().flat_map(|file| ["--test", file]);
        self.run(&["--package", package, "--lib"].into_iter().chain(files).collect::<Vec<_>>())
    }

    /// Whether what stands for Spin is the harness.
    pub(crate) fn is_under_harness(&self) -> bool {
        let harness = self.workspace.release(harness::PACKAGE);
        self.variables.iter().any(|(_, value)| *value == harness)
    }

    fn run(&self, selection: &[&str]) -> Result<Tally> {
        let mut cargo = if process::answers(&mut self.workspace.cargo(&["nextest", "--version"])) {
            self.workspace.cargo(&["nextest", "run", "--no-fail-fast", "--no-tests=pass", "--release"])
        } else {
            self.workspace.cargo(&["test", "--no-fail-fast", "--release"])
        };
        cargo.args(selection).args(self.filter);
        cargo.env("STEPWELL_BIN", self.workspace.release("stepwell"));
        cargo.env("STEPWELL_SIM", self.workspace.release("stepwell-sim"));
        cargo.env("STEPWELL_HOME", self.home.name()).envs(self.variables.iter().cloned());
        counted(&mut cargo)
    }
}

/// Runs `command`, shows what it says, and adds up the summaries in it. A failure without a failed test is one.
pub(crate) fn counted(command: &mut Command) -> Result<Tally> {
    let mut running = Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
    let (out, err) = (running.child().stdout.take(), running.child().stderr.take());
    let (out, err) = (out.context("no output")?, err.context("no output")?);
    let mut tally = std::thread::scope(|scope| {
        let other = scope.spawn(|| shown_and_counted(err));
        let mut tally = shown_and_counted(out);
        tally.add(other.join().unwrap_or_default());
        tally
    });
    if !running.wait()?.success() && tally.is_clean() {
        tally.failed = 1;
    }
    Ok(tally)
}

fn shown_and_counted(pipe: impl Read) -> Tally {
    let mut tally = Tally::default();
    for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line);
        eprintln!("{line}");
        tally.add(Tally::of_line(&line).unwrap_or_default());
    }
    tally
}
