//! Runs that have to do with others or with the clock, while the server is killed again and again.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use stepwell_tests::{App, Chance, Client, Keys, Lane, Sdk, Server, until};

/// Runs of each kind.
const RUNS: usize = 12;
const KILLS_MIN: usize = 6;
/// How long a life is: what is sent in it may be taken in before the kill, or between that and its answer.
const LIFE_MS: Range<u64> = 200..3_000;
const MINUTE_S: u64 = 60;
/// So long after a minute has begun its run is there, or is owed to the next life.
const MINUTE_MORE: Duration = Duration::from_secs(2);

#[test]
fn what_waits_invokes_is_cancelled_or_is_due_survives_kills() {
    let mut chance = Chance::seeded();
    let mut server = Server::start_for_kills();
    let app = App::start_with(Sdk::Js4, &server.origin(), &Keys::None, &[("CRON", "* * * * *")]);
    assert_eq!(app.sync("js4").status, 200);
    let lane = Lane { id: "js4", sdk: Sdk::Js4, app: &app, client: server.client() };
    let start =
        |function: &str, key: &str| (0..RUNS).map(|n| lane.start(function, &json!({key: n}))).collect::<Vec<_>>();
    let [waiting, parents, stopped] =
        [("wait", "key"), ("parent", "n"), ("cancellable", "key")].map(|(f, key)| start(f, key));
    let meet = |n: usize| {
        until_at(&lane, &waiting[n], "waits wait");
        until_at(&lane, &stopped[n], "slept night");
        let event =
            |name: &str| json!({"name": format!("js4/{name}"), "id": format!("{name}-{n}"), "data": {"key": n}});
        // Both in one request: a kill takes neither or both.
        lane.client.send(&json!([event("wake"), event("stop")]));
    };
    let minute = next_minute();
    let mut kills = 0;
    while kills < KILLS_MIN || SystemTime::now() < minute + MINUTE_MORE {
        if kills < RUNS {
            meet(kills);
        }
        // Not a wait for anything: the moment of the kill is what is random here.
        std::thread::sleep(Duration::from_millis(chance.within(LIFE_MS)));
        server.kill();
        server.restart();
        kills += 1;
    }
    (kills..RUNS).for_each(meet);
    for (n, run) in waiting.iter().enumerate() {
        assert_eq!(*lane.finish(run).output(), json!({"key": n}));
    }
    for (n, run) in parents.iter().enumerate() {
        assert_eq!(*lane.finish(run).output(), json!({"doubled": 2 * n}));
    }
    for run in &stopped {
        lane.finish(run).assert_status("Cancelled");
    }
    // One look: the next minute may begin meanwhile.
    let listed = lane.client.data("/v1/runs?limit=100");
    let listed = listed.as_array().expect("runs");
    let minutes = scheduled(&lane.client, listed);
    let (first, last) = (minutes.first().expect("a run of the schedule"), minutes.last().expect("one"));
    assert_eq!(minutes.len() as u64, last - first + 1, "each minute started one run: {minutes:?}");
    assert_eq!(listed.len(), 4 * RUNS + minutes.len(), "children beside their parents, and nothing twice");
    println!("{kills} kills, {} minutes", minutes.len());
    server.assert_healthy();
}

fn until_at(lane: &Lane<'_>, run: &str, place: &str) {
    until(place, || {
        let lines = lane.client.journal(run).outline();
        lines.iter().any(|line| line.split(", ").any(|part| part == place)).then_some(())
    });
}

fn next_minute() -> SystemTime {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs();
    UNIX_EPOCH + Duration::from_secs((seconds / MINUTE_S + 1) * MINUTE_S)
}

/// The minutes, counted from 1970, whose runs are there; none of them has two.
fn scheduled(client: &Client, listed: &[Value]) -> BTreeSet<u64> {
    let runs: Vec<&Value> = listed.iter().filter(|run| run["function_id"] == "js4-scheduled").collect();
    let minute = |run: &&Value| {
        let event = client.over(run["run_id"].as_str().expect("an id"))["output"].clone();
        event["ts"].as_u64().expect("a time") / 1_000 / MINUTE_S
    };
    let minutes: BTreeSet<u64> = runs.iter().map(minute).collect();
    assert_eq!(minutes.len(), runs.len(), "a minute has started two runs");
    minutes
}
