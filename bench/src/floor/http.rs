//! What HTTP alone does between the client and the app of this crate.

use crate::app::path;
use crate::client::Connection;
use crate::samples::{Samples, rate};
use hyper::body::Bytes;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// As many as runs are in flight when steps a second are measured.
pub const CONNECTIONS: usize = 64;

/// The first call of a run of one step, as a server would make it (PROTOCOL §3.2).
const CALL: &str = r#"{"ctx":{"attempt":0,"disable_immediate_execution":false,"env":"","fn_id":"9055e761-5dc4-5117-9ef7-9c39bfa544e9","generation_id":1,"job_id":"18362esmcbvex","max_attempts":5,"qi_id":"MTgzNjJlc21jYnZleDo6ZGVmYXVsdA==","request_id":"01M80QHA026DF5Z545E9JKQADN","run_id":"01M80QH4H0MGD0SY7FMMT6XZ3D","stack":{"current":0,"stack":[]},"step_id":"step","use_api":false},"defers":{},"event":{"data":{"key":1,"steps":1},"id":"01M80QH4AVVF2J8FK8CEA66WNZ","name":"bench/steps","ts":1795321008475,"user":{}},"events":[{"data":{"key":1,"steps":1},"id":"01M80QH4AVVF2J8FK8CEA66WNZ","name":"bench/steps","ts":1795321008475,"user":{}}],"steps":{},"use_api":false,"version":-1}"#;

/// Calls a second that the app answers over [`CONNECTIONS`] connections.
///
/// # Errors
/// A call failed.
pub async fn calls_per_second(app_port: u16, time: Duration) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut lanes = JoinSet::new();
    for _ in 0..CONNECTIONS {
        lanes.spawn(async move {
            let (mut connection, path) = (Connection::open(app_port).await?, path("raw"));
            let mut calls = 0_usize;
            while began.elapsed() < time {
                connection.call(&path, Bytes::from_static(CALL.as_bytes())).await?;
                calls = calls.saturating_add(1);
            }
            anyhow::Ok(calls)
        });
    }
    let mut calls = 0_usize;
    while let Some(lane) = lanes.join_next().await {
        calls = calls.saturating_add(lane??);
    }
    Ok(rate(calls, began.elapsed()))
}

/// Round trips of a call that the app answers as it answers a server, one after another.
///
/// # Errors
/// A call failed.
pub async fn call_times(app_port: u16, times: usize) -> anyhow::Result<Samples> {
    round_trips(app_port, &path("raw"), &Bytes::from_static(CALL.as_bytes()), times).await
}

/// Round trips of a call with `body` that the app answers without reading it: the transport alone.
///
/// # Errors
/// A call failed.
pub async fn echo_times(app_port: u16, body: &Bytes, times: usize) -> anyhow::Result<Samples> {
    round_trips(app_port, &path("echo"), body, times).await
}

async fn round_trips(app_port: u16, path: &str, body: &Bytes, times: usize) -> anyhow::Result<Samples> {
    let mut connection = Connection::open(app_port).await?;
    let mut samples = Samples::default();
    for _ in 0..times {
        let began = Instant::now();
        connection.call(path, body.clone()).await?;
        samples.add(began.elapsed());
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::App;

    #[tokio::test]
    async fn raw_calls_are_counted_and_timed() {
        let app = App::start().unwrap();
        assert!(calls_per_second(app.port, Duration::from_millis(50)).await.unwrap() > 0.0);
        assert_eq!(call_times(app.port, 5).await.unwrap().len(), 5);
    }
}
