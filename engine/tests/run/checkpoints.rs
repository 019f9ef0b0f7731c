//! Async checkpoints (PROTOCOL §7.12).

use crate::driver::{Driver, complete, planned, ran, raw, sleep, threw};
use serde_json::json;
use stepwell_engine::limits::{RUN_STATE_BYTES_MAX, STEP_OUTPUT_BYTES_MAX};
use stepwell_engine::run::message::Ask;

#[test]
fn a_checkpoint_saves_without_asking_what_is_next() {
    let (mut run, call) = Driver::started();
    assert_eq!(run.checkpoint(&call, &json!([ran("a", 1)])), json!({"Ok": null}));
    assert_eq!(run.checkpoint(&call, &json!([ran("b", 2), ran("c", 3)])), json!({"Ok": null}));
    run.no_calls();
    run.ops(&call, &json!([complete("end")]));
    assert_eq!(run.summary()["output"], "end");
    assert_eq!(run.journal(), ["Started", "Checkpointed", "Checkpointed", "Answered"]);
}

#[test]
fn a_checkpoint_that_is_repeated_writes_nothing() {
    let (mut run, call) = Driver::started();
    run.checkpoint(&call, &json!([ran("a", 1)]));
    assert_eq!(run.checkpoint(&call, &json!([ran("a", 2)])), json!({"Ok": null}));
    assert_eq!(run.journal().len(), 2);
    assert_eq!(run.ask(&Ask::Actions)["Ok"], json!({"a": {"data": 1}}));
}

#[test]
fn left_over_steps_ride_in_the_answer() {
    let (mut run, call) = Driver::started();
    run.checkpoint(&call, &json!([ran("a", 1)]));
    run.ops(&call, &json!([ran("b", 2), complete(null())]));
    assert_eq!(run.status(), "Completed");
    assert_eq!(run.ask(&Ask::Actions)["Ok"], json!({"a": {"data": 1}, "b": {"data": 2}}));
}

fn null() -> serde_json::Value {
    serde_json::Value::Null
}

#[test]
fn a_saved_step_whose_acknowledgement_was_lost_moves_the_run_on() {
    let (mut run, call) = Driver::started();
    run.checkpoint(&call, &json!([ran("a", 1)]));
    run.ops(&call, &json!([ran("a", 1)]));
    assert_eq!(run.call().stack(), ["a"]);
}

#[test]
fn a_checkpoint_of_an_earlier_dispatch_is_stale() {
    let (mut run, old) = Driver::started();
    run.checkpoint(&old, &json!([ran("a", 1)]));
    run.crash();
    let new = run.call();
    assert_eq!(run.checkpoint(&old, &json!([ran("b", 2)]))["Err"]["code"], "checkpoint_stale");
    assert_eq!(new.body["steps"], json!({"a": {"data": 1}}));
    assert_eq!(run.checkpoint(&new, &json!([ran("b", 2)])), json!({"Ok": null}));
}

#[test]
fn a_checkpoint_after_the_end_is_stale() {
    let (mut run, call) = Driver::started();
    run.returns(&call, &json!(1));
    assert_eq!(run.checkpoint(&call, &json!([ran("a", 1)]))["Err"]["code"], "checkpoint_stale");
}

#[test]
fn a_checkpoint_resets_the_attempts_of_its_unit() {
    let (mut run, call) = Driver::started_with(2);
    run.throws(&call, &[]);
    run.pass_till_woken();
    let call = run.call();
    run.checkpoint(&call, &json!([ran("a", 1)]));
    run.ops(&call, &json!([threw("b")]));
    run.pass_till_woken();
    assert_eq!(run.call().ctx("attempt"), 1);
}

#[test]
fn a_sleep_ends_the_request_and_the_next_one_checkpoints_again() {
    let (mut run, call) = Driver::started();
    run.checkpoint(&call, &json!([ran("a", 1)]));
    run.ops(&call, &json!([sleep("s", "1s")]));
    run.pass_till_woken();
    let call = run.call();
    assert_eq!(call.stack(), ["a", "s"]);
    assert_eq!(run.checkpoint(&call, &json!([ran("b", 1)])), json!({"Ok": null}));
}

#[test]
fn what_a_checkpoint_cannot_carry_is_refused_by_name() {
    let (mut run, call) = Driver::started();
    for (op, code) in [("Sleep", "checkpoint_opcode"), ("Gateway", "checkpoint_opcode")] {
        let answer = run.checkpoint(&call, &json!([{"id": "x", "op": op, "name": "1s"}]));
        assert_eq!(answer["Err"]["code"], code);
    }
    for op in ["StepPlanned", "StepFailed", "RunComplete", "SyncRunComplete", "DeferAbort"] {
        assert_eq!(run.checkpoint(&call, &json!([{"id": "x", "op": op}])), json!({"Ok": null}), "{op}");
    }
    assert_eq!(run.ask(&Ask::Checkpoint(raw("[1]")))["Err"]["code"], "body_invalid");
    assert_eq!(run.journal(), ["Started"]);
}

#[test]
fn a_step_twice_in_one_checkpoint_is_saved_once_as_it_was_said_first() {
    let (mut run, call) = Driver::started();
    let stored = json!({"id": "b", "op": "Step", "data": {"data": 2}});
    assert_eq!(run.checkpoint(&call, &json!([ran("a", 1), ran("a", 2), stored])), json!({"Ok": null}));
    assert_eq!(run.ask(&Ask::Actions)["Ok"], json!({"a": {"data": 1}, "b": {"data": 2}}));
    let row: serde_json::Value = serde_json::from_slice(run.rows.values().last().unwrap()).unwrap();
    assert_eq!(row["entry"]["Checkpointed"]["steps"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_checkpoint_of_no_dispatch_is_stale() {
    let (mut run, call) = Driver::started();
    let body = |unit: &str, generation: serde_json::Value| {
        raw(&json!({"qi_id": unit, "generation_id": generation, "steps": [ran("a", 1)]}).to_string())
    };
    let mine = call.ctx("qi_id").as_str().unwrap();
    for (unit, generation) in [("nonsense", json!(1)), ("step:a", json!(1)), (mine, json!(2)), (mine, json!(null))] {
        let answer = run.ask(&Ask::Checkpoint(body(unit, generation)));
        assert_eq!(answer["Err"]["code"], "checkpoint_stale", "{unit}");
        assert!(answer["Err"]["message"].as_str().unwrap().contains("no longer the current attempt"));
    }
    assert_eq!(run.journal(), ["Started"]);
}

#[test]
fn a_checkpoint_keeps_to_the_limits_of_a_run() {
    let (mut run, call) = Driver::started();
    run.is_large = true;
    let large = "x".repeat(STEP_OUTPUT_BYTES_MAX - 2);
    assert_eq!(run.checkpoint(&call, &json!([ran("a", large.clone())])), json!({"Ok": null}));
    let too_large = run.checkpoint(&call, &json!([ran("b", large.clone() + "x")]));
    assert_eq!(too_large["Err"]["code"], "state_too_large");
    let nameless = run.checkpoint(&call, &json!([ran("", 1)]));
    assert_eq!(nameless["Err"]["code"], "body_invalid");
    // Seven more fit, the eighth does not.
    for n in 0..RUN_STATE_BYTES_MAX / STEP_OUTPUT_BYTES_MAX - 2 {
        assert_eq!(run.checkpoint(&call, &json!([ran(&format!("s{n}"), large.clone())])), json!({"Ok": null}));
    }
    let full = run.checkpoint(&call, &json!([ran("t", large), ran("u", 1)]));
    assert_eq!(full["Err"]["code"], "state_limit_exceeded");
    assert_eq!(run.status(), "Running");
}

#[test]
fn what_is_only_announced_does_not_hide_what_was_done_after_it() {
    let (mut run, call) = Driver::started();
    assert_eq!(run.checkpoint(&call, &json!([planned("p"), ran("a", 1)])), json!({"Ok": null}));
    run.ops(&call, &json!([ran("b", 2)]));
    assert_eq!(run.call().body["steps"], json!({"a": {"data": 1}, "b": {"data": 2}}));
}
