//! Sleeping, and being stopped in one's sleep.

use serde_json::json;
use stepwell_tests::{Lane, Scenario, Sdk, World, hold_with_each_sdk, scenarios, until};

const SCENARIOS: &[Scenario] = scenarios![a_sleep_is_never_early, a_cancelled_run_stays_stopped_and_says_so];

hold_with_each_sdk!(SCENARIOS);

#[test]
fn a_sleep_goes_on_over_a_crash() {
    let mut world = World::dev(&[Sdk::Js4]);
    let run = world.lane("js4").start("sleep", &json!({}));
    until("the run sleeps", || {
        let lines = world.server.client().journal(&run).outline();
        lines.iter().any(|line| line == "slept nap").then_some(())
    });
    world.server.kill();
    world.server.restart();
    let run = world.lane("js4").finish(&run);
    let time = |name: &str| run.output()[name].as_u64().expect("a moment");
    assert!(time("after") - time("before") >= 1_000);
    assert_eq!(run.executed(), ["before", "after"]);
    run.assert_journal(&["started", "saved before", "slept nap", "woke nap", "saved after", "complete"]);
}

fn a_sleep_is_never_early(lane: &Lane<'_>) {
    let run = lane.run("sleep", &json!({}));
    let time = |name: &str| run.output()[name].as_u64().expect("a moment");
    assert!(time("after") - time("before") >= 1_000, "{}", run.output());
    assert_eq!(run.executed(), ["before", "after"]);
    match lane.id {
        "js4-buffered" => {
            run.assert_journal(&["started", "saved before", "slept nap", "woke nap", "ran after, complete"])
        }
        _ if lane.checkpoints() => {
            run.assert_journal(&["started", "saved before", "slept nap", "woke nap", "saved after", "complete"]);
        }
        _ => run.assert_journal(&["started", "ran before", "slept nap", "woke nap", "ran after", "complete"]),
    }
    let woken = run.calls.iter().find(|call| call.seen()["steps"].as_object().expect("steps").len() == 2);
    let steps = woken.expect("a call after the sleep").seen()["steps"].clone();
    let nap = steps.as_object().expect("steps").values().find(|memo| memo["value"].is_null() && memo["bytes"] == 4);
    assert!(nap.is_some(), "a sleep is remembered as null: {steps}");
}

fn a_cancelled_run_stays_stopped_and_says_so(lane: &Lane<'_>) {
    let run = lane.start("long-sleep", &json!({}));
    until("the run sleeps", || {
        let lines = lane.client.journal(&run).outline();
        lines.iter().any(|line| line.contains("slept night")).then_some(())
    });
    let cancel = || lane.client.ask("DELETE", &format!("/v1/runs/{run}"), &[], b"").expect("an answer");
    assert_eq!(cancel().status, 200);
    assert_eq!(cancel().status, 200, "stopping twice is stopping");
    let finished = lane.finish(&run);
    finished.assert_status("Cancelled");
    assert_eq!(finished.journal.outline().last().map(String::as_str), Some("cancelled"));
    until("inngest/function.cancelled starts a function", || {
        let seen = lane.app.seen(Some(&format!("about-{run}")));
        seen["executions"].as_array()?.iter().any(|one| one["step"] == "cancellation seen").then_some(())
    });
    assert!(!finished.executed().contains(&"after"));
}
