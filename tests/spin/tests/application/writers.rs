//! Many instances write the same actors at once.

use serde_json::json;
use stepwell_tests::{Client, Keys, Mode, Sdk, Server, World};

const WRITERS: usize = 16;
const EVENTS_EACH: usize = 10;

#[test]
fn sixteen_writers_of_one_actor_lose_nothing_in_key_value() {
    sixteen_writers_lose_nothing("store=key-value");
}

#[test]
fn sixteen_writers_of_one_actor_lose_nothing_in_sqlite() {
    sixteen_writers_lose_nothing("store=sqlite");
}

/// One stream and one history take everything: there is one shard. Each request has an instance of its own, so that nothing but the store
/// stands between them.
fn sixteen_writers_lose_nothing(store: &str) {
    let server = Server::start(Mode::Dev, &["--max-instance-concurrent-reuse-count", "1", "--variable", store]);
    let world = World::new(server, &[Sdk::Js4], &Keys::None);
    let lane = world.lane("js4");
    let sent: Vec<String> = std::thread::scope(|scope| {
        let write = |writer: usize| {
            let (client, lane) = (lane.client.clone(), &lane);
            move || {
                let event = |n: usize| lane.event("single-step", &json!({"n": writer * EVENTS_EACH + n}));
                (0..EVENTS_EACH).flat_map(|n| client.send(&event(n))).collect::<Vec<_>>()
            }
        };
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(write(writer))).collect();
        writers.into_iter().flat_map(|writer| writer.join().expect("a writer")).collect()
    });
    assert_eq!(sent.len(), WRITERS * EVENTS_EACH);
    for event in &sent {
        let run = lane.client.run_of(event, &lane.slug("single-step"));
        assert_eq!(lane.client.over(&run)["status"], "Completed");
        assert_eq!(lane.client.runs_of(event).len(), 1, "one event, one run");
    }
    assert_eq!(listed(&lane.client, &lane.slug("single-step")), sent.len(), "the history has them all");
}

/// How many runs of a function the history lists, page by page; the ends of runs start another.
fn listed(client: &Client, function: &str) -> usize {
    let (mut count, mut cursor) = (0, String::new());
    loop {
        let page = client.data(&format!("/v1/runs?limit=100{cursor}"));
        let runs = page.as_array().expect("runs");
        count += runs.iter().filter(|run| run["function_id"] == function).count();
        let Some(last) = runs.last().filter(|_| runs.len() == 100) else { return count };
        cursor = format!("&cursor={}", last["run_id"].as_str().expect("an id"));
    }
}
