//! What the kernel knows of a process.

use anyhow::{Context, Result};
use std::time::Duration;

/// `sysconf(_SC_CLK_TCK)`: 100 on every Linux that there is.
const TICKS_PER_SECOND: f64 = 100.0;

/// The CPU time that a process has used so far, its children's not among it.
pub(crate) fn cpu(id: u32) -> Result<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat"))?;
    // The name, in parentheses, may hold spaces; utime and stime are the 12th and 13th fields after it.
    let (_, fields) = stat.rsplit_once(')').context("/proc/*/stat")?;
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Ok(Duration::from_secs_f64(ticks / TICKS_PER_SECOND))
}

/// Resident memory, in MiB.
pub(crate) fn resident_mib(id: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("VmRSS")?;
    let kib: f64 = line.split_whitespace().next().context("VmRSS")?.parse()?;
    Ok(kib / 1_024.0)
}
