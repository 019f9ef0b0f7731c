//! Steps one after another.

use crate::driver::{Driver, ran};
use serde_json::json;
use stepwell_engine::run::message::Ask;

#[test]
fn a_function_without_steps_completes_with_its_value() {
    let (mut run, call) = Driver::started();
    assert_eq!(run.status(), "Running");
    run.returns(&call, &json!({"a": 1}));
    run.no_calls();
    assert_eq!(run.status(), "Completed");
    assert_eq!(run.summary()["output"], json!({"a": 1}));
    assert_eq!(run.journal(), ["Started", "Answered"]);
    assert_eq!((run.wake_at, run.owing), (None, false));
}

#[test]
fn each_step_costs_one_row_and_is_sent_back_memoized() {
    let (mut run, call) = Driver::started();
    assert_eq!((call.step(), call.stack(), &call.body["version"]), ("step", vec![], &json!(-1)));
    run.ops(&call, &json!([ran("a", json!({"x": 1}))]));
    let call = run.call();
    assert_eq!(call.stack(), ["a"]);
    assert_eq!(call.ctx("stack")["current"], json!(1));
    assert_eq!(call.body["steps"], json!({"a": {"data": {"x": 1}}}));
    assert_eq!(call.body["version"], json!(2));
    run.ops(&call, &json!([ran("b", json!(null))]));
    let call = run.call();
    assert_eq!(call.body["steps"], json!({"a": {"data": {"x": 1}}, "b": {"data": null}}));
    assert_eq!(run.status(), "Running");
    run.returns(&call, &json!("done"));
    assert_eq!(run.journal(), ["Started", "Answered", "Answered", "Answered"]);
}

#[test]
fn a_run_starts_once_however_often_it_is_told() {
    let (mut run, call) = Driver::started();
    run.tell_start();
    run.no_calls();
    assert!(run.owing);
    run.returns(&call, &json!(1));
    run.tell_start();
    run.no_calls();
    assert_eq!(run.journal(), ["Started", "Answered"]);
}

#[test]
fn an_answer_that_comes_twice_counts_once() {
    let (mut run, first) = Driver::started();
    run.ops(&first, &json!([ran("a", 1)]));
    let second = run.call();
    run.ops(&first, &json!([ran("a", 2)]));
    run.no_calls();
    run.ops(&second, &json!([ran("b", 2)]));
    assert_eq!(run.call().body["steps"], json!({"a": {"data": 1}, "b": {"data": 2}}));
}

#[test]
fn the_first_result_of_a_step_wins() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1)]));
    let call = run.call();
    run.ops(&call, &json!([ran("a", 2)]));
    let call = run.call();
    assert_eq!(call.body["steps"], json!({"a": {"data": 1}}));
    assert_eq!(call.stack(), ["a"]);
}

#[test]
fn a_step_in_stored_form_is_fed_back_verbatim() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([{"id": "a", "op": "Step", "data": {"data": 7}}]));
    assert_eq!(run.call().body["steps"], json!({"a": {"data": 7}}));
}

#[test]
fn ops_may_come_as_one_object() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &ran("a", 1));
    assert_eq!(run.call().stack(), ["a"]);
}

#[test]
fn payloads_travel_as_the_bytes_that_came() {
    let (mut run, call) = Driver::started();
    let body = br#"[{"id":"a","op":"StepRun","data":{"z":1.50,"a": 1e2,"big":12345678901234567890}}]"#.to_vec();
    let headers = vec![("x-inngest-sdk".to_owned(), "go".to_owned())];
    run.answer_raw(&call, Ok(stepwell_engine::turn::AppAnswer { status: 206, headers, body }));
    assert!(run.call().raw.contains(r#"{"data":{"z":1.50,"a": 1e2,"big":12345678901234567890}}"#));
}

#[test]
fn an_evicted_run_goes_on_as_if_nothing_had_been() {
    let (mut run, call) = Driver::started();
    run.evict();
    run.ops(&call, &json!([ran("a", 1)]));
    run.evict();
    let call = run.call();
    run.returns(&call, &json!(1));
    assert_eq!(run.status(), "Completed");
}

#[test]
fn state_and_events_can_be_fetched() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1)]));
    assert_eq!(run.ask(&Ask::Actions)["Ok"], json!({"a": {"data": 1}}));
    assert_eq!(run.ask(&Ask::Batch)["Ok"][0]["name"], "t/go");
}

#[test]
fn a_run_that_does_not_exist_says_so() {
    let mut run = Driver::idle(4);
    assert_eq!(run.ask(&Ask::Summary)["Err"]["code"], "run_unknown");
}

#[test]
fn a_step_s_own_kind_and_timing_reach_the_timeline() {
    let (mut run, call) = Driver::started();
    let mut op = ran("send", json!({"ids": []}));
    op["opts"] = json!({"type": "step.sendEvent"});
    run.ops(&call, &json!([op]));
    let step = run.ask(&Ask::Timeline)["Ok"]["steps"][0].clone();
    assert_eq!((&step["op"], &step["status"]), (&json!("step.sendEvent"), &json!("completed")));
    assert_eq!(step["started_at_ms"], json!(1_795_320_622_553_u64));
}
