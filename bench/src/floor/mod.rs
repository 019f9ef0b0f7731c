//! The machine's floor: what the same disk, SQLite and HTTP do without a server.

mod disk;
mod http;
mod sqlite;

pub use http::echo_times;

use crate::process;
use crate::report::{Report, Row, Value};
use crate::scale::Scale;
use std::path::Path;
use std::time::Duration;

/// How long is looked at what other programs take.
const LISTENING_TIME: Duration = Duration::from_millis(500);
/// The part of the machine that they may take without spoiling the numbers.
const OTHERS_SHARE_MAX: f64 = 0.15;
/// What is said when they take more.
const BUSY: &str = "a busy machine: its waits are in every number and verdict";

/// What bars are ratios to.
#[derive(Debug, Clone, Copy)]
pub struct Floor {
    /// An append and its fdatasync.
    pub sync_p50: Duration,
    /// Raw HTTP calls a second over many connections.
    pub calls_per_second: f64,
    /// A raw HTTP call over one connection.
    pub call_p50: Duration,
}

/// Measures the floor in `folder` and at the app's port, and reports it.
///
/// # Errors
/// The disk, SQLite or the app failed.
pub async fn measure(scale: &Scale, folder: &Path, app_port: u16, report: &mut Report) -> anyhow::Result<Floor> {
    report.section("the machine's floor");
    report.progress("how busy the machine is");
    if let Some(used) = process::machine_use(LISTENING_TIME) {
        let row = Row::new("others", "CPU that other programs take, before the run", Value::Share(used));
        report.row(if used > OTHERS_SHARE_MAX { row.remark(BUSY) } else { row });
    }
    report.progress("the disk");
    let syncs = disk::sync_times(folder, scale.syncs)?;
    let sync_p50 = syncs.percentile(50)?;
    let row = Row::new("fdatasync", "append of 4 KiB and fdatasync, p50", Value::Time(sync_p50));
    report.row(row.p99(Value::Time(syncs.percentile(99)?)));

    report.progress("SQLite");
    let commits = sqlite::commits_per_second(folder, scale.rate_time)?;
    let label = "SQLite commits of one row (WAL, synchronous=FULL)";
    report.row(Row::new("sqlite-commits", label, Value::PerSecond(commits)));

    report.progress("raw HTTP calls");
    let calls_per_second = http::calls_per_second(app_port, scale.rate_time).await?;
    let label = format!("raw HTTP calls, {} connections", http::CONNECTIONS);
    report.row(Row::new("http-calls", label, Value::PerSecond(calls_per_second)));
    let calls = http::call_times(app_port, scale.replays.saturating_mul(5)).await?;
    let call_p50 = calls.percentile(50)?;
    let row = Row::new("http-call", "raw HTTP call, one connection, p50", Value::Time(call_p50));
    report.row(row.p99(Value::Time(calls.percentile(99)?)));
    Ok(Floor { sync_p50, calls_per_second, call_p50 })
}
