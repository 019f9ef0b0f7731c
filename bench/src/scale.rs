//! How much is measured: enough for steady percentiles in 90 seconds, or less in 30.

use std::time::Duration;

/// Sizes of the measurements.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// How long a rate is measured.
    pub rate_time: Duration,
    /// How long the rate of steps is measured, the main number.
    pub throughput_time: Duration,
    /// How long the throughput runs before it counts.
    pub warm_up_time: Duration,
    /// fdatasyncs of the floor.
    pub syncs: usize,
    /// Warm starts of the server.
    pub starts: usize,
    /// Events whose first call is awaited.
    pub first_calls: usize,
    /// Runs of ten steps, one at a time.
    pub sequential_runs: usize,
    /// How long before they are due the sleeps are set.
    pub sleeps_ahead: Duration,
    /// Runs for the cost of a step with 10, 100 and 1,000 memoized steps.
    pub memoized_runs: [usize; 3],
    /// Raw calls that repeat a call of the server.
    pub replays: usize,
    /// Steps of the run that reports by checkpoint.
    pub checkpoints: usize,
    /// Runs that wait, the fewest first.
    pub waits: [usize; 4],
    /// Of those, how many are woken at each count.
    pub wakes: usize,
    /// Runs that are queued behind a limit.
    pub queued: usize,
    /// Values of a key that are in use at once, the fewest first.
    pub keys: [usize; 3],
}

impl Scale {
    /// The whole measurement.
    pub const FULL: Self = Self {
        rate_time: Duration::from_secs(3),
        throughput_time: Duration::from_secs(8),
        warm_up_time: Duration::from_secs(2),
        syncs: 1_000,
        starts: 7,
        first_calls: 400,
        sequential_runs: 100,
        sleeps_ahead: Duration::from_secs(4),
        memoized_runs: [40, 6, 3],
        replays: 400,
        checkpoints: 500,
        waits: [100, 500, 10_000, 100_000],
        wakes: 300,
        queued: 10_000,
        keys: [100, 10_000, 100_000],
    };
    /// The short one.
    pub const QUICK: Self = Self {
        rate_time: Duration::from_secs(1),
        throughput_time: Duration::from_secs(3),
        warm_up_time: Duration::from_millis(500),
        syncs: 300,
        starts: 3,
        first_calls: 100,
        sequential_runs: 30,
        sleeps_ahead: Duration::from_millis(2_500),
        memoized_runs: [15, 2, 1],
        replays: 100,
        checkpoints: 100,
        waits: [100, 500, 2_000, 10_000],
        wakes: 100,
        queued: 2_000,
        keys: [100, 1_000, 5_000],
    };

    /// The scale that the command line asks for.
    pub fn of(quick: bool) -> Self {
        if quick { Self::QUICK } else { Self::FULL }
    }
}
