//! Two partitions: what crosses between them, and what a kill leaves of it.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;
use stepwell_tests::{Chance, Client, Lane, Mode, Rogue, Sdk, Server, World, applies, sdk_reply, until};

const TWO: &[&str] = &["--partitions", "2"];
const RUNS: usize = 24;
const KILLS: usize = 5;
/// How long a life is: some calls are made in it, and some are left to the next.
const LIFE_MS: std::ops::Range<u64> = 100..600;

fn world() -> World {
    World::dev_with(TWO, &[Sdk::Js4])
}

/// The runs of a batch of events, which are in both partitions: each event has an id of its own.
fn start_all(lane: &Lane<'_>, function: &str, event: &str, data: impl Fn(usize) -> Value) -> Vec<String> {
    let events = (0..RUNS)
        .map(|n| json!({"name": format!("{}/{event}", lane.id), "id": format!("{event}-{n}"), "data": data(n)}));
    let ids = lane.client.send(&json!(events.collect::<Vec<_>>()));
    ids.iter().map(|id| lane.client.run_of(id, &lane.slug(function))).collect()
}

#[test]
fn waits_and_invocations_go_on_over_kills() {
    if !applies("waits_and_invocations_go_on_over_kills") {
        return;
    }
    let mut chance = Chance::seeded();
    let World { mut server, apps } = world();
    let lane = Lane { id: "js4", sdk: Sdk::Js4, app: &apps[0].1, client: server.client() };
    let steps = start_all(&lane, "ten-steps", "ten-steps", |_| json!({"step_ms": 60}));
    let waiting = start_all(&lane, "wait", "wait", |n| json!({"key": n}));
    let parents = start_all(&lane, "parent", "parent", |n| json!({"n": n}));
    let mut woken = 0;
    for kill in 0..KILLS {
        // Waits are ended between the kills, also at once after a start.
        let until_now = RUNS * (kill + 1) / (KILLS + 1);
        for (n, run) in waiting.iter().enumerate().take(until_now).skip(woken) {
            until_waiting(&lane, run);
            lane.client.send(&json!({"name": "js4/wake", "id": format!("wake-{n}"), "data": {"key": n}}));
        }
        woken = until_now;
        // Not a wait for anything: the moment of the kill is what is random here.
        std::thread::sleep(Duration::from_millis(chance.within(LIFE_MS)));
        server.kill();
        server.restart();
    }
    for (n, run) in waiting.iter().enumerate().skip(woken) {
        until_waiting(&lane, run);
        lane.client.send(&json!({"name": "js4/wake", "id": format!("wake-{n}"), "data": {"key": n}}));
    }
    for (n, run) in waiting.iter().enumerate() {
        assert_eq!(*lane.finish(run).output(), json!({"key": n}));
    }
    for (n, run) in parents.iter().enumerate() {
        assert_eq!(*lane.finish(run).output(), json!({"doubled": 2 * n}));
    }
    for run in &steps {
        assert_eq!(lane.finish(run).output().as_array().map(Vec::len), Some(10));
    }
    let listed = listed_runs(&lane.client);
    assert!(waiting.iter().chain(&parents).chain(&steps).all(|run| listed.contains(run)));
    assert_eq!(listed.len(), RUNS * 4, "children beside their parents, and none twice");
    server.assert_healthy();
}

fn until_waiting(lane: &Lane<'_>, run: &str) {
    until("the run waits", || {
        let lines = lane.client.journal(run).outline();
        lines.iter().any(|line| line.split(", ").any(|part| part == "waits wait")).then_some(())
    });
}

/// Every page of the list; no run is in it twice.
fn listed_runs(client: &Client) -> BTreeSet<String> {
    let (mut listed, mut cursor) = (BTreeSet::new(), String::new());
    loop {
        let page = client.get(&format!("/v1/runs?limit=7{cursor}")).json();
        for run in page["data"].as_array().expect("runs") {
            assert!(listed.insert(run["run_id"].as_str().expect("an id").to_owned()), "{run} is listed twice");
        }
        match page["metadata"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return listed,
        }
    }
}

#[test]
fn duplicates_meet_whichever_request_they_come_with_and_a_sync_is_known_everywhere() {
    if !applies("duplicates_meet_whichever_request_they_come_with_and_a_sync_is_known_everywhere") {
        return;
    }
    let mut server = Server::start(Mode::Dev, TWO);
    let app = Rogue::start(|_| sdk_reply(200, "", b"1"));
    app.register(&server.client(), "two", 0);
    let client = server.client();
    let event = |n: usize| json!({"name": "two/go", "id": format!("order-{n}")});
    let mut runs = BTreeSet::new();
    for round in 0..3 {
        // Others beside it, so that the request concerns both partitions.
        let events: Vec<_> = (0..8).map(event).chain([json!({"name": "two/go", "data": {"round": round}})]).collect();
        let ids = client.send(&json!(events));
        // An order that came before starts nothing.
        let fresh = if round == 0 { &ids[..] } else { &ids[8..] };
        runs.extend(fresh.iter().map(|id| client.run_of(id, "two-f")));
        server.kill();
        server.restart();
    }
    for run in &runs {
        assert_eq!(client.over(run)["status"], "Completed");
    }
    assert_eq!(runs.len(), 8 + 3);
    assert_eq!(listed_runs(&client), runs, "each order once, and each event without an id");
    let files = |name: &str| std::fs::exists(server.data().join(name)).expect("a folder");
    assert!(files("stepwell.db") && files("stepwell-1.db") && !files("stepwell-2.db"));
    server.assert_healthy();
}

#[test]
fn another_number_of_partitions_is_refused() {
    if !applies("another_number_of_partitions_is_refused") {
        return;
    }
    let mut server = Server::start(Mode::Dev, TWO);
    assert_eq!(server.stop(), Some(0));
    let said = server.fail_to_start(&["--partitions", "3"]);
    assert!(said.contains("partitions_changed") && said.contains("--partitions 2"), "{said}");
    let said = server.fail_to_start(&[]);
    assert_eq!(said.matches("partitions_changed").count(), 2, "{said}");
    server.restart();
    server.assert_healthy();
}
