//! What stops a run.

use crate::driver::{Driver, ran, sleep};
use serde_json::{Value, json};
use stepwell_engine::ids::{EventId, Millis};
use stepwell_engine::run::message::Tell;

/// A run of a function with this flow control.
fn with(flow: &Value) -> Driver {
    let mut run = Driver::idle(4);
    for function in run.catalog.functions.values_mut() {
        function.flow = serde_json::from_value(flow.clone()).unwrap();
    }
    run
}

fn by(run: &Driver) -> Value {
    let last: Value = serde_json::from_slice(run.rows.values().last().unwrap()).unwrap();
    last["entry"]["Cancelled"]["by"].clone()
}

#[test]
fn events_of_cancel_on_are_watched_from_the_trigger_on_until_the_end() {
    let mut run = with(&json!({"cancel": [
        {"event": "t/stop", "if": "event.data.n == async.data.n"},
        {"event": "t/halt", "until": {"After": 60_000}},
        {"event": "t/past", "until": {"At": 1}},
    ]}));
    let call = run.begin(|start| start.received_at = Some(Millis(1_699_999_999_990)));
    let registers: Vec<Value> = run.sends.iter().filter_map(|(_, tell)| tell.get("Register")).cloned().collect();
    assert_eq!(registers.len(), 2, "what is over already is not watched");
    assert_eq!(registers[0]["since"]["at"], 1_699_999_999_990_u64);
    assert_eq!(registers[0]["own"], json!({"data": {"n": 1}}));
    assert_eq!(registers[1]["expires_at"], run.now + 60_000);
    run.evict();
    let event = EventId::new(Millis(run.now), 3);
    run.tell(&Tell::CancelledBy { event });
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(by(&run), json!({"Event": event}));
    let removed = run.sends.iter().filter(|(_, tell)| tell.get("Remove").is_some()).count();
    assert_eq!(removed, 2);
    // What is in flight comes to nothing, and neither does another event.
    run.returns(&call, &json!(1));
    run.tell(&Tell::CancelledBy { event });
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.journal(), ["Started", "Cancelled"]);
    let events: Vec<Value> = run.events().into_iter().map(|event| event["name"].clone()).collect();
    assert_eq!(events, ["inngest/function.finished", "inngest/function.cancelled"]);
}

#[test]
fn a_run_that_begins_too_late_is_never_called() {
    for (late, cancelled) in [(10_000, false), (10_001, true)] {
        let mut run = with(&json!({"timeouts": {"start": 10_000}}));
        let received_at = run.now - late;
        run.begin_later(|start| start.received_at = Some(Millis(received_at)));
        assert_eq!(run.status() == "Cancelled", cancelled, "{late}");
        assert_eq!(run.calls().is_empty(), cancelled);
    }
    // An event of the future is not late because of that.
    let mut run = with(&json!({"timeouts": {"start": 10_000}}));
    let received_at = run.now - 60_000;
    let not_before = run.now - 10;
    run.begin(|start| {
        start.received_at = Some(Millis(received_at));
        start.not_before = Some(Millis(not_before));
    });
}

#[test]
fn a_run_that_has_not_ended_in_time_is_cancelled() {
    let mut run = with(&json!({"timeouts": {"finish": 30_000}}));
    let call = run.begin(|_| {});
    run.ops(&call, &json!([sleep("s", "1h")]));
    assert_eq!(run.wake_at, Some(run.now + 30_000));
    run.pass(29_999);
    assert_eq!(run.status(), "Running");
    run.now += 1;
    run.turn(stepwell_engine::turn::Message::Wake);
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(by(&run), "FinishTimeout");
    assert_eq!(run.wake_at, None);
}

#[test]
fn an_answer_that_comes_after_the_time_does_not_turn_the_status_back() {
    let mut run = with(&json!({"timeouts": {"finish": 1_000}}));
    let call = run.begin(|_| {});
    run.now += 2_000;
    run.returns(&call, &json!(1));
    assert_eq!(run.status(), "Cancelled");
}

#[test]
fn a_checkpoint_that_comes_after_the_time_saves_nothing() {
    let mut run = with(&json!({"timeouts": {"finish": 1_000}}));
    let call = run.begin(|_| {});
    run.now += 999;
    assert_eq!(run.checkpoint(&call, &json!([ran("a", 1)])), json!({"Ok": null}));
    run.now += 1;
    assert_eq!(run.checkpoint(&call, &json!([ran("b", 1)]))["Err"]["code"], "checkpoint_stale");
    assert_eq!(run.journal(), ["Started", "Checkpointed", "Cancelled"]);
    assert_eq!(by(&run), "FinishTimeout");
}

#[test]
fn a_timeout_that_a_deploy_took_away_stops_nobody() {
    let mut run = with(&json!({"timeouts": {"finish": 1_000}}));
    let call = run.begin(|_| {});
    for function in run.catalog.functions.values_mut() {
        function.flow = Default::default();
    }
    run.now += 2_000;
    run.returns(&call, &json!(1));
    assert_eq!(run.status(), "Completed");
}
