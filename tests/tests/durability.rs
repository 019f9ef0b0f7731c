//! The server is killed again and again, and nobody notices but the clock.

use serde_json::{Value, json};
use std::ops::Range;
use std::time::{Duration, Instant};
use stepwell_tests::{
    Chance, Home, Keys, Lane, Sdk, Server, Watched, World, assert_repeats_have_a_reason, recorded, until,
};

/// What is asked of a home.
struct Load {
    /// As many as can be started and looked through again and again.
    runs: usize,
    /// How long a step takes: a life is long enough for some of them and too short for others, and when all runs have been
    /// started there is work left for the kills.
    step_ms: Range<u64>,
}

impl Load {
    fn of(home: Home) -> Self {
        let (runs, step_ms) = match home {
            Home::Host => (200, 50..500),
            // Where a call comes again only after its lease. 200 runs under Spin: `tests/spin/tests/application`.
            Home::Workerd | Home::Spin => (40, 400..1_500),
        };
        Self { runs, step_ms }
    }
}

const KILLS: usize = 20;
const STEPS: usize = 10;
/// Open while a life is lived and shut while the journals are looked through, so that a slow machine's looking leaves as much for the kills as a fast one's.
const GATE: &str = "steps";
/// After its share of what is left to do a life goes on for so much longer, so that the kill falls between any two things.
const LIFE_MORE_MS: Range<u64> = 0..100;
/// Where nothing comes to an end.
const LIFE_MAX: Duration = Duration::from_secs(10);

/// How many calls the server makes before it is killed, where a life begins with one run per lane.
const SHORT_LIFE_CALLS: Range<u64> = 0..40;

#[test]
fn many_runs_survive_twenty_kills() {
    let began = Instant::now();
    let mut chance = Chance::seeded();
    let Load { runs: count, step_ms } = Load::of(Home::chosen());
    let World { mut server, apps } = World::new(Server::start_for_kills(), &[Sdk::Js4], &Keys::None);
    let app = &apps[0].1;
    let lanes = ["js4", "js4-plain"].map(|id| Lane { id, sdk: Sdk::Js4, app, client: server.client() });
    let mut watched: Vec<Watched<'_>> = Vec::new();
    for lane in &lanes {
        let data = |_| json!({"gate": GATE, "step_ms": chance.within(step_ms.clone())});
        let steps = (0..count / lanes.len()).map(data);
        let events: Vec<_> = steps.map(|data| lane.event("ten-steps", &data)).collect();
        watched.extend(lane.client.send(&json!(events)).iter().map(|event| Watched::new(lane, event, "ten-steps")));
    }
    assert_eq!(watched.len(), count);
    let mut after_the_first = None;
    for number in 1..=KILLS {
        // However fast the machine is, every life sees some of what is left to do, and leaves some to the next.
        let left = (count * STEPS).saturating_sub(recorded(&watched));
        let share = u64::try_from(left.min(2 * left / (KILLS + 1 - number))).expect("a number of steps");
        app.open_gate(GATE);
        live(|| app.settled(), chance.within(0..share.max(1)), &mut chance);
        server.kill();
        app.shut_gate(GATE);
        server.restart();
        watched.iter_mut().for_each(Watched::look_again);
        println!("kill {number} after {:?}: {} steps are recorded", began.elapsed(), recorded(&watched));
        after_the_first.get_or_insert_with(|| recorded(&watched));
    }
    let after_the_first = after_the_first.expect("kills");
    app.open_gate(GATE);
    let after_the_last = recorded(&watched);
    assert!(
        after_the_first < after_the_last,
        "the runs went on between the kills: {after_the_first} steps, then {after_the_last}"
    );
    let sent_again = watched.iter().flat_map(|one| one.earlier.outline()).filter(|line| line == "sent again").count();
    assert!(sent_again >= count * KILLS / 4, "the kills hit work: only {sent_again} calls were sent again");
    for one in &watched {
        let run = one.finish();
        assert_eq!(run.output().as_array().map(Vec::len), Some(STEPS), "{run:?}");
        assert_repeats_have_a_reason(&run);
        Watched::assert_outputs_are_the_recorded_ones(&run);
    }
    println!("{sent_again} calls sent again, {:?}", began.elapsed());
    server.assert_healthy();
}

#[test]
fn every_kind_of_function_survives_kills_with_every_sdk() {
    let mut chance = Chance::seeded();
    let server = Server::start_for_kills();
    let World { mut server, apps } = World::new(server, &[Sdk::Js4, Sdk::Js3, Sdk::Py], &Keys::None);
    let lanes = apps.iter().flat_map(|(sdk, app)| sdk.lanes().iter().map(move |id| (*id, *sdk, app)));
    let lanes: Vec<_> = lanes.map(|(id, sdk, app)| Lane { id, sdk, app, client: server.client() }).collect();
    let expected: [(&str, Value); 6] = [
        ("parallel", json!([1, 2, 3])),
        ("nested", json!({"branches": [111, 12, 13], "after": 136})),
        ("flaky", json!("yes")),
        ("recovering", json!({"kept": "kept", "attempt": 1})),
        ("loop", json!([0, 1, 2, 3, 4])),
        ("big-step", json!(3 << 20)),
    ];
    let mut watched = Vec::new();
    for (function, output) in &expected {
        for lane in &lanes {
            let event = lane.client.send(&lane.event(function, &json!({})));
            watched.push((Watched::new(lane, &event[0], function), output));
        }
        let calls = || apps.iter().map(|(_, app)| app.calls()).sum();
        live(calls, chance.within(SHORT_LIFE_CALLS), &mut chance);
        server.kill();
        server.restart();
        watched.iter_mut().for_each(|(one, _)| one.look_again());
    }
    for (one, output) in &watched {
        let run = one.finish();
        assert_eq!(run.output(), *output, "on {}: {run:?}", one.lane.id);
    }
    server.assert_healthy();
}

/// Until there are `more` than `count` counts now, and then a little longer.
fn live(count: impl Fn() -> u64, more: u64, chance: &mut Chance) {
    let (enough, end) = (count() + more, Instant::now() + LIFE_MAX);
    until("the server has lived", || (count() >= enough || Instant::now() >= end).then_some(()));
    // Not a wait for anything: the moment of the kill is what is random here.
    std::thread::sleep(Duration::from_millis(chance.within(LIFE_MORE_MS)));
}
