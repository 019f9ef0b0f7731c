//! Bounds, each at its limit and one beyond (law 7).

use crate::driver::{Driver, planned, ran};
use serde_json::{Value, json};
use stepwell_engine::limits::{RUN_STATE_BYTES_MAX, STEP_ID_BYTES_MAX, STEP_OUTPUT_BYTES_MAX, STEPS_PER_RUN_MAX};

fn many(count: usize) -> Value {
    (0..count).map(|n| planned(&format!("s{n}"))).collect()
}

#[test]
fn a_run_may_have_as_many_steps_as_the_limit() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &many(STEPS_PER_RUN_MAX));
    assert_eq!(run.calls().len(), STEPS_PER_RUN_MAX);
}

#[test]
fn one_step_more_fails_the_run() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &many(STEPS_PER_RUN_MAX - 1));
    let calls = run.calls();
    let mut more = vec![ran(calls[0].step(), 1)];
    more.extend([planned("x"), planned("y")]);
    run.ops(&calls[0], &json!(more));
    assert_eq!(run.summary()["output"]["name"], "InngestErrFunctionOverflowed");
}

#[test]
fn one_answer_may_not_plan_more_than_a_run_may_have() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &many(STEPS_PER_RUN_MAX + 1));
    assert_eq!(run.status(), "Failed");
}

#[test]
fn an_output_may_be_as_large_as_the_limit_and_no_larger() {
    let (mut run, call) = Driver::started_with(0);
    run.ops(&call, &json!([ran("a", "x".repeat(STEP_OUTPUT_BYTES_MAX - 2))]));
    let call = run.call();
    run.ops(&call, &json!([ran("b", "x".repeat(STEP_OUTPUT_BYTES_MAX - 1))]));
    assert_eq!(run.summary()["output"]["name"], "output_too_large");
}

#[test]
fn state_may_be_as_large_as_the_limit_and_no_larger() {
    let (mut run, mut call) = Driver::started();
    let chunk = "x".repeat(4_000_000);
    for n in 0..RUN_STATE_BYTES_MAX / 4_000_012 {
        run.ops(&call, &json!([ran(&format!("s{n}"), chunk.clone())]));
        call = run.call();
        assert_eq!(call.ctx("use_api"), n >= 1);
    }
    run.ops(&call, &json!([ran("last", chunk)]));
    assert_eq!(run.summary()["output"]["name"], "InngestErrStateOverflowed");
}

#[test]
fn a_step_id_may_be_as_long_as_the_limit_and_no_longer() {
    let (mut run, call) = Driver::started_with(0);
    run.ops(&call, &json!([ran(&"i".repeat(STEP_ID_BYTES_MAX), 1)]));
    let call = run.call();
    run.ops(&call, &json!([ran(&"i".repeat(STEP_ID_BYTES_MAX + 1), 1)]));
    assert_eq!(run.summary()["output"]["name"], "answer_invalid");
}
