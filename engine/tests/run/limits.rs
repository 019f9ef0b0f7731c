//! Bounds, each at its limit and one beyond (law 7).

use crate::driver::{Driver, complete, invoke, planned, ran, raw, sleep};
use serde_json::{Value, json};
use stepwell_engine::limits::{
    JOURNAL_ROWS_MAX, OPS_PER_ANSWER_MAX, RUN_STATE_BYTES_MAX, STEP_ID_BYTES_MAX, STEP_OUTPUT_BYTES_MAX,
    STEPS_PER_RUN_MAX,
};
use stepwell_engine::run::journal;
use stepwell_engine::run::message::{Ask, Returned, Tell};

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

fn overflowed(run: &mut Driver) -> bool {
    run.status() == "Failed" && run.summary()["output"]["name"] == "InngestErrFunctionOverflowed"
}

#[test]
fn an_answer_may_hold_as_many_ops_as_the_limit_and_no_more() {
    for (count, name) in
        [(OPS_PER_ANSWER_MAX, "answer_empty"), (OPS_PER_ANSWER_MAX + 1, "InngestErrFunctionOverflowed")]
    {
        let (mut run, call) = Driver::started_with(0);
        run.ops(&call, &json!(vec![json!({"op": "None"}); count]));
        assert_eq!(run.summary()["output"]["name"], name);
    }
}

#[test]
fn steps_that_a_run_has_already_do_not_count_again() {
    let (mut run, call) = Driver::started();
    let mut ops = vec![ran("done", 1), sleep("rest", "1h")];
    ops.extend((0..STEPS_PER_RUN_MAX - 2).map(|n| planned(&format!("s{n}"))));
    run.ops(&call, &json!(ops));
    let calls = run.calls();
    let again = [
        ran("s0", 1),
        ran("done", 2),
        sleep("rest", "2h"),
        planned("s1"),
        json!({"id": "d", "op": "DiscoveryRequest"}),
    ];
    run.ops(calls.iter().find(|call| call.step() == "s0").unwrap(), &json!(again));
    assert_eq!(run.status(), "Running");
    run.ops(calls.iter().find(|call| call.step() == "s1").unwrap(), &json!([ran("s1", 1), sleep("other", "1h")]));
    assert!(overflowed(&mut run));
}

#[test]
fn a_journal_may_be_as_long_as_the_limit_and_no_longer() {
    for (rows, is_full) in [(JOURNAL_ROWS_MAX - 1, false), (JOURNAL_ROWS_MAX, true)] {
        let (mut run, call) = Driver::started();
        let entry = json!({"at_ms": run.now, "entry": {"Redispatched": {"units": []}}}).to_string().into_bytes();
        run.rows.extend((1..rows).map(|number| (journal::key(number), entry.clone())));
        run.evict();
        run.ops(&call, &json!([ran("a", 1)]));
        assert_eq!(overflowed(&mut run), is_full);
    }
}

#[test]
fn a_result_may_be_as_large_as_the_limit_and_no_larger() {
    let returned = |bytes: usize| {
        let (mut run, call) = Driver::started_with(0);
        run.ops(&call, &json!([ran("a", 1), complete("x".repeat(bytes - 2))]));
        let steps = run.ask(&Ask::Actions)["Ok"].clone();
        assert_eq!(steps, json!({"a": {"data": 1}}), "what was done is kept");
        run.status()
    };
    assert_eq!(returned(STEP_OUTPUT_BYTES_MAX), "Completed");
    assert_eq!(returned(STEP_OUTPUT_BYTES_MAX + 1), "Failed");
}

#[test]
fn what_comes_for_a_wait_counts_as_state() {
    let large = json!("x".repeat(4_000_000)).to_string();
    let (mut run, mut call) = Driver::started();
    run.is_large = true;
    for n in 0..RUN_STATE_BYTES_MAX / 4_000_002 {
        let (step, returned) = (format!("i{n}"), Returned::Value(raw(&large)));
        run.ops(&call, &json!([invoke(&step, "app-child", &json!({"data": {}}))]));
        run.tell(&Tell::Returned { step: step.as_str().into(), run: None, returned });
        call = run.call();
    }
    run.ops(&call, &json!([invoke("last", "app-child", &json!({"data": {}}))]));
    run.tell(&Tell::Returned { step: "last".into(), run: None, returned: Returned::Value(raw(&large)) });
    assert_eq!(run.summary()["output"]["name"], "InngestErrStateOverflowed");
    assert_eq!(run.journal().last().map(String::as_str), Some("GivenUp"));
}
