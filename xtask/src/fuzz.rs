//! `cargo xtask fuzz`: the property tests of what users write, over and over, with numbers that nobody has drawn before.

use crate::workspace::Workspace;
use crate::{process, progress};
use anyhow::Result;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Cases of each property in one round.
const CASES: &str = "50000";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How long; the round that is under way then is finished
    #[arg(long, default_value_t = 10)]
    minutes: u64,
}

pub(crate) fn run(workspace: &Workspace, arguments: &Arguments) -> Result<ExitCode> {
    let (begun, span) = (Instant::now(), Duration::from_secs(arguments.minutes.saturating_mul(60)));
    let mut rounds = 0_u32;
    while rounds == 0 || begun.elapsed() < span {
        let mut cargo =
            workspace.cargo(&["test", "--release", "--package", "stepwell-engine", "--test", "expressions"]);
        process::run(cargo.env("PROPTEST_CASES", CASES))?;
        rounds = rounds.saturating_add(1);
        progress::note(&format!("{rounds} times {CASES} cases of each property hold"));
    }
    Ok(ExitCode::SUCCESS)
}
