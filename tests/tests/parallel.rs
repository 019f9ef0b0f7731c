//! Parallel steps: planned, called one by one, and joined.

use serde_json::json;
use stepwell_tests::{Finished, Lane, Scenario, Sdk, hold_with_each_sdk, scenarios, until};

const SCENARIOS: &[Scenario] = scenarios![
    parallel_steps_get_a_call_each,
    branches_after_a_step_join_before_the_next,
    a_race_goes_on_with_the_first,
    a_chain_goes_on_while_a_wait_beside_it_lasts,
    what_waited_goes_on_while_a_step_beside_it_runs,
];

hold_with_each_sdk!(SCENARIOS);

fn parallel_steps_get_a_call_each(lane: &Lane<'_>) {
    let run = lane.run("parallel", &json!({}));
    assert_eq!(*run.output(), json!([1, 2, 3]));
    assert_each_ran_once(&run, &["a", "b", "c"]);
    assert_eq!(run.calls[0].answered(), "StepPlanned a, StepPlanned b, StepPlanned c");
    let planned = run.calls.iter().filter(|call| call.step_id() != "step");
    for call in planned.clone() {
        assert!(call.answered().starts_with("StepRun "), "{call:?}");
        assert!(call.memoized().is_empty() || lane.is_version_1(), "planned before anything finished: {call:?}");
    }
    assert_eq!(planned.count(), 3);
    let discoveries = run.calls.iter().filter(|call| call.step_id() == "step").count();
    if lane.is_version_1() {
        assert!((2..=4).contains(&discoveries), "one at first, at most one per finished step: {discoveries}");
    } else {
        assert_eq!(discoveries, 2, "one at first, one when all three are done");
    }
    let lines = run.journal.outline();
    assert_eq!(lines[..2], ["started", "planned a, planned b, planned c"]);
    let mut ran: Vec<_> = lines.iter().filter(|line| line.starts_with("ran ")).map(String::as_str).collect();
    ran.sort_unstable();
    assert_eq!(ran, ["ran a", "ran b", "ran c"]);
    assert_eq!(lines.last().map(String::as_str), Some("complete"));
}

fn branches_after_a_step_join_before_the_next(lane: &Lane<'_>) {
    let run = lane.run("nested", &json!({}));
    assert_eq!(*run.output(), json!({"branches": [111, 12, 13], "after": 136}));
    assert_each_ran_once(&run, &["after", "first", "x1", "x2", "y", "z"]);
    let executed = run.executed();
    let place = |step| executed.iter().position(|one| *one == step).expect(step);
    assert_eq!(place("first"), 0);
    assert!(place("x1") < place("x2"));
    assert_eq!(place("after"), 5);
    assert!(run.attempts().iter().all(|attempt| *attempt == 0));
    let lines = run.journal.outline();
    assert!(lines[1].ends_with(" first"), "{run:?}");
    assert!(lines.iter().any(|line| line.contains("planned x1, planned y, planned z")), "{run:?}");
    assert_eq!(lines.last().map(|line| line.ends_with("complete")), Some(true), "{run:?}");
}

/// Version 1: `Promise.race` itself. Version 2: `group.parallel({mode: "race"})`, which Python has too, though its SDK
/// gives all results and so goes on with the last.
fn a_race_goes_on_with_the_first(lane: &Lane<'_>) {
    let function = if lane.is_version_1() { "promise-race" } else { "race" };
    let awaited: &[&str] = if lane.sdk == Sdk::Py { &["slow"] } else { &["slow", "after"] };
    let run = lane.start(function, &json!({}));
    // While the slow branch is held.
    until_run(lane, &run, awaited);
    lane.app.open_gate(&run);
    let run = lane.finish(&run);
    assert_eq!(*run.output(), json!({"winner": "fast", "after": "after fast"}));
    assert_each_ran_once(&run, &["after", "fast", "slow"]);
    assert!(run.attempts().iter().all(|attempt| *attempt == 0));
    let lines = run.journal.outline();
    assert_eq!(lines[..3], ["started", "planned fast, planned slow", "ran fast"]);
    assert_eq!(lines.iter().filter(|line| *line == "ran fast").count(), 1, "{run:?}");
}

fn until_run(lane: &Lane<'_>, run: &str, steps: &[&str]) {
    until(&format!("{steps:?} run"), || {
        let seen = lane.app.seen(Some(run));
        let executions = seen["executions"].as_array()?;
        steps.iter().all(|step| executions.iter().any(|one| one["step"] == *step)).then_some(())
    });
}

fn wake(lane: &Lane<'_>, key: &str) {
    lane.client.send(&lane.event("wake", &json!({"key": key, "n": 7})));
}

fn a_chain_goes_on_while_a_wait_beside_it_lasts(lane: &Lane<'_>) {
    let key = format!("chain-{}", lane.id);
    let run = lane.start("beside-a-wait", &json!({"key": key}));
    // Nothing that the wait takes has been sent.
    until_run(lane, &run, &["a", "b"]);
    wake(lane, &key);
    let run = lane.finish(&run);
    assert_eq!(*run.output(), json!({"n": 7, "sum": 3}));
    assert_each_ran_once(&run, &["a", "b"]);
    assert!(run.attempts().iter().all(|attempt| *attempt == 0), "{run:?}");
}

fn what_waited_goes_on_while_a_step_beside_it_runs(lane: &Lane<'_>) {
    let key = format!("held-{}", lane.id);
    let run = lane.start("beside-a-step", &json!({"key": key}));
    until_run(lane, &run, &["held"]);
    wake(lane, &key);
    until_run(lane, &run, &["after"]);
    lane.app.open_gate(&run);
    let run = lane.finish(&run);
    assert_eq!(*run.output(), json!(["woken", "held"]));
    assert_each_ran_once(&run, &["after", "held"]);
    assert!(run.attempts().iter().all(|attempt| *attempt == 0), "{run:?}");
}

fn assert_each_ran_once(run: &Finished, steps: &[&str]) {
    let mut executed = run.executed();
    executed.sort_unstable();
    assert_eq!(executed, steps, "{run:?}");
}
