//! The server is killed again and again, and nobody notices but the clock.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::{Duration, Instant};
use stepwell_tests::{Chance, Execution, Finished, Journal, Lane, Sdk, World, until};

const RUNS: usize = 200;
const KILLS: usize = 20;
const STEPS: usize = 10;
/// How long the server may live between two kills.
const LIFE_MS: std::ops::Range<u64> = 50..900;
/// How long a step takes; a life is long enough for some of them and too short for others.
const STEP_MS: std::ops::Range<u64> = 50..500;
const WHOLE_TEST_MAX: Duration = Duration::from_secs(90);

/// One run under observation.
struct Watched<'a> {
    lane: &'a Lane<'a>,
    run: String,
    earlier: Journal,
}

#[test]
fn two_hundred_runs_survive_twenty_kills() {
    let began = Instant::now();
    let mut chance = Chance::seeded();
    let World { mut server, apps } = World::dev(&[Sdk::Js4]);
    let lanes = ["js4", "js4-plain"].map(|id| Lane { id, sdk: Sdk::Js4, app: &apps[0].1, client: server.client() });
    let mut watched: Vec<Watched<'_>> = Vec::new();
    for lane in &lanes {
        let steps = (0..RUNS / lanes.len()).map(|_| json!({"step_ms": chance.within(STEP_MS)}));
        let events: Vec<_> = steps.map(|data| lane.event("ten-steps", &data)).collect();
        for event in lane.client.send(&json!(events)) {
            let run = lane.client.run_of(&event, &lane.slug("ten-steps"));
            let earlier = lane.client.journal(&run);
            watched.push(Watched { lane, run, earlier });
        }
    }
    assert_eq!(watched.len(), RUNS);
    for _ in 0..KILLS {
        std::thread::sleep(Duration::from_millis(chance.within(LIFE_MS)));
        server.kill();
        server.restart();
        for one in &mut watched {
            let now = one.lane.client.journal(&one.run);
            assert!(now.continues(&one.earlier), "{}: {:?} became {:?}", one.run, one.earlier, now);
            one.earlier = now;
        }
    }
    let sent_again = watched.iter().flat_map(|one| one.earlier.outline()).filter(|line| line == "sent again").count();
    assert!(sent_again >= RUNS, "the kills hit work: only {sent_again} calls were sent again");
    let seen = Seen::new(&apps[0].1, &watched);
    for one in &watched {
        let run = one.lane.finish(&one.run);
        assert!(run.journal.continues(&one.earlier));
        assert_complete(&run);
        assert_nothing_recorded_runs_again(&run);
        assert_every_call_carries_what_is_recorded(&run);
    }
    println!("{sent_again} calls sent again, {} steps run, {:?}", seen.executions, began.elapsed());
    assert!(began.elapsed() < WHOLE_TEST_MAX, "{:?}", began.elapsed());
    server.assert_healthy();
}

/// What the app did in all, once all runs are over.
struct Seen {
    executions: usize,
}

impl Seen {
    fn new(app: &stepwell_tests::App, watched: &[Watched<'_>]) -> Self {
        for one in watched {
            one.lane.client.over(&one.run);
        }
        let executions = until("the app answers", || app.seen(None)["executions"].as_array().map(Vec::len));
        Self { executions }
    }
}

fn assert_complete(run: &Finished) {
    let output = run.output().as_array().expect("ten results").clone();
    assert_eq!(output.len(), STEPS, "{run:?}");
    let recorded = run.journal.results();
    let ids: HashMap<&str, &str> = run.executions.iter().map(|one| (one.step.as_str(), one.id.as_str())).collect();
    for (i, result) in output.iter().enumerate() {
        let step = format!("s{i}");
        assert_eq!(
            recorded[ids[step.as_str()]].1["data"],
            *result,
            "{}: the result of {step} is the recorded one",
            run.run
        );
    }
}

/// Neither after the row was decided that records the step, nor after a checkpoint of it was answered with 200.
fn assert_nothing_recorded_runs_again(run: &Finished) {
    let recorded = run.journal.results();
    let mut known_at_ms: HashMap<&str, u64> = recorded.iter().map(|(id, (at_ms, _))| (id.as_str(), *at_ms)).collect();
    for request in run.requests.iter().filter(|request| request["status"] == 200) {
        let at_ms = request["answered_at_ms"].as_u64().expect("a moment");
        for step in request["steps"].as_array().into_iter().flatten().filter(|step| step["op"] == "StepRun") {
            let id = step["id"].as_str().expect("a step id");
            let known = known_at_ms
                .get_mut(id)
                .unwrap_or_else(|| panic!("{}: an acknowledged checkpoint of {id} is lost", run.run));
            *known = at_ms.min(*known);
        }
    }
    for Execution { step, id, at_ms, .. } in &run.executions {
        let known_at_ms = known_at_ms[id.as_str()];
        assert!(*at_ms <= known_at_ms, "{}: {step} ran at {at_ms} although known at {known_at_ms}: {run:?}", run.run);
    }
}

fn assert_every_call_carries_what_is_recorded(run: &Finished) {
    let recorded = run.journal.results();
    for call in &run.calls {
        let at_ms = call.at_ms();
        for (id, memo) in call.seen()["steps"].as_object().expect("steps") {
            assert_eq!(memo["value"]["data"], recorded[id].1["data"], "{}: {id} changed: {call:?}", run.run);
        }
        let carried = |id: &String| !call.seen()["steps"][id].is_null();
        let missing: Vec<&Value> = recorded
            .iter()
            .filter(|(id, (known_ms, _))| *known_ms + 1_000 < at_ms && !carried(id))
            .map(|(_, (_, result))| result)
            .collect();
        assert!(missing.is_empty(), "{}: a call lacks what was recorded a second before it: {missing:?}", run.run);
    }
}
