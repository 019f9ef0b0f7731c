//! From an event to the call of the run that waited for it, with few and with many runs that wait for others of its name.

use crate::bench::Bench;
use crate::client::{Connection, text};
use crate::events::{self, Data};
use crate::report::{Bar, Row, Value};
use crate::samples::Samples;
use hyper::StatusCode;
use std::time::{Duration, Instant};

/// Events of a request.
const PER_REQUEST: usize = 100;
/// Requests whose runs are on their way to their waits.
const REQUESTS_AHEAD: usize = 4;
/// How much dearer an event may be that meets many waits than one that meets few.
const RATIO_MAX: f64 = 1.5;
/// How long the server may put away a finished run before the next event comes.
const PAUSE: Duration = Duration::from_millis(2);
/// Connections over which the server is asked whether waits are recorded.
const ASKERS: usize = 4;
/// How long an event may take to wake its run before nothing will.
const WAKE_TIME_MAX: Duration = Duration::from_secs(10);

/// Starts runs that wait, each for a key of its own, and at each count of them wakes some one by one.
///
/// # Errors
/// The server woke another run than was meant, or none.
pub async fn run(bench: &mut Bench) -> anyhow::Result<()> {
    let mut waiting: Vec<u64> = Vec::new();
    let mut first = None;
    for count in bench.scale.waits {
        bench.report.progress(&format!("{count} waits"));
        wait(bench, &mut waiting, count).await?;
        let mut samples = Samples::default();
        let mut connection = bench.connect().await?;
        for place in 0..bench.scale.wakes.min(count.div_euclid(2)) {
            // All over the keys, so that what was just used helps nobody.
            let place = place.saturating_mul(7_919).checked_rem(waiting.len()).unwrap_or(0);
            let key = waiting.swap_remove(place);
            let sent = Instant::now();
            events::send(&mut connection, "bench/wake", &[Data { key, ..Data::default() }]).await?;
            let woken = tokio::time::timeout(WAKE_TIME_MAX, bench.app.segment()).await;
            let woken = woken.map_err(|_| anyhow::anyhow!("the event for {key} woke nobody"))??;
            anyhow::ensure!(woken.key == key, "the event for {key} woke {}", woken.key);
            let call = woken.first()?;
            anyhow::ensure!(call.step == 1, "a run went on before its wait was over");
            samples.add(call.arrived.saturating_duration_since(sent));
            tokio::time::sleep(PAUSE).await;
        }
        let p50 = samples.percentile(50)?;
        let mut row =
            Row::new(format!("wait-{count}"), format!("event to resumed call, {count} waiting, p50"), Value::Time(p50));
        row = row.p99(Value::Time(samples.percentile(99)?));
        if let Some(first) = first.replace(first.unwrap_or(p50)) {
            let ratio = Value::Times(p50.as_secs_f64() / first.as_secs_f64());
            row = row.bar(Bar::at_most(ratio, Value::Times(RATIO_MAX), "against the fewest"));
        }
        bench.report.row(row);
    }
    Ok(())
}

/// Lets so many runs wait altogether, and makes sure that they do: an event that is accepted before its wait is recorded is rightly
/// missed.
async fn wait(bench: &mut Bench, waiting: &mut Vec<u64>, count: usize) -> anyhow::Result<()> {
    let mut connection = bench.connect().await?;
    let (mut on_their_way, mut runs) = (0_usize, Vec::new());
    while waiting.len() < count || on_their_way > 0 {
        let missing = count.saturating_sub(waiting.len().saturating_add(on_their_way));
        if missing > 0 && on_their_way <= PER_REQUEST.saturating_mul(REQUESTS_AHEAD) {
            let data: Vec<Data> = (0..missing.min(PER_REQUEST)).map(|_| bench.data(0)).collect();
            events::send(&mut connection, "bench/wait", &data).await?;
            on_their_way = on_their_way.saturating_add(data.len());
            continue;
        }
        let answered = bench.app.segment().await?;
        waiting.push(answered.key);
        runs.push(answered.run);
        on_their_way = on_their_way.saturating_sub(1);
    }
    let share = runs.len().div_ceil(ASKERS).max(1);
    let mut askers = tokio::task::JoinSet::new();
    for share in runs.chunks(share) {
        let (mut connection, share) = (bench.connect().await?, share.to_vec());
        askers.spawn(async move {
            for run in share {
                is_recorded(&mut connection, &run).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(asked) = askers.join_next().await {
        asked??;
    }
    Ok(())
}

/// Returns once the run's journal has the answer by which it waits.
async fn is_recorded(connection: &mut Connection, run: &str) -> anyhow::Result<()> {
    let wait_ms = WAKE_TIME_MAX.as_millis();
    let (status, timeline) = connection.get(&format!("/v1/runs/{run}/timeline?after=1&wait_ms={wait_ms}")).await?;
    anyhow::ensure!(status == StatusCode::OK, "the server answered {status}: {}", text(&timeline));
    let told: serde_json::Value = serde_json::from_slice(&timeline)?;
    let status = told.pointer("/data/steps/0/status").and_then(serde_json::Value::as_str);
    anyhow::ensure!(status == Some("waiting"), "{run} does not wait: {}", text(&timeline));
    Ok(())
}
