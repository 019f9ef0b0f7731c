//! `stepwell-sim`: runs seeds, and tells the story of one that breaks a promise.

mod cli;

use anyhow::Result;
use std::process::ExitCode;

fn main() -> Result<ExitCode> {
    cli::run()
}
