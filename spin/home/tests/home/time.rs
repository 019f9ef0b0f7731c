//! Sleeps, ticks, and those who sleep for them.

use crate::app::App;
use crate::runs::{finished, ready, send};
use crate::world::World;
use std::rc::Rc;
use stepwell_spin_home::limits::CLAIM_MS;
use stepwell_spin_home::types::Request;

#[test]
fn a_sleep_ends_without_anybody_asking_and_never_early() {
    let world = ready(5, 2);
    let began = world.now.get();
    let event = send(&world, &App::event(1, 10, Some("70s"))).unwrap();
    let ran = || world.app.borrow().ran.len();
    assert!(!world.run(69_000, || ran() > 0), "early");
    assert!(world.run(5_000, || ran() > 0), "an instance that is there sleeps for what is due");
    let late = world.now.get() - began - 70_000;
    assert!(late < 500, "{late} ms late");
    finished(&world, &event);
}

#[test]
fn a_tick_finds_what_is_due_when_every_instance_is_gone() {
    let world = ready(6, 1);
    send(&world, &App::event(1, 10, Some("1h"))).unwrap();
    world.run(30_000, || false);
    forsaken(&world, 3_600_000);
    assert!(!world.run(60_000, || !world.app.borrow().ran.is_empty()), "nobody is there to see it");
    let response = world.answer("POST", "/tick", b"").unwrap();
    assert_eq!(response.status, 200);
    assert!(world.run(1_000, || !world.app.borrow().ran.is_empty()));
}

/// Everybody is gone, and the clock goes on.
fn forsaken(world: &Rc<World>, ms: u64) {
    let all: Vec<u64> = world.instances.borrow().keys().copied().collect();
    all.into_iter().for_each(|of| world.kill(of));
    world.now.set(world.now.get() + ms);
}

#[test]
fn a_request_in_passing_finds_what_is_due_in_every_part() {
    let world = ready(9, 1);
    send(&world, &App::event(1, 10, Some("1h"))).unwrap();
    world.run(30_000, || false);
    forsaken(&world, 3_600_000);
    assert_eq!(world.answer("GET", "/health", b"").unwrap().status, 200);
    assert!(world.run(1_000, || !world.app.borrow().ran.is_empty()), "{:?}", world.log.borrow());
}

#[test]
fn whoever_dies_with_an_alarm_in_hand_makes_it_late_by_a_claim() {
    for place in 0..200 {
        let world = ready(10, 1);
        send(&world, &App::event(1, 10, Some("1h"))).unwrap();
        world.run(30_000, || false);
        forsaken(&world, 3_600_000);
        world.dies_at.set(Some(world.memory.operations.get() + place));
        let began = world.now.get();
        // Somebody ticks each second: whoever was told of no answer as well.
        let ran = || !world.app.borrow().ran.is_empty();
        while !ran() {
            let _ = world.answer("POST", "/tick", b"");
            world.run(1_000, ran);
            let late = world.now.get() - began;
            assert!(late <= CLAIM_MS + 2_000, "place {place}: {late} ms late");
        }
        if world.dies_at.get().is_some() {
            assert!(place > 10, "nobody died");
            return;
        }
    }
    panic!("a tick has no end");
}

#[test]
fn ticks_at_once_and_again_ring_once() {
    let world = ready(7, 4);
    send(&world, &App::event(1, 10, Some("1h"))).unwrap();
    world.run(30_000, || false);
    forsaken(&world, 3_600_000);
    let request = || Request {
        method: "POST".to_owned(),
        path: "/tick".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
    };
    let ticks: Vec<_> = (0..6).map(|_| world.ask(request())).collect();
    assert!(world.run(60_000, || ticks.iter().all(|tick| tick.borrow().is_some())));
    world.run(100_000, || false);
    assert_eq!(world.app.borrow().ran.values().copied().collect::<Vec<_>>(), [1]);
}

#[test]
fn a_tick_wants_its_key() {
    let mut world = crate::world::World::empty(1);
    let variables = &mut std::rc::Rc::get_mut(&mut world).unwrap().variables;
    variables.insert("tick_key", "secret");
    world.populate(1);
    assert_eq!(world.answer("POST", "/tick", b"").unwrap().status, 401);
    for (bearer, status) in [("Bearer secret", 200), ("Bearer Secret", 401), ("secret", 401)] {
        let answer = world.ask(Request {
            method: "POST".to_owned(),
            path: "/tick".to_owned(),
            query: String::new(),
            headers: vec![("authorization".to_owned(), bearer.to_owned())],
            body: Vec::new(),
        });
        assert!(world.run(10_000, || answer.borrow().is_some()));
        assert_eq!(answer.take().unwrap().unwrap().status, status, "{bearer}");
    }
    assert_eq!(world.answer("GET", "/tick", b"").unwrap().status, 405);
}

#[test]
fn a_world_at_rest_has_nothing_due() {
    let world = ready(8, 2);
    let event = send(&world, &App::event(2, 10, None)).unwrap();
    finished(&world, &event);
    world.run(900_000, || false);
    let before = world.memory.operations.get();
    world.run(3_600_000, || false);
    assert_eq!(world.memory.operations.get(), before, "nobody looks where nothing is pending");
}
