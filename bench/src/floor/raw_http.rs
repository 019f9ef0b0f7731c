//! What a call costs where nobody decides or keeps anything: the same client, the same app, the same bytes.

use crate::app::{App, Function};
use crate::client::Client;
use crate::statistics::{Samples, rate};
use anyhow::Result;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Runs in flight, as when steps a second are measured.
pub(crate) const IN_FLIGHT: usize = 64;

/// A call's body without results, about.
const HEAD_BYTES: usize = 600;

/// One call after the other.
pub(crate) async fn times(client: &Client, app: &App, count: usize, body_bytes: usize) -> Result<Samples> {
    let (url, body) = (url(app), call_body(body_bytes));
    let mut times = Vec::new();
    for _ in 0..count {
        let start = Instant::now();
        client.post(&url, body.clone()).await?;
        times.push(start.elapsed());
    }
    Ok(Samples::of_times(times))
}

/// Calls a second with [`IN_FLIGHT`] at once.
pub(crate) async fn per_second(client: &Client, app: &App, time: Duration) -> Result<f64> {
    let (count, start) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let (client, url, body, count) = (client.clone(), url(app), call_body(0), Arc::clone(&count));
        callers.spawn(async move {
            while start.elapsed() < time {
                client.post(&url, body.clone()).await?;
                count.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        });
    }
    while let Some(ended) = callers.join_next().await {
        ended??;
    }
    Ok(rate(count.load(Ordering::Relaxed), start.elapsed()))
}

fn url(app: &App) -> String {
    format!("{}?fnId={}&stepId=step", app.url, Function::Steps.slug())
}

/// A call as the server sends it, of a run without a key, filled up to so many bytes with results.
fn call_body(bytes: usize) -> String {
    let mut steps = String::new();
    for number in 0_usize.. {
        if steps.len().saturating_add(HEAD_BYTES) >= bytes {
            break;
        }
        steps.push_str(if number == 0 { "" } else { "," });
        steps.push_str(&format!(r#""{number:040x}":{{"data":{{"number":{number}}}}}"#));
    }
    format!(
        r#"{{"ctx":{{"attempt":0,"disable_immediate_execution":false,"env":"","fn_id":"9055e761-5dc4-5117-9ef7-9c39bfa544e9","generation_id":1,"job_id":"18362esmcbvex","max_attempts":1,"qi_id":"MTgzNjJlc21jYnZleDo6ZGVmYXVsdA==","request_id":"01M80QHA026DF5Z545E9JKQADN","run_id":"01M80QH4H0MGD0SY7FMMT6XZ3D","stack":{{"current":0,"stack":[]}},"step_id":"step","use_api":false}},"defers":{{}},"event":{{"data":{{"steps":1}},"id":"01M80QH4AVVF2J8FK8CEA66WNZ","name":"bench/steps","ts":1795321008475,"user":{{}}}},"events":[],"steps":{{{steps}}},"use_api":false,"version":-1}}"#
    )
}
