//! Many sleeps that are due at the same moment.

use super::{Bench, runs};
use crate::app::Function;
use crate::server::Server;
use crate::statistics::Samples;
use crate::table::{Bar, Table};
use anyhow::{Context, Result};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};
use std::time::Duration;

const PART: &str = "sleeps due at once";
const SLEEPS: usize = 1_000;
const EVENTS_PER_REQUEST: usize = 100;
/// Long enough that every run is asleep when the time comes.
const AHEAD: TimeDelta = TimeDelta::seconds(6);
/// The bar.
const LATENESS_P99_MAX_MS: f64 = 50.0;

/// Lateness is from the due time to the moment that the journal gives for the wake; the calls that follow take their turn.
pub(super) async fn measure(bench: &Bench, server: &Server, table: &mut Table) -> Result<()> {
    let count = bench.count(SLEEPS);
    let due = Utc::now() + AHEAD;
    let until = due.to_rfc3339_opts(SecondsFormat::Millis, true);
    let (mut events, mut records) = (Vec::new(), Vec::new());
    for _ in 0..count {
        let (key, record) = bench.app.notebook.expect();
        events.push(json!({ "name": Function::Sleep.event(), "data": { "key": key, "until": until } }));
        records.push(record);
    }
    for events in events.chunks(EVENTS_PER_REQUEST) {
        server.send(&Value::from(events)).await?;
    }
    let (mut called, mut woken) = (Vec::new(), Vec::new());
    for record in records {
        let record = runs::over(record).await?;
        let call = record.calls.get(1).context("a run that did not wake")?;
        let ago = TimeDelta::from_std(call.arrived.elapsed())?;
        called.push(late(due, Utc::now() - ago));
        woken.push(late(due, woken_at(server, &record.run_id).await?));
    }
    let (called, woken) = (Samples::new(called), Samples::new(woken));
    table.row(PART, format!("{count} sleeps: lateness of the wake, p50"), woken.p50(), "ms");
    let bar = Bar::at_most(LATENESS_P99_MAX_MS, "nobody notices");
    table.bar(PART, format!("{count} sleeps: lateness of the wake, p99"), woken.p99(), "ms", bar);
    table.row(PART, "lateness of the call at the app, p50", called.p50(), "ms");
    table.row(PART, "lateness of the call at the app, p99", called.p99(), "ms");
    Ok(())
}

/// Milliseconds; less than none where it was early.
fn late(due: DateTime<Utc>, at: DateTime<Utc>) -> f64 {
    let late = at.signed_duration_since(due);
    late.to_std().map_or_else(|_| -milliseconds(late.abs()), |_| milliseconds(late))
}

fn milliseconds(span: TimeDelta) -> f64 {
    span.to_std().as_ref().map_or(f64::NAN, Duration::as_secs_f64) * 1_000.0
}

async fn woken_at(server: &Server, run_id: &str) -> Result<DateTime<Utc>> {
    let journal = server.get(&format!("/v1/runs/{run_id}/journal")).await?;
    let rows = journal.get("data").and_then(Value::as_array).context("a journal")?;
    let woken = rows.iter().find(|row| row.pointer("/entry/Woken").is_some()).context("no wake in the journal")?;
    let at_ms = woken.get("at_ms").and_then(Value::as_i64).context("a row without time")?;
    DateTime::from_timestamp_millis(at_ms).context("a time out of range")
}
