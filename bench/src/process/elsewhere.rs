//! Systems without /proc.

use super::Shares;
use std::time::Duration;

/// Not known.
pub fn cpu_time(_pid: u32) -> Option<Duration> {
    None
}

/// Not known.
pub fn resident_megabytes(_pid: u32) -> Option<f64> {
    None
}

/// Not known.
pub fn thread_times(_pid: u32) -> Vec<(String, Duration)> {
    Vec::new()
}

/// Not known.
pub fn machine_use(_time: Duration) -> Option<f64> {
    None
}

/// Nothing.
pub struct Sampling;

impl Sampling {
    /// Not possible.
    ///
    /// # Errors
    /// Always.
    pub fn start(_pid: u32) -> anyhow::Result<Self> {
        anyhow::bail!("only on Linux")
    }

    /// Not known.
    ///
    /// # Errors
    /// Always.
    pub fn finish(self) -> anyhow::Result<Shares> {
        anyhow::bail!("only on Linux")
    }
}
