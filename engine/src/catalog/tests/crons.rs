//! Whom the catalog tells that schedules may have changed.

use super::driver::{Driver, app, function, function_with};
use crate::catalog::message::Ask;
use crate::turn::{ActorKind, Done, Effect, Message};
use serde_json::{Value, json};

/// Those who are told to look, in a turn that installs a catalog before.
fn told(done: &Done) -> Vec<&str> {
    let mut is_installed = false;
    let mut told = Vec::new();
    for effect in &done.effects {
        match effect {
            Effect::Install { .. } => is_installed = true,
            Effect::Send { to, body } if to.kind == ActorKind::Cron => {
                assert!(is_installed, "what they look at is there");
                assert_eq!(body, br#""Look""#);
                told.push(to.key.as_str());
            }
            _ => {}
        }
    }
    told
}

fn register(driver: &mut Driver, functions: &[Value]) -> Done {
    let body = serde_json::value::to_raw_value(&app("a", functions)).unwrap();
    let (answer, done) = driver.answer(&Ask::Register { body, deploy_id: None });
    answer.unwrap();
    done
}

fn every(id: &str, schedule: &str) -> Value {
    function_with(id, json!({"triggers": [{"cron": schedule}]}))
}

#[test]
fn whoever_has_or_had_a_schedule_is_told_of_a_sync_that_changes_the_function() {
    let mut driver = Driver::default();
    let done = register(&mut driver, &[function("a-event"), every("a-one", "* * * * *"), every("a-two", "0 * * * *")]);
    assert_eq!(told(&done), ["a-one", "a-two"]);
    // The same again is no change.
    let done = register(&mut driver, &[function("a-event"), every("a-one", "* * * * *"), every("a-two", "0 * * * *")]);
    assert_eq!(told(&done), [""; 0]);
    // One has another schedule, one has none any more, one gets its first.
    let done = register(&mut driver, &[every("a-event", "1 * * * *"), every("a-one", "5 * * * *"), function("a-two")]);
    assert_eq!(told(&done), ["a-event", "a-one", "a-two"]);
    // One is gone.
    let done = register(&mut driver, &[every("a-event", "1 * * * *"), function("a-two")]);
    assert_eq!(told(&done), ["a-one"]);
    let url = "http://127.0.0.1:3000/api/inngest".to_owned();
    let (_, done) = driver.answer(&Ask::RemoveUrl { url });
    assert_eq!(told(&done), ["a-event"]);
}

#[test]
fn a_server_that_comes_back_tells_everybody_who_has_a_schedule() {
    let mut driver = Driver::default();
    register(&mut driver, &[function("a-event"), every("a-gone", "* * * * *"), every("a-one", "* * * * *")]);
    register(&mut driver, &[function("a-event"), every("a-one", "* * * * *")]);
    assert_eq!(told(&driver.turn(Message::Resume)), ["a-one"]);
}

/// A home that evicts actors makes this one anew whenever somebody asks for the catalog: that must not cost a message for each schedule.
#[test]
fn a_catalog_that_is_only_told_again_tells_nobody_else() {
    let mut driver = Driver::default();
    register(&mut driver, &[every("a-one", "* * * * *")]);
    let done = driver.turn(Message::Wake);
    assert!(matches!(done.effects[..], [Effect::Install { version: 1, .. }]), "{:?}", done.effects);
    assert_eq!((done.writes.len(), done.wake_at), (0, None));
}
