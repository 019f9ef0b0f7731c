//! Instances are killed in the middle of whatever they do, and nobody notices but the clock.

use serde_json::{Value, json};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use stepwell_tests::{
    Chance, Client, Keys, Lane, Sdk, Server, Watched, World, assert_repeats_have_a_reason, recorded, until,
};

const RUNS: usize = 200;
const STEPS: usize = 10;
const ROUNDS: usize = 10;
/// How many events go in one request.
const BATCH: usize = 10;
/// Of a million calls to the host: an instance dies every few hundred of them, and takes all with it that it does for other requests. Where it dies more
/// often than a step takes, no step ends.
const KEY_VALUE_KILL_RATE: &str = "6000";
/// A turn takes fewer calls here: what it writes is one.
const SQLITE_KILL_RATE: &str = "12000";
/// What is expected is nearly twice as many.
const KILLS_MIN: usize = 40;
/// How soon a call that went with its instance is made again: long enough that the renewals of 200 calls leave a store on two cores time for the rest.
const LEASE: &str = "lease_ms=6000";
/// Open in a round and shut while the journals are looked through, so that a fast machine leaves as much for the kills as a slow one.
const GATE: &str = "steps";
/// A round in which nothing more comes to an end.
const ROUND_MAX: Duration = Duration::from_secs(20);

#[test]
fn many_runs_survive_killed_instances() {
    survive("store=key-value", KEY_VALUE_KILL_RATE);
}

#[test]
fn many_runs_survive_killed_instances_with_sqlite() {
    survive("store=sqlite", SQLITE_KILL_RATE);
}

fn survive(store: &str, kill_rate: &str) {
    if !is_under_harness() {
        println!("left out: Spin has no option that kills its instances");
        return;
    }
    let mut chance = Chance::seeded();
    let seed = chance.within(0..u64::from(u32::MAX)).to_string();
    let arguments =
        ["--kill-rate", kill_rate, "--seed", &seed, "--kills-wait", "--variable", LEASE, "--variable", store];
    let World { mut server, apps } = World::new(Server::start_for_kills_with(&arguments), &[Sdk::Js4], &Keys::None);
    let app = &apps[0].1;
    let lanes = ["js4", "js4-plain"].map(|id| Lane { id, sdk: Sdk::Js4, app, client: server.client() });
    let mut acknowledged = Vec::new();
    server.signal("USR1");
    for (number, lane) in lanes.iter().enumerate() {
        for batch in 0..RUNS / lanes.len() / BATCH {
            let event = |_| lane.event("ten-steps", &json!({"gate": GATE, "step_ms": chance.within(50..500)}));
            let events: Vec<_> = (0..BATCH).map(event).collect();
            let ids = send(&lane.client, &seed_of(number, batch), &json!(events));
            acknowledged.extend(ids.into_iter().map(|event| (lane, event)));
        }
    }
    server.signal("USR1");
    assert_eq!(acknowledged.len(), RUNS);
    let mut watched: Vec<_> = acknowledged.iter().map(|(lane, event)| Watched::new(lane, event, "ten-steps")).collect();
    for round in 1..=ROUNDS {
        server.signal("USR1");
        app.open_gate(GATE);
        let left = RUNS * STEPS - recorded(&watched);
        let enough = app.settled() + u64::try_from(left / (ROUNDS + 1 - round)).expect("a number of steps");
        let end = Instant::now() + ROUND_MAX;
        until("the round is over", || (app.settled() >= enough || Instant::now() >= end).then_some(()));
        app.shut_gate(GATE);
        server.signal("USR1");
        watched.iter_mut().for_each(Watched::look_again);
        println!("round {round}: {} steps are recorded, {} kills", recorded(&watched), kills(&server));
    }
    app.open_gate(GATE);
    for one in &watched {
        let run = one.finish_by_leases();
        assert_eq!(run.output().as_array().map(Vec::len), Some(STEPS), "{run:?}");
        assert_repeats_have_a_reason(&run);
        Watched::assert_outputs_are_the_recorded_ones(&run);
    }
    for (lane, event) in &acknowledged {
        assert_eq!(lane.client.runs_of(event).len(), 1, "one event, one run");
    }
    assert!(kills(&server) >= KILLS_MIN, "only {} kills", kills(&server));
    server.assert_healthy();
}

fn is_under_harness() -> bool {
    std::env::var("STEPWELL_SPIN_PROGRAM").is_ok_and(|program| program.ends_with("stepwell-spin-harness"))
}

/// The seed of a request's ids (PROTOCOL §8.5): a time, and ten bytes of which the last four are counted up.
fn seed_of(lane: usize, batch: usize) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is right").as_millis();
    format!("{now},{lane}{batch:07}AAAAAA==")
}

/// Sends events until they are acknowledged, as an SDK does: under a seed, by which the server knows them again where only its answer was lost.
fn send(client: &Client, seed: &str, events: &Value) -> Vec<String> {
    until("events are acknowledged", || {
        let headers = [("content-type", "application/json"), ("x-inngest-event-id-seed", seed)];
        let answer = client.ask("POST", &client.event_path(), &headers, events.to_string().as_bytes()).ok()?;
        let body = (answer.status == 200).then(|| answer.json())?;
        body["ids"].as_array()?.iter().map(|id| id.as_str().map(ToOwned::to_owned)).collect()
    })
}

fn kills(server: &Server) -> usize {
    server.log_count("killed, as --kill-rate asks")
}
