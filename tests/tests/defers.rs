//! Functions that a run defers: they run once it is over, and hold up nothing. Only SDK 4 knows them.

use serde_json::{Value, json};
use stepwell_tests::{Finished, Lane, Scenario, Sdk, World, run_scenarios, scenarios, until};

const SCENARIOS: &[Scenario] = scenarios![
    what_a_run_defers_runs_after_it,
    a_run_that_defers_on_its_way_goes_on,
    a_branch_that_defers_on_its_way_goes_on_beside_a_step,
    a_run_that_fails_has_deferred_all_the_same,
];

#[test]
fn hold_with_inngest_js_4() {
    run_scenarios(&World::dev(&[Sdk::Js4]).lanes(), SCENARIOS);
}

/// What was deferred has run, once.
fn assert_kept(lane: &Lane<'_>, run: &Finished) {
    let executions = until("the deferred function has run", || {
        let seen = lane.app.seen(Some(&format!("deferred-by-{}", run.run)));
        seen["executions"].as_array().filter(|all| !all.is_empty()).cloned()
    });
    assert_eq!(executions.len(), 1, "{executions:?}");
}

/// The names and states of what the run deferred, as its timeline has them.
fn defers(lane: &Lane<'_>, run: &Finished) -> Vec<(String, String)> {
    let timeline: Value = lane.client.data(&format!("/v1/runs/{}/timeline", run.run));
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let mut defers: Vec<_> = timeline["defers"]
        .as_array()
        .expect("defers")
        .iter()
        .map(|one| (text(&one["name"]), text(&one["status"])))
        .collect();
    defers.sort();
    defers
}

fn kept() -> Vec<(String, String)> {
    vec![("kept".to_owned(), "scheduled".to_owned())]
}

fn what_a_run_defers_runs_after_it(lane: &Lane<'_>) {
    let run = lane.run("deferring", &json!({"n": 7}));
    assert_eq!(*run.output(), "over");
    assert_kept(lane, &run);
    let taken_back = ("taken-back".to_owned(), "aborted".to_owned());
    // An SDK that saves several steps at once has taken it back before it says anything of it.
    let is_heard_of = lane.id != "js4-buffered";
    assert_eq!(defers(lane, &run), [kept(), is_heard_of.then_some(taken_back).into_iter().collect()].concat());
}

/// Without checkpoints the SDK answers that something is deferred, and comes no further.
fn a_run_that_defers_on_its_way_goes_on(lane: &Lane<'_>) {
    let run = lane.run("deferring-on-the-way", &json!({"n": 1}));
    assert_eq!((run.output(), run.executed()), (&json!(3), vec!["before", "after"]));
    if lane.id == "js4-plain" {
        assert!(run.calls.iter().any(|call| call.answered() == "DeferAdd kept"), "{run:?}");
    }
    assert!(run.attempts().iter().all(|attempt| *attempt == 0), "{run:?}");
    assert_eq!(defers(lane, &run), kept());
    assert_kept(lane, &run);
}

/// Here it is asked for a step, and answers that something is deferred.
fn a_branch_that_defers_on_its_way_goes_on_beside_a_step(lane: &Lane<'_>) {
    let run = lane.start("deferring-beside", &json!({"n": 1}));
    until("both branches have begun", || {
        let seen = lane.app.seen(Some(&run));
        let executions = seen["executions"].as_array()?;
        let has_run = |step: &str| executions.iter().any(|one| one["step"] == step);
        (has_run("a") && has_run("held")).then_some(())
    });
    lane.app.open_gate(&run);
    let run = lane.finish(&run);
    let mut executed = run.executed();
    executed.sort_unstable();
    assert_eq!((run.output(), executed), (&json!(3), vec!["a", "b", "held"]), "{run:?}");
    assert!(run.attempts().iter().all(|attempt| *attempt == 0), "{run:?}");
    assert_eq!(defers(lane, &run), kept());
    assert_kept(lane, &run);
}

fn a_run_that_fails_has_deferred_all_the_same(lane: &Lane<'_>) {
    let run = lane.run("deferring-in-vain", &json!({"n": 1}));
    let error = run.assert_status("Failed");
    assert_eq!((&error["name"], &error["message"]), (&json!("TypeError"), &json!("boom 1")), "{run:?}");
    assert_eq!(run.attempts(), [0, 1], "{run:?}");
    let timeline: Value = lane.client.data(&format!("/v1/runs/{}/timeline", run.run));
    assert_eq!(timeline["steps"], json!([]), "the function threw, and no step");
    assert_eq!(defers(lane, &run), kept());
    assert_kept(lane, &run);
}
