//! The app against a client that plays the server.

use super::*;
use crate::client::Connection;

fn call(key: u64, steps_wanted: usize, done: usize) -> Bytes {
    let ids: Vec<String> = (0..done).map(ops::step_id).collect();
    let memo: serde_json::Map<String, serde_json::Value> =
        ids.iter().map(|id| (id.clone(), serde_json::json!({"data": {"n": 1}}))).collect();
    serde_json::json!({
        "ctx": {"run_id": "01M80QH4H0MGD0SY7FMMT6XZ3D", "stack": {"stack": ids, "current": done}},
        "event": {"name": "bench/steps", "data": {"key": key, "steps": steps_wanted, "keep": 1}},
        "steps": memo, "version": 2,
    })
    .to_string()
    .into()
}

#[tokio::test]
async fn a_run_of_two_steps_is_told_when_it_has_ended() {
    let mut app = App::start().unwrap();
    let mut server = Connection::open(app.port).await.unwrap();
    for done in 0..2 {
        server.call(&path("steps"), call(9, 2, done)).await.unwrap();
    }
    let ended = server.call(&path("steps"), call(9, 2, 2)).await.unwrap_err();
    assert!(ended.to_string().contains("200"), "the last answer is the result: {ended}");
    let segment = app.segment().await.unwrap();
    assert_eq!(segment.visits.iter().map(|visit| visit.step).collect::<Vec<_>>(), [0, 1, 2]);
    segment.ensure_in_order().unwrap();
    let kept: Vec<bool> = segment.visits.iter().map(|visit| !visit.body.is_empty()).collect();
    assert_eq!(kept, [false, true, false]);
}

#[tokio::test]
async fn raw_calls_leave_no_trace_and_garbage_fails_the_measurement() {
    let mut app = App::start().unwrap();
    let mut server = Connection::open(app.port).await.unwrap();
    server.call(&path("raw"), call(1, 5, 0)).await.unwrap();
    server.call(&path("echo"), Bytes::from_static(b"anything")).await.unwrap();
    assert!(server.call(&path("steps"), Bytes::from_static(b"garbage")).await.is_err());
    assert!(app.segment().await.is_err());
}
