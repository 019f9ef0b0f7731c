//! Concurrency, priority, throttles and pauses: who may call the app, and when.

use serde_json::{Value, json};
use stepwell_tests::{Lane, Scenario, Sdk, World, hold_with_each_sdk, scenarios, until};

const SCENARIOS: &[Scenario] = scenarios![
    one_call_at_a_time_and_the_next_when_it_is_over,
    each_tenant_by_itself_and_all_together,
    functions_share_a_limit,
    the_most_urgent_goes_first,
    a_throttle_lets_one_begin_in_each_interval,
    a_paused_function_waits_and_goes_on,
];
const OF_JAVASCRIPT: &[Scenario] = scenarios![one_run_at_a_time_even_while_it_waits];

hold_with_each_sdk!(SCENARIOS, javascript: OF_JAVASCRIPT);

/// Runs of a function, by one request: the ids of their runs.
fn start_all(lane: &Lane<'_>, function: &str, data: &[Value]) -> Vec<String> {
    let events: Vec<Value> = data.iter().map(|data| lane.event(function, data)).collect();
    let ids = lane.client.send(&json!(events));
    ids.iter().map(|id| lane.client.run_of(id, &lane.slug(function))).collect()
}

/// Waits until so many calls of the function wait and so many are under way.
fn until_flow(lane: &Lane<'_>, function: &str, queued: u64, in_flight: u64) -> Value {
    until(&format!("{function} has {queued} queued and {in_flight} in flight"), || {
        let flow = lane.client.data(&format!("/v1/functions/{}/flow", lane.slug(function)));
        (flow["queued"] == queued && flow["in_flight"] == in_flight).then_some(flow)
    })
}

/// When the call of a run came to the app, and when its answer had left.
fn call_times(lane: &Lane<'_>, run: &str) -> Vec<(u64, u64)> {
    let seen = lane.app.seen(Some(run));
    let calls = seen["calls"].as_array().unwrap().iter();
    calls.map(|call| (call["at_ms"].as_u64().unwrap(), call["answer"]["at_ms"].as_u64().unwrap())).collect()
}

/// Waits for the runs' ends, and checks that no more than `limit` calls of theirs were at the app at once.
fn finish_within(lane: &Lane<'_>, runs: &[String], limit: usize) {
    let mut times = Vec::new();
    for run in runs {
        lane.finish(run).output();
        times.extend(call_times(lane, run));
    }
    for (came, _) in &times {
        let at_once = times.iter().filter(|(from, to)| from <= came && came < to).count();
        assert!(at_once <= limit, "{at_once} calls at once: {times:?}");
    }
}

fn one_call_at_a_time_and_the_next_when_it_is_over(lane: &Lane<'_>) {
    let gates: Vec<String> = (0..3).map(|n| format!("one-at-a-time-{}-{n}", lane.id)).collect();
    let runs = start_all(lane, "one-at-a-time", &gates.iter().map(|gate| json!({"gate": gate})).collect::<Vec<_>>());
    until_flow(lane, "one-at-a-time", 2, 1);
    let status = |run: &String| lane.client.run(run)["status"].clone();
    assert_eq!(runs.iter().filter(|run| status(run) == "Scheduled").count(), 2, "they wait to begin");
    gates.iter().for_each(|gate| lane.app.open_gate(gate));
    finish_within(lane, &runs, 1);
    until_flow(lane, "one-at-a-time", 0, 0);
}

fn each_tenant_by_itself_and_all_together(lane: &Lane<'_>) {
    let gate = format!("one-each-{}", lane.id);
    let of = |tenant: &str| json!({"tenant": tenant, "gate": gate});
    let busy = start_all(lane, "one-each", &vec![of("busy"); 4]);
    until_flow(lane, "one-each", 3, 1);
    let quiet = start_all(lane, "one-each", &[of("quiet"), of("third")]);
    let flow = until_flow(lane, "one-each", 4, 2);
    assert_eq!(flow["longest_queues"][0], json!({"keys": {"event.data.tenant": "busy"}, "queued": 3}));
    lane.app.open_gate(&gate);
    finish_within(lane, &busy, 1);
    finish_within(lane, &[busy, quiet].concat(), 2);
}

fn functions_share_a_limit(lane: &Lane<'_>) {
    let gate = format!("shared-{}", lane.id);
    let data = json!({"tenant": gate, "gate": gate});
    let one = start_all(lane, "shared", std::slice::from_ref(&data));
    until_flow(lane, "shared", 0, 1);
    let other = start_all(lane, "shared-too", std::slice::from_ref(&data));
    let flow = until_flow(lane, "shared-too", 1, 0);
    assert_eq!(flow["queued_at_shared_limits"], 1);
    let elsewhere = start_all(lane, "shared-too", &[json!({"tenant": format!("not-{gate}"), "gate": gate})]);
    until_flow(lane, "shared-too", 1, 1);
    lane.app.open_gate(&gate);
    finish_within(lane, &[one, other].concat(), 1);
    lane.finish(&elsewhere[0]);
}

fn the_most_urgent_goes_first(lane: &Lane<'_>) {
    let gate = format!("by-priority-{}", lane.id);
    let first = start_all(lane, "by-priority", &[json!({"ahead": 0, "gate": gate})]);
    until_flow(lane, "by-priority", 0, 1);
    let aheads = [0, 60, -60, 120];
    let rest = start_all(lane, "by-priority", &aheads.map(|ahead| json!({"ahead": ahead, "gate": "open"})));
    until_flow(lane, "by-priority", 4, 1);
    lane.app.open_gate("open");
    lane.app.open_gate(&gate);
    finish_within(lane, &[first, rest.clone()].concat(), 1);
    let mut order: Vec<(u64, i32)> =
        rest.iter().zip(aheads).map(|(run, ahead)| (call_times(lane, run)[0].0, ahead)).collect();
    order.sort_unstable_by_key(|(at, _)| *at);
    assert_eq!(order.into_iter().map(|(_, ahead)| ahead).collect::<Vec<_>>(), [120, 60, 0, -60]);
}

fn a_throttle_lets_one_begin_in_each_interval(lane: &Lane<'_>) {
    lane.app.open_gate("open");
    let runs = start_all(lane, "throttled", &vec![json!({}); 3]);
    let began = |run: &String| {
        let rows = lane.client.data(&format!("/v1/runs/{run}/journal"));
        let began = rows.as_array().unwrap().iter().find(|row| row["entry"].get("Began").is_some());
        began.map(|row| row["at_ms"].as_u64().unwrap()).expect("a run that had to wait says when it began")
    };
    runs.iter().for_each(|run| drop(lane.finish(run)));
    let mut times: Vec<u64> = runs.iter().map(began).collect();
    times.sort_unstable();
    // The gate's moments are an interval apart, to the millisecond (the engine's tests hold it to that); a run begins
    // some moments after its gate has let it go, later in a first call than in those after it.
    const SLACK_MS: u64 = 1_000;
    assert!(times.windows(2).all(|pair| pair[1] - pair[0] >= 2_000 - SLACK_MS), "{times:?}");
}

fn a_paused_function_waits_and_goes_on(lane: &Lane<'_>) {
    let set = |what: &str| {
        let answer = lane.client.post(&format!("/v1/functions/{}/{what}", lane.slug("single-step")), &json!({}));
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    set("pause");
    let run = lane.start("single-step", &json!({"n": 1}));
    let flow = until_flow(lane, "single-step", 1, 0);
    assert_eq!(flow["paused"], json!({"events": "keep"}));
    set("resume");
    assert_eq!(*lane.finish(&run).output(), json!({"one": {"n": 2}}));
}

fn one_run_at_a_time_even_while_it_waits(lane: &Lane<'_>) {
    let key = |n: u32| format!("one-run-{}-{n}", lane.id);
    let first = start_all(lane, "one-run", &[json!({"key": key(1)})]);
    until("the first run waits", || {
        lane.client.journal(&first[0]).outline().iter().any(|line| line.contains("waits wait")).then_some(())
    });
    let second = start_all(lane, "one-run", &[json!({"key": key(2)})]);
    let flow = until_flow(lane, "one-run", 1, 0);
    assert_eq!(flow["runs_begun"], 1, "it calls nothing, and has begun");
    lane.client.send(&lane.event("wake", &json!({"key": key(1)})));
    lane.finish(&first[0]);
    until("the second run waits", || {
        lane.client.journal(&second[0]).outline().iter().any(|line| line.contains("waits wait")).then_some(())
    });
    lane.client.send(&lane.event("wake", &json!({"key": key(2)})));
    lane.finish(&second[0]);
}

#[test]
fn whoever_comes_beyond_the_backlog_is_skipped_and_told_why() {
    let world = World::dev_with(&["--backlog-limit", "2"], &[Sdk::Js4]);
    let lane = world.lane("js4");
    let data = json!({"gate": "backlog"});
    let first = start_all(&lane, "one-at-a-time", std::slice::from_ref(&data));
    until_flow(&lane, "one-at-a-time", 0, 1);
    let waiting = start_all(&lane, "one-at-a-time", &[data.clone(), data.clone()]);
    until_flow(&lane, "one-at-a-time", 2, 1);
    let beyond = lane.run("one-at-a-time", &data);
    beyond.assert_status("Skipped");
    assert!(
        beyond.summary["skip_reason"].as_str().is_some_and(|reason| reason.contains("too many runs")),
        "{beyond:?}"
    );
    assert_eq!(beyond.calls.len(), 0);
    lane.app.open_gate("backlog");
    finish_within(&lane, &[first, waiting].concat(), 1);
    lane.run("one-at-a-time", &data).output();
}

#[test]
fn an_app_is_called_so_often_at_once_whatever_its_functions_ask_for() {
    let world = World::dev_with(&["--calls-per-app", "2"], &[Sdk::Js4]);
    let lane = world.lane("js4-plain");
    let data = json!({"gate": "busy"});
    let before = lane.app.calls();
    let runs = start_all(&lane, "ten-steps", &vec![data; 4]);
    until("two calls are under way", || (lane.app.calls() >= before + 2).then_some(()));
    lane.app.open_gate("busy");
    finish_within(&lane, &runs, 2);
}

#[test]
fn limits_hold_over_a_crash() {
    let mut world = World::dev(&[Sdk::Js4]);
    let lane = world.lane("js4");
    let gates: Vec<String> = (0..3).map(|n| format!("crash-{n}")).collect();
    let runs = start_all(&lane, "one-at-a-time", &gates.iter().map(|gate| json!({"gate": gate})).collect::<Vec<_>>());
    until_flow(&lane, "one-at-a-time", 2, 1);
    world.server.kill();
    world.server.restart();
    let lane = world.lane("js4");
    until_flow(&lane, "one-at-a-time", 2, 1);
    gates.iter().for_each(|gate| lane.app.open_gate(gate));
    for run in &runs {
        lane.finish(run).output();
    }
    until_flow(&lane, "one-at-a-time", 0, 0);
}
