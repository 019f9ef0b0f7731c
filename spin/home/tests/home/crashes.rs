//! Whoever dies between any two operations of the store loses nothing, and stops nobody.

use crate::app::App;
use crate::runs::{finished, ready, send};
use crate::world::World;
use std::collections::BTreeMap;
use std::rc::Rc;
use stepwell_spin_home::types::Request;

/// The operations of a run of two steps and a short sleep, from its event on.
fn begin(seed: u64) -> (Rc<World>, u64) {
    let world = ready(seed, 2);
    world.run(20_000, || false);
    let from = world.memory.operations.get();
    (world, from)
}

fn until_settled(world: &Rc<World>) {
    world.run(20_000, || false);
}

/// Sends until it is acknowledged: who was not told sends again.
fn acknowledged(world: &Rc<World>, event: &[u8]) -> String {
    (0..10).find_map(|_| send(world, event)).expect("an acknowledgement")
}

#[test]
fn an_instance_that_dies_between_any_two_operations_loses_nothing() {
    let (world, from) = begin(1);
    let event = send(&world, &App::event(2, 10, Some("1s"))).unwrap();
    finished(&world, &event);
    until_settled(&world);
    let operations = world.memory.operations.get() - from;
    assert!(operations > 50);
    for place in 0..operations {
        let (world, from) = begin(1);
        world.dies_at.set(Some(from + place));
        let event = acknowledged(&world, &App::event(2, 10, Some("1s")));
        assert_eq!(finished(&world, &event)["output"], 2, "place {place}");
    }
}

/// What a later sending has recorded would run again.
#[test]
fn whoever_is_held_up_for_longer_than_a_lease_makes_no_call_that_counts_as_lost() {
    const HELD_UP_MS: u64 = 40_000;
    let (world, from) = begin(3);
    let event = send(&world, &App::event(3, 10, None)).unwrap();
    finished(&world, &event);
    until_settled(&world);
    let operations = world.memory.operations.get() - from;
    let mut sent_again = 0;
    for place in 0..operations {
        let (world, from) = begin(3);
        world.holds_up_at.set(Some((from + place, HELD_UP_MS)));
        let event = acknowledged(&world, &App::event(3, 10, None));
        assert_eq!(finished(&world, &event)["output"], 3, "place {place}");
        world.run(2 * HELD_UP_MS, || false);
        let calls = &world.app.borrow().calls;
        let dispatches = calls.iter().map(|id| id.rsplit_once('/').unwrap());
        let mut newest: BTreeMap<&str, u32> = BTreeMap::new();
        for (unit, generation) in dispatches {
            let generation = generation.parse().unwrap();
            let newest = newest.entry(unit).or_insert(generation);
            assert!(generation >= *newest, "place {place}: {calls:?}");
            sent_again += generation - *newest;
            *newest = generation;
        }
    }
    assert!(sent_again > 0, "nobody was held up with a call in hand");
}

/// Its caller was held up until its lease had ended, and renews it before whoever saw that it had ended has told the run.
#[test]
fn a_lease_that_is_renewed_before_its_run_is_told_that_it_ended_is_not_lost() {
    const LEASE_MS: u64 = 10_000;
    let mut renewed = 0;
    for place in 0.. {
        let world = ready(4, 2);
        world.app.borrow_mut().takes_ms = 3 * LEASE_MS;
        let event = acknowledged(&world, &App::event(1, 10, None));
        assert!(world.run(5_000, || !world.app.borrow().calls.is_empty()));
        let (caller, _) = world.callers()[0].clone();
        world.hold_up(caller, LEASE_MS + 100);
        world.run(LEASE_MS + 50, || false);
        // Whoever rings is held up somewhere on its way, until the caller goes on.
        let at = world.memory.operations.get() + place;
        world.holds_up_at.set(Some((at, 500)));
        let ticks: Vec<_> = (0..6).map(|_| world.ask(tick())).collect();
        world.run(40, || false);
        if world.memory.operations.get() <= at {
            assert!(place > 20, "nobody ticks");
            break;
        }
        assert!(world.run(2_000, || ticks.iter().all(|tick| tick.borrow().is_some())), "place {place}");
        // Two callers that go on at once would have one step run twice, whatever the leases say.
        for _ in 0..400 {
            world.run(100, || false);
            let callers = world.callers();
            assert!(callers.len() < 2, "place {place}: {callers:?}, {:#?}", world.log.borrow());
        }
        assert_eq!(finished(&world, &event)["output"], 1, "place {place}");
        renewed += u32::from(world.app.borrow().ran.values().all(|times| *times == 1));
    }
    assert!(renewed > 0, "no lease was renewed late");
}

fn tick() -> Request {
    Request {
        method: "POST".to_owned(),
        path: "/tick".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

#[test]
fn a_store_that_fails_at_any_operation_loses_nothing() {
    let (world, from) = begin(2);
    let event = send(&world, &App::event(1, 10, None)).unwrap();
    finished(&world, &event);
    until_settled(&world);
    let operations = world.memory.operations.get() - from;
    for place in 0..operations {
        for takes_effect in [false, true] {
            let (world, from) = begin(2);
            world.memory.fails_at.set(Some((from + place, takes_effect)));
            let event = acknowledged(&world, &App::event(1, 10, None));
            assert_eq!(finished(&world, &event)["output"], 1, "place {place}, {takes_effect}");
        }
    }
}

#[test]
fn runs_end_while_instances_are_killed_at_random() {
    for seed in 1..9 {
        let world = ready(seed, 3);
        let mut events = Vec::new();
        for number in 0..12 {
            events.push(acknowledged(&world, &App::event(3, 10, None)));
            if number % 2 == 0 {
                world.kill_anyone();
            }
        }
        for _ in 0..20 {
            world.run(300, || false);
            world.kill_anyone();
        }
        for event in events {
            assert_eq!(finished(&world, &event)["output"], 3, "seed {seed}");
        }
    }
}

#[test]
fn reads_that_are_a_moment_old_lose_nothing() {
    for seed in 1..6 {
        let world = ready(seed, 3);
        world.memory.is_stale.set(true);
        let events: Vec<_> = (0..8).map(|_| acknowledged(&world, &App::event(3, 10, None))).collect();
        for event in events {
            assert_eq!(finished(&world, &event)["output"], 3, "seed {seed}");
        }
        let app = world.app.borrow();
        assert!(app.ran.values().all(|times| *times == 1), "seed {seed}: {:?}", app.ran);
    }
}
