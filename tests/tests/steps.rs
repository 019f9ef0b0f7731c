//! Functions whose steps come one after another, and what starts them.

use serde_json::{Value, json};
use stepwell_tests::{Lane, Scenario, hold_with_each_sdk, scenarios, until};

const SCENARIOS: &[Scenario] = scenarios![
    a_single_step_runs_once,
    ten_steps_run_once_each_and_in_order,
    a_step_id_may_be_used_again,
    nothing_is_a_result_too,
    payloads_come_back_as_they_went,
    a_step_can_send_an_event,
    an_expression_chooses_among_events,
    a_wildcard_takes_events_of_its_prefix,
    the_end_of_a_run_is_an_event,
    the_same_event_id_starts_nothing_again,
    the_version_is_learned_from_the_first_answer,
];

hold_with_each_sdk!(SCENARIOS);

fn a_single_step_runs_once(lane: &Lane<'_>) {
    let run = lane.run("single-step", &json!({"n": 1}));
    assert_eq!(*run.output(), json!({"one": {"n": 2}}));
    assert_eq!(run.executed(), ["one"]);
    match lane.id {
        "js4-buffered" => {
            assert_eq!(run.attempts(), [0]);
            run.assert_journal(&["started", "ran one, complete"]);
        }
        _ if lane.checkpoints() => {
            assert_eq!(run.attempts(), [0]);
            assert_eq!(run.calls[0].answered(), "RunComplete");
            run.assert_journal(&["started", "saved one", "complete"]);
        }
        _ => {
            assert_eq!(run.attempts(), [0, 0]);
            assert_eq!([run.calls[0].answered(), run.calls[1].answered()], ["StepRun one", "200"]);
            run.assert_journal(&["started", "ran one", "complete"]);
        }
    }
}

fn ten_steps_run_once_each_and_in_order(lane: &Lane<'_>) {
    let run = lane.run("ten-steps", &json!({}));
    let steps: Vec<_> = (0..10).map(|i| format!("s{i}")).collect();
    assert_eq!(run.executed(), steps);
    let output = run.output().as_array().expect("ten results").clone();
    let recorded = run.journal.results();
    for (execution, (i, result)) in run.executions.iter().zip(output.iter().enumerate()) {
        assert_eq!(result["i"], i);
        assert_eq!(recorded[&execution.id].1["data"], *result, "what was recorded is what the function saw");
    }
    if lane.id == "js4-buffered" {
        let threes = ["saved s0, s1, s2", "saved s3, s4, s5", "saved s6, s7, s8"];
        run.assert_journal(&["started", threes[0], threes[1], threes[2], "ran s9, complete"]);
    } else {
        let verb = if lane.checkpoints() { "saved" } else { "ran" };
        let lines: Vec<_> = steps.iter().map(|step| format!("{verb} {step}")).collect();
        let lines = ["started"].into_iter().chain(lines.iter().map(String::as_str)).chain(["complete"]);
        run.assert_journal(&lines.collect::<Vec<_>>());
    }
    if lane.checkpoints() {
        assert_eq!(run.calls.len(), 1);
        return;
    }
    assert_eq!(run.attempts(), [0; 11]);
    for (number, call) in run.calls.iter().enumerate() {
        let finished: Vec<_> = run.executions.iter().take(number).map(|one| one.id.as_str()).collect();
        assert_eq!(call.stack(), finished, "the stack is in the order of finishing");
        assert_eq!(call.seen()["ctx"]["stack"]["current"], number);
        let mut memoized = call.memoized();
        memoized.sort_unstable();
        let mut expected = finished;
        expected.sort_unstable();
        assert_eq!(memoized, expected, "`steps` has exactly what the stack has");
    }
}

fn a_step_id_may_be_used_again(lane: &Lane<'_>) {
    let run = lane.run("loop", &json!({}));
    assert_eq!(*run.output(), json!([0, 1, 2, 3, 4]));
    assert_eq!(run.executed(), ["loop"; 5]);
    assert_eq!(run.journal.results().len(), 5);
}

fn nothing_is_a_result_too(lane: &Lane<'_>) {
    let run = lane.run("nothing", &json!({}));
    assert_eq!(*run.output(), Value::Null);
    assert_eq!(run.executed(), ["nothing"]);
    assert_eq!(run.journal.results()[&run.executions[0].id].1["data"], Value::Null);
}

fn payloads_come_back_as_they_went(lane: &Lane<'_>) {
    let data = json!({
        "text": "ünïcödé 🦀 \u{2028} \" \\ \n\t", "empty": "", "list": [], "object": {}, "null": null, "true": true,
        "numbers": [0, -1, 1.5, 9_007_199_254_740_991_i64, 1e21, 1e-7, 0.1], "nested": {"a": [{"b": [[]]}]},
        "data": {"error": {"name": "not one"}}, "é": 1, "z": 2, "😀": 3,
    });
    assert_eq!(*lane.run("echo", &data).output(), data);
}

fn a_step_can_send_an_event(lane: &Lane<'_>) {
    let run = lane.run("send-event", &json!({}));
    let event = run.output()["ids"][0].as_str().expect("the event's id").to_owned();
    let started = lane.client.run_of(&event, &lane.slug("single-step"));
    assert_eq!(*lane.finish(&started).output(), json!({"one": {"n": 42}}));
}

fn an_expression_chooses_among_events(lane: &Lane<'_>) {
    let events = [json!({"x": 1}), json!({}), json!({"x": 2})].map(|data| lane.event("conditional", &data));
    let ids = lane.client.send(&json!(events));
    let run = lane.client.run_of(&ids[2], &lane.slug("conditional"));
    assert_eq!(*lane.finish(&run).output(), json!(2));
    assert!(lane.client.runs_of(&ids[0]).is_empty());
    assert!(lane.client.runs_of(&ids[1]).is_empty());
}

fn a_wildcard_takes_events_of_its_prefix(lane: &Lane<'_>) {
    let ids = lane.client.send(&json!([lane.event("wilder.x", &json!({})), lane.event("wild.thing", &json!({}))]));
    let run = lane.client.run_of(&ids[1], &lane.slug("wildcard"));
    assert_eq!(*lane.finish(&run).output(), json!(format!("{}/wild.thing", lane.id)));
    assert!(lane.client.runs_of(&ids[0]).is_empty());
}

fn the_end_of_a_run_is_an_event(lane: &Lane<'_>) {
    let run = lane.run("single-step", &json!({"n": 5}));
    let seen = until("inngest/function.finished starts a function", || {
        let seen = lane.app.seen(Some(&format!("about-{}", run.run)))["executions"].as_array()?.clone();
        seen.iter().any(|one| one["step"] == "end seen").then_some(seen)
    });
    assert_eq!(seen.iter().filter(|one| one["step"] == "end seen").count(), 1);
}

fn the_same_event_id_starts_nothing_again(lane: &Lane<'_>) {
    let mut event = lane.event("loop", &json!({}));
    event["id"] = json!(format!("{}-twice", lane.id));
    let mut ids = lane.client.send(&json!([event, event]));
    let run = lane.finish(&lane.client.run_of(&ids[0], &lane.slug("loop")));
    ids.extend(lane.client.send(&event));
    // What is sent later has been seen to later.
    let later = lane.run("loop", &json!({}));
    assert_ne!(later.run, run.run);
    for id in &ids {
        assert!(lane.client.runs_of(id).iter().all(|other| other["run_id"] == run.run.as_str()));
    }
    assert_eq!(lane.finish(&run.run).executed(), ["loop"; 5]);
    assert_eq!(run.calls[0].seen()["event"]["id"], event["id"], "the app sees the user's id");
}

fn the_version_is_learned_from_the_first_answer(lane: &Lane<'_>) {
    let run = lane.run("sleep", &json!({}));
    let versions: Vec<_> = run.calls.iter().map(|call| call.seen()["version"].as_i64().expect("a version")).collect();
    let known = if lane.is_version_1() { 1 } else { 2 };
    assert_eq!(versions[0], -1);
    assert!(versions.len() > 1 && versions[1..].iter().all(|version| *version == known), "{versions:?}");
}
