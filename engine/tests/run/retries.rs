//! Attempts, retries and what is final (PROTOCOL §4).

use crate::driver::{Driver, failed, planned, ran, threw};
use serde_json::json;
use stepwell_engine::error::Code;
use stepwell_engine::run::message::Ask;
use stepwell_engine::turn::CallFailure;

#[test]
fn a_step_that_throws_is_tried_again_with_the_same_memos() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1)]));
    let call = run.call();
    run.ops(&call, &json!([threw("b")]));
    run.no_calls();
    assert_eq!(run.pass_till_woken(), 1_000);
    let again = run.call();
    assert_eq!((again.ctx("attempt"), again.ctx("generation_id")), (&json!(1), &json!(2)));
    assert_eq!((again.stack(), &again.body["steps"]), (call.stack(), &call.body["steps"]));
    run.ops(&again, &json!([ran("b", 2)]));
    let next = run.call();
    assert_eq!(next.ctx("attempt"), 0, "each unit of work has its own budget");
}

#[test]
fn a_step_out_of_attempts_is_memoized_as_failed_and_the_run_goes_on() {
    let (mut run, call) = Driver::started_with(1);
    run.ops(&call, &json!([threw("a")]));
    run.pass_till_woken();
    let call = run.call();
    assert_eq!((call.ctx("attempt"), call.ctx("max_attempts")), (&json!(1), &json!(2)));
    run.ops(&call, &json!([threw("a")]));
    let call = run.call();
    let memo = json!({"a": {"error": {"message": "always", "name": "MyErr", "stack": "s"}}});
    assert_eq!(call.body["steps"], memo);
    run.returns(&call, &json!("caught"));
    assert_eq!(run.status(), "Completed");
}

#[test]
fn a_step_failed_is_final_whatever_the_header_says() {
    let (mut run, call) = Driver::started();
    run.answer_with(&call, 206, &[("x-inngest-no-retry", "false")], &json!([failed("a")]));
    assert_eq!(run.call().body["steps"]["a"]["error"]["name"], "MyErr");
}

#[test]
fn a_step_error_with_no_retry_is_final() {
    let (mut run, call) = Driver::started();
    run.answer_with(&call, 206, &[("x-inngest-no-retry", "true")], &json!([threw("a")]));
    assert_eq!(run.call().body["steps"]["a"]["error"]["message"], "always");
}

#[test]
fn retry_after_sets_the_time_of_the_next_attempt() {
    let (mut run, call) = Driver::started();
    run.answer_with(&call, 206, &[("retry-after", "120")], &json!([threw("a")]));
    assert_eq!(run.pass_till_woken(), 120_000);
    let call = run.call();
    run.throws(&call, &[("retry-after", "3")]);
    assert_eq!(run.pass_till_woken(), 3_000);
}

#[test]
fn a_function_that_throws_fails_after_its_last_attempt() {
    let (mut run, mut call) = Driver::started_with(2);
    for attempt in 0..2 {
        assert_eq!(call.ctx("attempt"), attempt);
        run.throws(&call, &[]);
        run.pass_till_woken();
        call = run.call();
    }
    run.throws(&call, &[]);
    assert_eq!(run.status(), "Failed");
    assert_eq!(run.summary()["output"]["message"], "boom");
}

#[test]
fn a_non_retriable_error_fails_the_run_at_once() {
    let (mut run, call) = Driver::started();
    run.throws(&call, &[("x-inngest-no-retry", "true")]);
    assert_eq!(run.status(), "Failed");
}

#[test]
fn a_parallel_step_has_a_budget_of_its_own() {
    let (mut run, call) = Driver::started_with(1);
    run.ops(&call, &json!([planned("a"), planned("b")]));
    let calls = run.calls();
    run.ops(&calls[0], &json!([threw("a")]));
    run.ops(&calls[1], &json!([ran("b", 2)]));
    run.pass_till_woken();
    let again = run.call();
    assert_eq!((again.step(), again.ctx("attempt")), ("a", &json!(1)));
    run.ops(&again, &json!([failed("a")]));
    assert_eq!(run.call().stack(), ["b", "a"]);
}

#[test]
fn an_app_that_cannot_be_reached_is_tried_again_and_named() {
    let (mut run, call) = Driver::started_with(1);
    run.answer_raw(&call, Err(CallFailure::Unreachable("connection refused".to_owned())));
    let attempt = run.ask(&Ask::Timeline)["Ok"]["attempts"][0].clone();
    assert_eq!(attempt["error"]["code"], Code::HttpUnreachable.as_str());
    run.pass_till_woken();
    let call = run.call();
    run.answer_raw(&call, Err(CallFailure::TimedOut("2 h".to_owned())));
    assert_eq!(run.summary()["output"]["name"], "request_duration_too_long");
}

#[test]
fn an_unknown_opcode_is_a_failed_attempt_and_an_unbuilt_one_fails_the_run() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([{"id": "x", "op": "Dance"}]));
    assert_eq!(run.status(), "Running");
    run.pass_till_woken();
    let call = run.call();
    run.ops(&call, &json!([{"id": "x", "op": "SyncRunComplete", "name": "t/x", "opts": {}}]));
    assert_eq!(run.status(), "Failed");
    assert_eq!(run.summary()["output"]["name"], "opcode_unsupported");
}

#[test]
fn the_timeline_shows_each_failed_attempt() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([threw("a")]));
    let step = run.ask(&Ask::Timeline)["Ok"]["steps"][0].clone();
    assert_eq!((&step["status"], &step["attempts"][0]["number"]), (&json!("retrying"), &json!(0)));
    assert_eq!(step["attempts"][0]["retry_at_ms"], json!(run.now + 1_000));
    run.pass_till_woken();
    let call = run.call();
    run.ops(&call, &json!([ran("a", 1)]));
    let step = run.ask(&Ask::Timeline)["Ok"]["steps"][0].clone();
    assert_eq!(step["status"], "completed");
}

#[test]
fn what_was_done_beside_a_step_that_threw_is_kept() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1), threw("b")]));
    run.pass_till_woken();
    let again = run.call();
    assert_eq!((again.stack(), again.ctx("attempt")), (vec!["a"], &json!(1)));
}

#[test]
fn a_function_of_an_app_that_is_gone_is_not_tried_again() {
    let (mut run, call) = Driver::started();
    run.catalog.functions.clear();
    run.throws(&call, &[]);
    assert_eq!((run.status().as_str(), &run.summary()["output"]["message"]), ("Failed", &json!("boom")));
}

#[test]
fn an_answer_that_cannot_be_read_is_a_failed_attempt_of_the_version_that_it_said() {
    let (mut run, call) = Driver::started();
    run.ops_of("1", &call, &json!([{"id": "x", "op": "Dance"}]));
    run.pass_till_woken();
    let call = run.call();
    assert_eq!((&call.body["version"], call.ctx("attempt")), (&json!(1), &json!(1)));
    run.ops_of("1", &call, &json!("no ops"));
    run.pass_till_woken();
    assert_eq!(run.call().ctx("attempt"), 2);
}

#[test]
fn a_step_that_failed_without_an_error_says_so() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([{"id": "a", "op": "StepFailed"}, {"id": "b", "op": "StepFailed", "data": {"name": "D", "message": "d"}}]));
    let steps = run.call().body["steps"].clone();
    assert_eq!(steps["a"]["error"]["name"], "Error");
    assert_eq!(steps["b"]["error"], json!({"name": "D", "message": "d"}));
}

#[test]
fn an_sdks_own_measurement_is_kept_in_milliseconds_and_microseconds() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1)]));
    let row: serde_json::Value = serde_json::from_slice(run.rows.values().last().unwrap()).unwrap();
    let timing = &row["entry"]["Answered"]["steps"][0]["what"]["Ran"]["timing"];
    assert_eq!(*timing, json!({"started_at_ms": 1_795_320_622_553_u64, "took_us": 2_000}));
}
