//! Async checkpoints (PROTOCOL §7.12).

use crate::driver::{Driver, complete, ran, raw, sleep, threw};
use serde_json::json;
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
