//! Large steps and large states.

use serde_json::json;
use stepwell_tests::{Lane, Scenario, Sdk, hold_with_each_sdk, scenarios};

const MIB: usize = 1 << 20;

const SCENARIOS: &[Scenario] = scenarios![
    a_step_of_three_megabytes_is_remembered,
    state_above_four_megabytes_is_fetched_by_the_sdk,
    an_output_above_the_limit_fails_with_a_code,
];

hold_with_each_sdk!(SCENARIOS);

fn a_step_of_three_megabytes_is_remembered(lane: &Lane<'_>) {
    let run = lane.run("big-step", &json!({}));
    assert_eq!(*run.output(), json!(3 * MIB));
    assert_eq!(run.executed(), ["make", "measure"]);
    let recorded = &run.journal.results()[&run.executions[0].id].1["data"];
    assert_eq!(recorded.as_str().map(str::len), Some(3 * MIB));
    assert!(run.calls.iter().all(|call| call.seen()["use_api"] == false), "it fits into a call");
    assert!(run.attempts().iter().all(|attempt| *attempt == 0));
    match lane.id {
        "js4-buffered" => run.assert_journal(&["started", "ran make, ran measure, complete"]),
        _ if lane.checkpoints() => run.assert_journal(&["started", "saved make", "saved measure", "complete"]),
        _ => run.assert_journal(&["started", "ran make", "ran measure", "complete"]),
    }
}

fn state_above_four_megabytes_is_fetched_by_the_sdk(lane: &Lane<'_>) {
    let run = lane.run("big-state", &json!({}));
    let expected: Vec<_> = (0..6).map(|i| format!("{i}:{MIB}")).collect();
    assert_eq!(*run.output(), json!(expected.join(" ")));
    assert_eq!(run.executed(), ["part0", "part1", "part2", "part3", "part4", "part5", "measure"]);
    let last = run.calls.last().expect("calls").seen();
    assert_eq!((&last["use_api"], &last["ctx"]["use_api"], &last["steps"]), (&json!(true), &json!(true), &json!({})));
    assert!(run.attempts().iter().all(|attempt| *attempt == 0));
    assert_eq!(run.journal.results().len(), 7);
    if lane.sdk != Sdk::Py {
        let fetched =
            |path: &str| run.requests.iter().any(|one| one["url"].as_str().is_some_and(|url| url.ends_with(path)));
        assert!(fetched(&format!("/v0/runs/{}/actions", run.run)), "{:?}", run.requests);
    }
}

fn an_output_above_the_limit_fails_with_a_code(lane: &Lane<'_>) {
    let run = lane.run("oversized-step", &json!({}));
    let error = run.assert_status("Failed").to_string();
    assert!(error.contains("output_too_large"), "{error}");
    assert!(lane.client.timeline(&run.run).contains("output_too_large"));
    assert!(run.journal.results().is_empty());
    assert_eq!(run.attempts(), [0], "no retries were asked for");
    assert_eq!(run.executed(), ["make"]);
}
