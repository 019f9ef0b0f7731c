//! What is measured, one file each.

mod checkpoint;
mod crons;
mod first_call;
mod ingest;
mod invoke;
mod limits;
mod memoized;
mod sleeps;
pub mod start;
mod steps;
mod throughput;
mod waits;

use crate::args::Phase;
use crate::bench::Bench;

/// Measures `phase` and reports it.
///
/// # Errors
/// The server refused, or did what it must not do.
pub async fn run(phase: Phase, bench: &mut Bench) -> anyhow::Result<()> {
    match phase {
        // Measured before the server is in use.
        Phase::Start => Ok(()),
        Phase::FirstCall => first_call::run(bench).await,
        Phase::Steps => steps::run(bench).await,
        Phase::Throughput => throughput::run(bench).await,
        Phase::Ingest => ingest::run(bench).await,
        Phase::Sleeps => sleeps::run(bench).await,
        Phase::Memoized => memoized::run(bench).await,
        Phase::Checkpoint => checkpoint::run(bench).await,
        Phase::Invoke => invoke::run(bench).await,
        Phase::Crons => crons::run(bench).await,
        Phase::Waits => waits::run(bench).await,
        Phase::Limits => limits::run(bench).await,
    }
}
