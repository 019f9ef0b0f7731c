//! What throws: retries, attempts, and who hears of it.

use serde_json::json;
use stepwell_tests::{Lane, Scenario, Sdk, hold_with_each_sdk, scenarios, until};

/// RetryAfterError is rounded to seconds on its way, and never below one.
const RETRY_AFTER_MS_MIN: u64 = 1_000;

const SCENARIOS: &[Scenario] = scenarios![
    a_step_that_fails_twice_then_succeeds,
    a_step_that_exhausts_its_retries_is_caught,
    a_failed_function_is_told_to_its_failure_handler,
    a_non_retriable_step_is_not_tried_again,
    a_non_retriable_function_is_not_tried_again,
    retry_after_is_obeyed,
    a_function_that_throws_once_keeps_its_steps,
];

hold_with_each_sdk!(SCENARIOS);

fn a_step_that_fails_twice_then_succeeds(lane: &Lane<'_>) {
    let run = lane.run("flaky", &json!({}));
    assert_eq!(*run.output(), "yes");
    assert_eq!(run.executed(), ["flaky"; 3]);
    assert_eq!(run.attempts(), [0, 1, 2, 0], "the step's success ends its budget, the next call has its own");
    assert!(run.calls.iter().all(|call| call.seen()["ctx"]["max_attempts"] == 4));
    run.assert_journal(&["started", "retry no 0", "retry no 1", "ran flaky", "complete"]);
}

fn a_step_that_exhausts_its_retries_is_caught(lane: &Lane<'_>) {
    let run = lane.run("caught", &json!({}));
    assert_eq!(run.output()["caught"]["message"], "always");
    assert_eq!(run.output()["cleanup"], "clean");
    assert_eq!(run.executed(), ["always", "always", "cleanup"]);
    let attempts: &[u64] = if lane.checkpoints() { &[0, 1, 0] } else { &[0, 1, 0, 0] };
    assert_eq!(run.attempts(), attempts);
    match lane.id {
        "js4-buffered" => run.assert_journal(&["started", "retry always", "failed always", "ran cleanup, complete"]),
        _ if lane.checkpoints() => {
            run.assert_journal(&["started", "retry always", "failed always", "saved cleanup", "complete"]);
        }
        _ => run.assert_journal(&["started", "retry always", "failed always", "ran cleanup", "complete"]),
    }
}

fn a_failed_function_is_told_to_its_failure_handler(lane: &Lane<'_>) {
    let run = lane.run("failing", &json!({}));
    assert_eq!(run.assert_status("Failed")["message"], "fn boom");
    assert_eq!(run.attempts(), [0, 1]);
    run.assert_journal(&["started", "retry fn boom", "fail fn boom"]);
    let handled = until("the failure handler runs", || {
        let seen = lane.app.seen(Some(&format!("about-{}", run.run)));
        let executions = seen["executions"].as_array()?.clone();
        executions.iter().any(|one| one["step"] == "handle").then_some(executions.len())
    });
    assert_eq!(handled, 1);
    let call = until("the failure handler is called", || {
        let seen = lane.app.seen(None);
        let function = lane.slug("failing-failure");
        let calls = seen["calls"].as_array()?.clone();
        calls.into_iter().find(|call| call["function"] == function.as_str() && !call["answer"].is_null())
    });
    assert_eq!(call["event"]["name"], "inngest/function.failed");
    let handler = lane.finish(call["run"].as_str().expect("the handler's run"));
    let handler = lane.client.over(&handler.run);
    assert_eq!(handler["output"], json!({"message": "fn boom", "of": format!("{}/failing", lane.id)}));
}

fn a_non_retriable_step_is_not_tried_again(lane: &Lane<'_>) {
    let run = lane.run("non-retriable-step", &json!({}));
    assert_eq!(run.assert_status("Failed")["message"], "do not");
    assert_eq!(run.executed(), ["never"]);
    // Python lets the error through to the function at once; JavaScript tells of the step first.
    if lane.sdk == Sdk::Py {
        assert_eq!(run.attempts(), [0]);
        run.assert_journal(&["started", "fail do not"]);
    } else {
        assert_eq!(run.attempts(), [0, 0]);
        run.assert_journal(&["started", "failed never", "fail do not"]);
    }
}

fn a_non_retriable_function_is_not_tried_again(lane: &Lane<'_>) {
    let run = lane.run("non-retriable-function", &json!({}));
    assert_eq!(run.assert_status("Failed")["message"], "do not at all");
    assert_eq!(run.attempts(), [0]);
    run.assert_journal(&["started", "fail do not at all"]);
}

fn retry_after_is_obeyed(lane: &Lane<'_>) {
    let run = lane.run("retry-after", &json!({}));
    assert_eq!(*run.output(), json!({"attempt": 1}));
    assert_eq!(run.attempts(), [0, 1]);
    let waited = run.calls[1].at_ms() - run.calls[0].at_ms();
    assert!(waited >= RETRY_AFTER_MS_MIN, "{waited} ms");
    run.assert_journal(&["started", "retry later", "complete"]);
}

fn a_function_that_throws_once_keeps_its_steps(lane: &Lane<'_>) {
    let run = lane.run("recovering", &json!({}));
    assert_eq!(*run.output(), json!({"kept": "kept", "attempt": 1}));
    assert_eq!(run.executed(), ["kept"]);
    if lane.checkpoints() {
        assert_eq!(run.attempts(), [0, 1]);
        run.assert_journal(&["started", "saved kept", "retry once", "complete"]);
    } else {
        assert_eq!(run.attempts(), [0, 0, 1]);
        run.assert_journal(&["started", "ran kept", "retry once", "complete"]);
    }
}
