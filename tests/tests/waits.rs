//! Waiting for events, for signals and for other functions.

use serde_json::{Value, json};
use stepwell_tests::{Finished, Lane, Scenario, Sdk, World, hold_with_each_sdk, scenarios, until};

const SCENARIOS: &[Scenario] = scenarios![
    an_event_with_the_same_key_resumes_the_run_and_no_other_does,
    of_two_events_the_run_takes_the_first,
    a_wait_in_vain_gives_null,
    one_event_ends_two_waits,
    a_wait_whose_expression_is_none_fails_the_run,
    an_invoked_function_returns_its_value,
    an_invoked_function_s_error_is_caught,
    nobody_is_invoked_with_a_clear_error,
    an_invocation_that_takes_too_long_is_an_error,
];
const OF_JAVASCRIPT: &[Scenario] = scenarios![a_signal_is_taken_by_the_one_who_waits, a_newer_waiter_takes_over];

hold_with_each_sdk!(SCENARIOS, javascript: OF_JAVASCRIPT);

#[test]
fn a_wait_goes_on_over_a_crash() {
    let mut world = World::dev(&[Sdk::Js4]);
    let run = world.lane("js4").start("wait", &json!({"key": 1}));
    until_outlined(&world.lane("js4"), &run, "waits wait");
    world.server.kill();
    world.server.restart();
    let lane = world.lane("js4");
    lane.client.send(&lane.event("wake", &json!({"key": 1})));
    assert_eq!(*lane.finish(&run).output(), json!({"key": 1}));
}

fn until_outlined(lane: &Lane<'_>, run: &str, line: &str) {
    until(line, || {
        let lines = lane.client.journal(run).outline();
        lines.iter().any(|found| found.split(", ").any(|part| part == line)).then_some(())
    });
}

fn resumed(run: &Finished, step: &str) -> bool {
    run.journal.outline().contains(&format!("resumed {step}"))
}

fn wake(lane: &Lane<'_>, key: &str, n: u32) {
    lane.client.send(&lane.event("wake", &json!({"key": key, "n": n})));
}

fn an_event_with_the_same_key_resumes_the_run_and_no_other_does(lane: &Lane<'_>) {
    let key = format!("same-{}", lane.id);
    let run = lane.start("wait", &json!({"key": key}));
    until_outlined(lane, &run, "waits wait");
    wake(lane, "another", 1);
    wake(lane, &key, 2);
    let run = lane.finish(&run);
    assert_eq!(*run.output(), json!({"key": key, "n": 2}));
    assert!(resumed(&run, "wait"));
    assert_eq!(run.executed(), ["after"]);
}

fn of_two_events_the_run_takes_the_first(lane: &Lane<'_>) {
    let key = format!("first-{}", lane.id);
    let run = lane.start("wait", &json!({"key": key}));
    until_outlined(lane, &run, "waits wait");
    wake(lane, &key, 1);
    wake(lane, &key, 2);
    assert_eq!(*lane.finish(&run).output(), json!({"key": key, "n": 1}));
}

fn a_wait_in_vain_gives_null(lane: &Lane<'_>) {
    let run = lane.run("wait-in-vain", &json!({}));
    assert_eq!(*run.output(), json!({"woken": null}));
    assert!(run.journal.outline().contains(&"woke wait".to_owned()));
}

fn one_event_ends_two_waits(lane: &Lane<'_>) {
    let key = format!("two-{}", lane.id);
    let run = lane.start("two-waits", &json!({"key": key}));
    until_outlined(lane, &run, "waits two");
    lane.client.send(&lane.event("wake", &json!({"key": key})));
    let run = lane.finish(&run);
    assert_eq!(*run.output(), json!({"same": true, "data": {"key": key}}));
    assert!(resumed(&run, "one") && resumed(&run, "two"));
}

fn a_wait_whose_expression_is_none_fails_the_run(lane: &Lane<'_>) {
    let run = lane.run("bad-wait", &json!({}));
    assert_eq!(run.assert_status("Failed")["name"], "InvalidExpression");
}

fn an_invoked_function_returns_its_value(lane: &Lane<'_>) {
    let run = lane.run("parent", &json!({"n": 21}));
    assert_eq!(*run.output(), json!({"doubled": 42}));
    let timeline: Value = serde_json::from_str(&lane.client.timeline(&run.run)).expect("JSON");
    let call = &timeline["steps"][0];
    assert_eq!((&call["op"], &call["awaits"]["run"]["function"]), (&json!("invoke"), &json!(lane.slug("child"))));
    let child = call["awaits"]["run"]["id"].as_str().expect("the child");
    assert_eq!(lane.client.run(child)["status"], "Completed");
}

fn an_invoked_function_s_error_is_caught(lane: &Lane<'_>) {
    let run = lane.run("parent-of-broken", &json!({}));
    assert_eq!(run.output()["caught"], "child boom");
}

fn nobody_is_invoked_with_a_clear_error(lane: &Lane<'_>) {
    let run = lane.run("parent-of-nobody", &json!({}));
    assert_eq!(run.output()["caught"], "could not find function with ID: nowhere-nobody");
}

fn an_invocation_that_takes_too_long_is_an_error(lane: &Lane<'_>) {
    let run = lane.run("parent-of-slow", &json!({}));
    assert_eq!(run.output()["caught"], "Timed out waiting for invoked function to complete");
}

fn a_signal_is_taken_by_the_one_who_waits(lane: &Lane<'_>) {
    let signal = format!("go-{}", lane.id);
    let send = || lane.client.post("/v1/signals", &json!({"signal": signal, "data": {"d": 1}}));
    let nobody = send();
    assert_eq!((nobody.status, &nobody.json()["status"]), (404, &json!(404)), "{nobody:?}");
    let run = lane.start("wait-for-signal", &json!({"signal": signal}));
    until_outlined(lane, &run, "waits wait");
    let second = lane.run("wait-for-signal", &json!({"signal": signal}));
    assert_eq!(second.assert_status("Failed")["name"], "SignalConflict");
    assert_eq!(send().json()["data"]["run_id"], run);
    assert_eq!(lane.finish(&run).output()["data"], json!({"d": 1}));
    assert_eq!(send().status, 404);
}

fn a_newer_waiter_takes_over(lane: &Lane<'_>) {
    let signal = format!("over-{}", lane.id);
    let [old, new] = [1, 2].map(|_| {
        let run = lane.start("wait-for-signal", &json!({"signal": signal, "conflict": "replace"}));
        until_outlined(lane, &run, "waits wait");
        run
    });
    let sender = lane.run("send-signal", &json!({"signal": signal}));
    sender.assert_status("Completed");
    assert_eq!(lane.finish(&new).output()["data"], json!({"by": "step"}));
    assert_eq!(lane.client.run(&old)["status"], "Running");
}
