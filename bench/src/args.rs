//! The command line.

use clap::{Parser, ValueEnum};
use std::path::PathBuf;

/// Measures a stepwell server against the floor of this machine. The exit code is 1 when a bar fails.
#[derive(Debug, Parser)]
#[command(name = "stepwell-bench", version)]
pub struct Args {
    /// The release build of the server.
    #[arg(long, env = "STEPWELL_BIN", value_name = "PATH")]
    pub server_binary: PathBuf,
    /// Measures for a shorter time: numbers are noisier.
    #[arg(long)]
    pub quick: bool,
    /// Also writes the table as JSON.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Measures only this, besides the floor; may be given several times.
    #[arg(long, value_name = "NAME")]
    pub only: Vec<Phase>,
    /// Where the server's data lies while it is measured: a folder on the disk to measure. Default: beside the binary.
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Measures the application of this spin.toml instead, once with each of its stores, and against no bars.
    #[arg(long, value_name = "SPIN.TOML", requires = "spin_program")]
    pub spin_manifest: Option<PathBuf>,
    /// What runs it: `spin`, or the harness that stands for it.
    #[arg(long, value_name = "PATH")]
    pub spin_program: Option<PathBuf>,
}

impl Args {
    /// Whether `phase` is to be measured.
    pub fn wants(&self, phase: Phase) -> bool {
        let is_long = self.quick && phase == Phase::Crons;
        (self.only.is_empty() && !is_long) || self.only.contains(&phase)
    }
}

/// What is measured besides the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Phase {
    /// Start to healthy, idle memory, size of the binary.
    Start,
    /// Event to first call.
    FirstCall,
    /// Overhead of sequential steps.
    Steps,
    /// Steps a second with many runs in flight, and what they cost the server.
    Throughput,
    /// Events a second.
    Ingest,
    /// Lateness of sleeps.
    Sleeps,
    /// The cost of a step after many others.
    Memoized,
    /// Steps reported by checkpoint.
    Checkpoint,
    /// One function invokes another.
    Invoke,
    /// Lateness of schedules: waits for the next minute, so not with `--quick` unless it is named.
    Crons,
    /// Events that resume waiting runs.
    Waits,
    /// Runs under limits: what a slot costs, and how soon a free one is taken.
    Limits,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_measured_unless_something_is_named() {
        let all = Args::try_parse_from(["bench", "--server-binary", "s"]).unwrap();
        assert!(all.wants(Phase::Sleeps) && all.wants(Phase::Start));
        let some = Args::try_parse_from(["bench", "--server-binary", "s", "--only", "sleeps", "--only", "first-call"])
            .unwrap();
        assert!(some.wants(Phase::Sleeps) && some.wants(Phase::FirstCall) && !some.wants(Phase::Start));
    }
}
