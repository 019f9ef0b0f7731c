//! What an event passes before its run begins: rate limits, idempotency, debounces, batches, singletons, and functions that take no new runs.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use stepwell_tests::{Home, Lane, Scenario, Sdk, World, hold_with_each_sdk, scenarios, until};

const SCENARIOS: &[Scenario] = scenarios![
    so_many_runs_in_a_time_and_the_rest_is_dropped,
    one_run_for_each_idempotency_key,
    a_debounce_runs_the_last_event,
    a_batch_is_one_run_with_all_of_its_events,
    a_batch_that_is_not_full_runs_in_time,
    a_singleton_skips_who_comes_while_there_is_one,
    a_singleton_gives_its_place_to_the_newest,
    whoever_invokes_what_does_not_begin_is_told_why,
    a_paused_function_skips_where_it_is_to,
];

hold_with_each_sdk!(SCENARIOS);

/// Sends an event for each of these data, by one request; their ids.
fn send_all(lane: &Lane<'_>, function: &str, data: &[Value]) -> Vec<String> {
    let events: Vec<Value> = data.iter().map(|data| lane.event(function, data)).collect();
    lane.client.send(&json!(events))
}

/// Data of events of one tenant, numbered from 1.
fn numbered(tenant: &str, count: u32) -> Vec<Value> {
    (1..=count).map(|n| json!({"tenant": tenant, "n": n})).collect()
}

/// The runs of a function that these events have started so far.
fn runs_of(lane: &Lane<'_>, function: &str, events: &[String]) -> Vec<String> {
    let runs = events.iter().flat_map(|event| lane.client.runs_of(event));
    let mut runs: Vec<String> = runs
        .filter(|run| run["function_slug"] == lane.slug(function))
        .map(|run| run["run_id"].as_str().expect("a run id").to_owned())
        .collect();
    runs.sort();
    runs.dedup();
    runs
}

/// Waits until they have started so many.
fn until_runs(lane: &Lane<'_>, function: &str, events: &[String], count: usize) -> Vec<String> {
    until(&format!("{count} runs of {function}"), || {
        Some(runs_of(lane, function, events)).filter(|runs| runs.len() >= count)
    })
}

/// What invoking a function comes to: its result, or `{"error": …}`.
fn invoke(lane: &Lane<'_>, callee: &str, data: &Value) -> Value {
    let mut data = data.clone();
    data["callee"] = json!(callee);
    lane.run("caller", &data).output()["result"].clone()
}

fn until_it_waits(lane: &Lane<'_>, run: &str) {
    until("the run waits", || {
        lane.client.journal(run).outline().iter().any(|line| line.contains("waits wait")).then_some(())
    });
}

fn so_many_runs_in_a_time_and_the_rest_is_dropped(lane: &Lane<'_>) {
    let events = send_all(lane, "rate-limited", &numbered("many", 5));
    let other = lane.run("rate-limited", &json!({"tenant": "other", "n": 7}));
    assert_eq!(*other.output(), 7, "each value of the key by itself");
    for run in until_runs(lane, "rate-limited", &events, 2) {
        lane.finish(&run).output();
    }
    let told = invoke(lane, "rate-limited", &json!({"tenant": "many", "n": 6}));
    assert!(told["error"].as_str().is_some_and(|error| error.contains("rate limit")), "{told}");
    assert_eq!(runs_of(lane, "rate-limited", &events).len(), 2);
}

fn one_run_for_each_idempotency_key(lane: &Lane<'_>) {
    let order = |order: &str, n: u32| json!({"order": order, "n": n});
    let first = lane.run("once", &order("a", 1));
    assert_eq!(*first.output(), 1);
    assert_eq!(*lane.run("once", &order("b", 2)).output(), 2);
    let told = invoke(lane, "once", &order("a", 3));
    assert!(told["error"].as_str().is_some_and(|error| error.contains("idempotency")), "{told}");
    let keyless = [1, 2].map(|n| lane.run("once", &json!({"n": n})).output().clone());
    assert_eq!(keyless, [1, 2], "what has no key is not compared");
}

fn a_debounce_runs_the_last_event(lane: &Lane<'_>) {
    let events = send_all(lane, "debounced", &numbered("one", 3));
    let runs = until_runs(lane, "debounced", &events, 1);
    let run = lane.finish(&runs[0]);
    assert_eq!(*run.output(), 3);
    assert_eq!(run.summary["event_id"], *events.last().expect("an event"));
    assert_eq!(runs_of(lane, "debounced", &events), runs);
}

fn a_batch_is_one_run_with_all_of_its_events(lane: &Lane<'_>) {
    let events = send_all(lane, "batched", &numbered("full", 3));
    let runs = until_runs(lane, "batched", &events, 1);
    let run = lane.finish(&runs[0]);
    let mut all: Vec<u64> =
        run.output()["all"].as_array().expect("a list").iter().map(|n| n.as_u64().expect("a number")).collect();
    assert_eq!(run.output()["first"], all[0]);
    all.sort_unstable();
    assert_eq!(all, [1, 2, 3]);
    for event in &events {
        let event = std::slice::from_ref(event);
        assert_eq!(until_runs(lane, "batched", event, 1), runs, "each of its events has it");
    }
}

fn a_batch_that_is_not_full_runs_in_time(lane: &Lane<'_>) {
    let events = send_all(lane, "batched", &numbered("part", 2));
    let runs = until_runs(lane, "batched", &events, 1);
    assert_eq!(lane.finish(&runs[0]).output()["all"].as_array().map(Vec::len), Some(2));
    let told = invoke(lane, "batched", &json!({"tenant": "invoked", "n": 9}));
    assert_eq!(told, json!({"first": 9, "all": [9]}), "whoever invokes it waits for the batch");
}

fn a_singleton_skips_who_comes_while_there_is_one(lane: &Lane<'_>) {
    let data = |n: u32| json!({"tenant": "skip", "key": format!("skip-{}", lane.id), "n": n});
    let first = lane.start("single-skip", &data(1));
    until_it_waits(lane, &first);
    let skipped = lane.run("single-skip", &data(2));
    skipped.assert_status("Skipped");
    skipped.assert_journal(&["started", "skipped"]);
    assert!(skipped.summary["skip_reason"].as_str().is_some_and(|reason| reason.contains(&first)), "{skipped:?}");
    lane.client.send(&lane.event("wake", &data(0)));
    assert_eq!(*lane.finish(&first).output(), 1);
    let third = lane.start("single-skip", &data(3));
    until_it_waits(lane, &third);
    lane.client.send(&lane.event("wake", &data(0)));
    assert_eq!(*lane.finish(&third).output(), 3);
}

fn a_singleton_gives_its_place_to_the_newest(lane: &Lane<'_>) {
    let data = |n: u32| json!({"tenant": "cancel", "key": format!("cancel-{}", lane.id), "n": n});
    let first = lane.start("single-cancel", &data(1));
    until_it_waits(lane, &first);
    let second = lane.start("single-cancel", &data(2));
    lane.finish(&first).assert_status("Cancelled");
    until_it_waits(lane, &second);
    lane.client.send(&lane.event("wake", &data(0)));
    assert_eq!(*lane.finish(&second).output(), 2);
}

fn whoever_invokes_what_does_not_begin_is_told_why(lane: &Lane<'_>) {
    let data = [1, 2].map(|n| json!({"callee": "debounced-slowly", "tenant": "invoked", "n": n}));
    let callers = until_runs(lane, "caller", &send_all(lane, "caller", &data), 2);
    let mut results: Vec<Value> = callers.iter().map(|run| lane.finish(run).output()["result"].clone()).collect();
    results.sort_by_key(|result| result.get("error").is_some());
    assert!(results[0].as_u64().is_some(), "{results:?}");
    assert!(results[1]["error"].as_str().is_some_and(|error| error.contains("newer event")), "{results:?}");
}

fn a_paused_function_skips_where_it_is_to(lane: &Lane<'_>) {
    let set = |path: &str, body: &Value| {
        let answer = lane.client.post(&format!("/v1/functions/{}/{path}", lane.slug("nothing")), body);
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    for (events, reason) in [("skip", "paused"), ("drain", "draining")] {
        set("pause", &json!({"events": events}));
        let skipped = lane.run("nothing", &json!({}));
        skipped.assert_status("Skipped");
        assert!(skipped.summary["skip_reason"].as_str().is_some_and(|told| told.contains(reason)), "{skipped:?}");
        let told = invoke(lane, "nothing", &json!({}));
        assert!(told["error"].as_str().is_some_and(|error| error.contains(reason)), "{told}");
    }
    set("resume", &json!({}));
    lane.run("nothing", &json!({})).output();
}

#[test]
fn what_is_held_back_goes_on_after_a_crash() {
    let mut world = World::dev(&[Sdk::Js4]);
    let lane = world.lane("js4");
    let batched = send_all(&lane, "batched", &numbered("crash", 2));
    let debounced = send_all(&lane, "debounced", &numbered("crash", 3));
    world.server.kill();
    world.server.restart();
    let lane = world.lane("js4");
    let ran_with = |event: &String| {
        until(&format!("{event} is in a batch"), || {
            runs_of(&lane, "batched", std::slice::from_ref(event)).into_iter().next()
        })
    };
    let batches: BTreeSet<String> = batched.iter().map(ran_with).collect();
    let sizes = batches.iter().map(|run| lane.finish(run).output()["all"].as_array().map_or(0, Vec::len));
    assert_eq!(sizes.sum::<usize>(), 2, "none is lost, and none twice: {batches:?}");
    let newest = until("the newest of those that were debounced has run", || {
        let runs = runs_of(&lane, "debounced", std::slice::from_ref(debounced.last()?));
        runs.into_iter().next()
    });
    assert_eq!(*lane.finish(&newest).output(), 3);
    if Home::chosen() == Home::Host {
        // Elsewhere a start may be on its way to its gate when the crash comes, and arrive when the others have gone on.
        assert_eq!(batches.len(), 1);
        assert_eq!(runs_of(&lane, "debounced", &debounced), [newest]);
    }
}
