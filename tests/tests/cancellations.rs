//! What stops a run: events, timeouts.

use serde_json::json;
use stepwell_tests::{Lane, Scenario, hold_with_each_sdk, scenarios, until};

const SCENARIOS: &[Scenario] = scenarios![
    an_event_with_the_same_key_cancels_the_run_and_no_other_does,
    a_run_that_takes_too_long_is_cancelled,
    many_runs_are_cancelled_by_one_request,
];

hold_with_each_sdk!(SCENARIOS);

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

fn many_runs_are_cancelled_by_one_request(lane: &Lane<'_>) {
    let runs = ["bulk", "bulk", "kept"].map(|key| lane.start("cancellable", &json!({"key": key})));
    let body = json!({
        "app_id": lane.id, "function_id": "cancellable", "started_after": "2020-01-01T00:00:00Z",
        "started_before": lane.client.run(&runs[2])["run_started_at"], "if": "event.data.key == 'bulk'",
    });
    let answer = lane.client.post("/v1/cancellations", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = answer.json()["data"]["id"].clone();
    for run in &runs[..2] {
        lane.finish(run).assert_status("Cancelled");
    }
    assert_ne!(lane.client.run(&runs[2])["status"], "Cancelled");
    let listed = lane.client.data("/v1/cancellations");
    assert!(listed.as_array().expect("a list").iter().any(|one| one["id"] == id), "{listed}");
    let path = format!("/v1/cancellations/{}", id.as_str().expect("an id"));
    let statuses = [(); 2].map(|()| lane.client.ask("DELETE", &path, &[], b"").expect("an answer").status);
    assert_eq!(statuses, [200, 404]);
}

fn a_run_that_takes_too_long_is_cancelled(lane: &Lane<'_>) {
    let run = lane.run("overtime", &json!({}));
    run.assert_status("Cancelled");
    run.assert_journal(&["started", "slept night", "cancelled"]);
}
