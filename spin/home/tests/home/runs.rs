//! Runs from their event to their end.

use crate::app::App;
use crate::memory::Nature;
use crate::world::World;
use serde_json::Value;
use std::rc::Rc;

/// A world whose app is registered.
pub fn ready(seed: u64, each: usize) -> Rc<World> {
    let world = World::new(seed, each);
    register(&world);
    world
}

pub fn register(world: &Rc<World>) {
    let response = world.answer("POST", "/fn/register", &App::registration()).expect("nobody dies");
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
}

/// Accepts an event; gives its id, where it was acknowledged.
pub fn send(world: &Rc<World>, event: &[u8]) -> Option<String> {
    let response = world.answer("POST", "/e/key", event)?;
    if response.status != 200 {
        return None;
    }
    let said: Value = serde_json::from_slice(&response.body).unwrap();
    Some(said["ids"][0].as_str().unwrap().to_owned())
}

/// The runs of an event, as they are now.
pub fn runs_of(world: &Rc<World>, event: &str) -> Option<Vec<Value>> {
    let response = world.answer("GET", &format!("/v1/events/{event}/runs"), b"")?;
    let said: Value = serde_json::from_slice(&response.body).unwrap();
    Some(said["data"].as_array()?.clone())
}

/// Waits until the one run of an event is over; gives it.
pub fn finished(world: &Rc<World>, event: &str) -> Value {
    for _ in 0..600 {
        if let Some([run]) = runs_of(world, event).as_deref()
            && run["status"] == "Completed"
        {
            return run.clone();
        }
        world.run(1_000, || false);
    }
    panic!("{event} has {:?}; {:#?}", runs_of(world, event), world.log.borrow());
}

#[test]
fn an_event_becomes_a_run_that_ends() {
    let world = ready(1, 2);
    let event = send(&world, &App::event(3, 10, None)).unwrap();
    assert_eq!(finished(&world, &event)["output"], 3);
    let app = world.app.borrow();
    assert_eq!(app.ran.values().copied().collect::<Vec<_>>(), [1, 1, 1]);
}

#[test]
fn many_events_at_once_all_end_and_each_step_runs_once() {
    for seed in 1..6 {
        let world = ready(seed, 4);
        let answers: Vec<_> = (0..16)
            .map(|_| {
                world.ask(stepwell_spin_home::types::Request {
                    method: "POST".to_owned(),
                    path: "/e/key".to_owned(),
                    query: String::new(),
                    headers: Vec::new(),
                    body: App::event(2, 10, None),
                })
            })
            .collect();
        assert!(world.run(120_000, || answers.iter().all(|answer| answer.borrow().is_some())));
        for answer in answers {
            let response = answer.take().unwrap().unwrap();
            assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
            let said: Value = serde_json::from_slice(&response.body).unwrap();
            finished(&world, said["ids"][0].as_str().unwrap());
        }
        let app = world.app.borrow();
        assert_eq!(app.ran.len(), 32, "seed {seed}");
        assert!(app.ran.values().all(|times| *times == 1), "seed {seed}: {:?}", app.ran);
    }
}

#[test]
fn a_run_that_is_large_is_in_many_documents_and_none_is_too_large() {
    let world = ready(3, 1);
    let event = send(&world, &App::event(12, 200_000, None)).unwrap();
    assert_eq!(finished(&world, &event)["output"], 12);
    assert!(world.memory.largest.get() <= stepwell_spin_home::limits::VALUE_BYTES_MAX);
    // Pages that nobody names any more are gone with the next change: what is left is not much more than what was written.
    let bytes: usize = world.memory.values.borrow().values().map(Vec::len).sum();
    assert!(bytes < 3 * 12 * 200_000, "{bytes} bytes are left");
}

#[test]
fn a_store_that_hides_lost_swaps_is_asked_again_and_loses_nothing() {
    for seed in 1..4 {
        let world = World::new(seed, 4);
        world.memory.nature.set(Nature::Unheard);
        for instance in world.instances.borrow().values().cloned().collect::<Vec<_>>() {
            begin(&world, instance).unwrap();
        }
        register(&world);
        let events: Vec<_> = (0..6).map(|_| send(&world, &App::event(2, 10, None)).unwrap()).collect();
        events.iter().for_each(|event| drop(finished(&world, event)));
    }
}

#[test]
fn a_store_without_atomics_is_refused_with_the_reason() {
    for (nature, reason) in [(Nature::Without, "atomic"), (Nature::Blind, "no atomic swap")] {
        let world = World::new(1, 1);
        world.memory.nature.set(nature);
        let instance = world.instances.borrow().values().next().unwrap().clone();
        let why = begin(&world, instance).unwrap_err();
        assert!(why.contains(reason) && why.contains("docs/SPIN.md"), "{why}");
    }
}

#[test]
fn what_was_found_out_of_a_store_is_remembered_in_it() {
    let world = World::new(1, 2);
    let instances: Vec<_> = world.instances.borrow().values().cloned().collect();
    begin(&world, instances[0].clone()).unwrap();
    let before = world.memory.operations.get();
    begin(&world, instances[1].clone()).unwrap();
    assert_eq!(world.memory.operations.get() - before, 1);
}

fn begin(world: &Rc<World>, instance: crate::world::Instance) -> Result<(), String> {
    use crate::world::Instance::{EventApi, Executor, Public, Scheduler};
    let verdict = Rc::new(std::cell::RefCell::new(None));
    let made = verdict.clone();
    world.spawn(0, async move {
        *made.borrow_mut() = Some(match instance {
            Public(home) | EventApi(home) => home.begin().await,
            Scheduler(home) | Executor(home) => home.begin().await,
        });
    });
    assert!(world.run(1_000, || verdict.borrow().is_some()));
    verdict.take().unwrap()
}
