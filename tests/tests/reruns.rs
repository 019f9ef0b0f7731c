//! Running again, whole or from a step.

use serde_json::{Value, json};
use stepwell_tests::{Lane, Scenario, hold_with_each_sdk, scenarios, until};

const SCENARIOS: &[Scenario] = scenarios![
    a_rerun_does_all_of_it_again_under_an_id_of_its_own,
    a_rerun_from_a_step_keeps_what_came_before,
    a_run_that_failed_goes_on_from_the_step_that_failed,
    a_step_that_never_was_is_no_place_to_begin,
    a_rerun_of_a_batch_has_its_events_and_stands_under_each,
    a_rerun_passes_no_debounce,
];
const OF_JAVASCRIPT: &[Scenario] = scenarios![a_step_can_be_given_other_arguments];

hold_with_each_sdk!(SCENARIOS, javascript: OF_JAVASCRIPT);

/// Asks for a rerun; its id.
fn rerun(lane: &Lane<'_>, run: &str, body: &Value) -> String {
    let answer = lane.client.post(&format!("/v1/runs/{run}/rerun"), body);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["data"]["run_id"].as_str().expect("a run id").to_owned()
}

fn a_rerun_does_all_of_it_again_under_an_id_of_its_own(lane: &Lane<'_>) {
    let old = lane.run("single-step", &json!({"n": 5}));
    let new = rerun(lane, &old.run, &json!({}));
    assert_ne!(new, old.run);
    let new = lane.finish(&new);
    assert_eq!(new.output(), old.output());
    assert_eq!(new.executed(), ["one"]);
    assert_eq!(new.summary["original_run_id"], old.run.as_str());
    assert_eq!(new.summary["event_id"], old.summary["event_id"]);
    let event = old.summary["event_id"].as_str().expect("an event");
    let listed = until("both runs are listed under the event", || {
        let runs = lane.client.runs_of(event);
        (runs.len() == 2).then_some(runs)
    });
    assert_eq!([&listed[0]["run_id"], &listed[1]["run_id"]], [&json!(old.run), &json!(new.run)]);
}

fn a_rerun_from_a_step_keeps_what_came_before(lane: &Lane<'_>) {
    let old = lane.run("ten-steps", &json!({}));
    let new = lane.finish(&rerun(lane, &old.run, &json!({"fromStep": {"stepId": "s7"}})));
    assert_eq!(new.executed(), ["s7", "s8", "s9"]);
    let (before, after) = (old.output().as_array().expect("results"), new.output().as_array().expect("results"));
    assert_eq!((&before[..7], before.len()), (&after[..7], after.len()));
    assert!((7..10).all(|i| before[i] != after[i]), "{new:?}");
    assert_eq!(new.calls[0].memoized().len(), 7);
}

fn a_run_that_failed_goes_on_from_the_step_that_failed(lane: &Lane<'_>) {
    let old = lane.run("recovering-by-rerun", &json!({}));
    old.assert_status("Failed");
    assert_eq!(old.executed(), ["paid", "shipped"]);
    let new = lane.finish(&rerun(lane, &old.run, &json!({"fromStep": {"stepId": "shipped"}})));
    assert_eq!(*new.output(), json!({"paid": old.run, "shipped": new.run}));
    assert_eq!(new.executed(), ["shipped"]);
}

fn a_step_that_never_was_is_no_place_to_begin(lane: &Lane<'_>) {
    let old = lane.run("single-step", &json!({"n": 1}));
    let answer = lane.client.post(&format!("/v1/runs/{}/rerun", old.run), &json!({"fromStep": {"stepId": "nowhere"}}));
    assert_eq!((answer.status, &answer.json()["code"]), (404, &json!("step_unknown")));
}

fn a_rerun_of_a_batch_has_its_events_and_stands_under_each(lane: &Lane<'_>) {
    let data = [1, 2, 3].map(|n| lane.event("batched", &json!({"tenant": "again", "n": n})));
    let events = lane.client.send(&json!(data));
    let old = lane.finish(&lane.client.run_of(&events[0], &lane.slug("batched")));
    let new = lane.finish(&rerun(lane, &old.run, &json!({})));
    assert_eq!((new.output()["all"].as_array().map(Vec::len), new.output()), (Some(3), old.output()));
    for event in &events {
        let listed = until("both runs are listed under the event", || {
            let runs = lane.client.runs_of(event).into_iter().map(|run| run["run_id"].clone());
            Some(runs.collect::<Vec<_>>()).filter(|runs| runs.len() == 2)
        });
        assert_eq!(listed, [json!(old.run), json!(new.run)]);
    }
}

/// There, what is held back would be newer, and take its place.
fn a_rerun_passes_no_debounce(lane: &Lane<'_>) {
    let old = lane.run("debounced", &json!({"tenant": "again", "n": 7}));
    let newer = lane.client.send(&lane.event("debounced", &json!({"tenant": "again", "n": 8})));
    let new = lane.finish(&rerun(lane, &old.run, &json!({})));
    assert_eq!(*new.output(), 7);
    let newer = lane.client.run_of(&newer[0], &lane.slug("debounced"));
    assert_eq!(*lane.finish(&newer).output(), 8);
}

fn a_step_can_be_given_other_arguments(lane: &Lane<'_>) {
    let old = lane.run("with-input", &json!({}));
    assert_eq!(*old.output(), json!({"sum": 3}));
    let body = json!({"fromStep": {"stepId": "sum", "input": [20, 22]}});
    assert_eq!(*lane.finish(&rerun(lane, &old.run, &body)).output(), json!({"sum": 42}));
}
