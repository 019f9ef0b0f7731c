//! What a run does of admission: that it was skipped, that another takes its place, and that its singleton's gate hears of its end.

use crate::driver::Driver;
use serde_json::{Value, json};
use stepwell_engine::ids::RunId;
use stepwell_engine::run::message::{Skip, Start, Tell};

const GATE: &str = "singleton/x/app-fn";

fn another() -> RunId {
    RunId::parse("01BX5ZZKBKACTAV9WEVGEMMVS0").unwrap()
}

/// The messages of a kind since last time.
fn told(run: &mut Driver, to: &str) -> Vec<Value> {
    let sends = std::mem::take(&mut run.sends);
    sends.into_iter().filter(|(told, _)| told == to).map(|(_, tell)| tell).collect()
}

fn last_entry(run: &Driver) -> Value {
    let row: Value = serde_json::from_slice(run.rows.values().next_back().unwrap()).unwrap();
    row["entry"].clone()
}

fn begun(change: impl FnOnce(&mut Start)) -> Driver {
    let mut run = Driver::idle(4);
    run.begin_later(change);
    run
}

#[test]
fn a_skipped_run_is_recorded_and_makes_no_call_and_no_events() {
    let other = another();
    for (skip, reason) in [
        (Skip::Paused, "the function is paused".to_owned()),
        (Skip::Draining, "the function is draining".to_owned()),
        (Skip::Singleton { run: other }, format!("there is one at a time, and the run {other} is there")),
    ] {
        let mut run = begun(|start| start.skip = Some(skip));
        run.no_calls();
        assert_eq!(run.journal(), ["Started", "Skipped"]);
        let summary = run.summary();
        assert_eq!((&summary["status"], &summary["skip_reason"]), (&json!("Skipped"), &json!(reason)));
        assert!(summary["ended_at"].is_string() && summary["output"].is_null());
        let sends = std::mem::take(&mut run.sends);
        let kinds: Vec<&str> = sends.iter().map(|(to, _)| to.as_str()).collect();
        assert_eq!(kinds, ["History"], "{sends:?}");
        assert_eq!(sends[0].1["Ended"]["status"], "Skipped");
        assert!(run.wake_at.is_none() && !run.owing);
    }
}

#[test]
fn whoever_invoked_a_skipped_run_is_told_why() {
    let invoker = another();
    let event = json!({
        "name": "inngest/function.invoked", "data": {"_inngest": {"correlation_id": format!("{invoker}.s"), "fn_id": "app-fn"}}
    });
    let mut run = begun(|start| {
        start.events = vec![serde_json::value::to_raw_value(&event).unwrap()];
        start.skip = Some(Skip::Draining);
    });
    let returned = told(&mut run, "Run").pop().unwrap();
    let error = &returned["Returned"]["returned"]["Error"];
    assert_eq!(error["name"], "InvokedFunctionSkipped");
    assert!(error["message"].as_str().unwrap().ends_with("was skipped: the function is draining."), "{error}");
}

#[test]
fn the_gate_of_a_singleton_hears_of_the_end_and_again_where_it_begins_what_is_over() {
    let mut run = begun(|start| start.singleton = Some(GATE.to_owned()));
    let start = run.start();
    run.tell(&Tell::Start(start.clone()));
    assert!(told(&mut run, "Gate").is_empty(), "it is not over");
    let call = run.call();
    run.returns(&call, &json!(1));
    let over = json!({"Over": {"run": start.run}});
    assert_eq!(told(&mut run, "Gate"), std::slice::from_ref(&over));
    run.tell(&Tell::Start(start));
    assert_eq!(told(&mut run, "Gate"), std::slice::from_ref(&over));
    run.crash();
    assert_eq!(told(&mut run, "Gate"), [over]);
}

#[test]
fn a_run_makes_room_for_another_and_tells_who_it_was() {
    let mut run = begun(|start| start.singleton = Some(GATE.to_owned()));
    let by = another();
    run.tell(&Tell::Displaced { by });
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(last_entry(&run)["Cancelled"]["by"], json!({"Singleton": by}));
    assert_eq!(told(&mut run, "Gate").len(), 1);
    run.tell(&Tell::Displaced { by });
    assert_eq!(run.journal().len(), 2);
}

#[test]
fn who_is_to_make_room_and_is_not_there_yet_is_told_again_by_the_gate() {
    let mut run = Driver::idle(4);
    run.tell(&Tell::Displaced { by: another() });
    assert!(run.sends.is_empty() && run.rows.is_empty());
}

/// A run of a function with this flow control, a minute after its event.
fn late(flow: &Value) -> Driver {
    let mut run = Driver::idle(4);
    for function in run.catalog.functions.values_mut() {
        function.flow = serde_json::from_value(flow.clone()).unwrap();
    }
    run.now += 60_000;
    run
}

#[test]
fn a_batch_has_waited_before_it_was_a_run() {
    for is_batch in [false, true] {
        let mut run = late(&json!({"timeouts": {"start": 1_000}}));
        run.begin_later(|start| {
            start.is_batch = is_batch;
            start.received_at = Some(stepwell_engine::ids::Millis(1_700_000_000_000));
        });
        assert_eq!(run.status() == "Cancelled", !is_batch);
        assert_eq!(run.summary()["event_ids"].as_array().map(Vec::len), is_batch.then_some(1));
    }
}

#[test]
fn a_batch_has_to_end_in_time_as_any_run() {
    let mut run = late(&json!({"timeouts": {"finish": 1_000}}));
    run.begin(|start| {
        start.is_batch = true;
        start.received_at = Some(stepwell_engine::ids::Millis(1_700_000_000_000));
    });
    assert_eq!(run.status(), "Running", "its time is counted from its beginning");
    run.now += 1_000;
    run.turn(stepwell_engine::turn::Message::Wake);
    assert_eq!(run.status(), "Cancelled");
}
