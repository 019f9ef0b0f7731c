//! What stops a run: events, timeouts.

use serde_json::json;
use stepwell_tests::{Lane, Scenario, Sdk, World, run_scenarios, scenarios, until};

const SCENARIOS: &[Scenario] =
    scenarios![an_event_with_the_same_key_cancels_the_run_and_no_other_does, a_run_that_takes_too_long_is_cancelled];

#[test]
fn hold_with_inngest_js_4() {
    run_scenarios(&World::dev(&[Sdk::Js4]).lanes(), SCENARIOS);
}

#[test]
fn hold_with_inngest_js_3() {
    run_scenarios(&World::dev(&[Sdk::Js3]).lanes(), SCENARIOS);
}

#[test]
fn hold_with_inngest_py() {
    run_scenarios(&World::dev(&[Sdk::Py]).lanes(), SCENARIOS);
}

fn an_event_with_the_same_key_cancels_the_run_and_no_other_does(lane: &Lane<'_>) {
    let [stopped, other] = ["stopped", "other"].map(|key| {
        let run = lane.start("cancellable", &json!({"key": key}));
        until("the run sleeps", || {
            let lines = lane.client.journal(&run).outline();
            lines.iter().any(|line| line == "slept night").then_some(())
        });
        run
    });
    lane.client.send(&lane.event("stop", &json!({"key": "stopped"})));
    let stopped = lane.finish(&stopped);
    stopped.assert_status("Cancelled");
    stopped.assert_journal(&["started", "slept night", "cancelled"]);
    assert_eq!(lane.client.run(&other)["status"], "Running");
}

fn a_run_that_takes_too_long_is_cancelled(lane: &Lane<'_>) {
    let run = lane.run("overtime", &json!({}));
    run.assert_status("Cancelled");
    run.assert_journal(&["started", "slept night", "cancelled"]);
}
