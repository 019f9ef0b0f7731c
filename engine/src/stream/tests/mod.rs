//! What the stream promises, one file per promise.

mod forgetting;
mod idempotency;
mod lists;
mod routing;
mod waiting;

use super::driver::{Driver, catalog};
use super::message::{Ask, NewEvent};
use super::{Stream, first, interest};
use crate::actor::Actor;
use crate::ids::{EventId, Millis};
use crate::turn::{Message, Row, Write};
use proptest::prelude::*;
use serde_json::{Value, json, value::to_raw_value};

const NOW: Millis = Millis(1_790_000_000_000);
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn stream(functions: &[(&str, &[&str])]) -> Driver<Stream> {
    Driver::new(NOW, catalog(functions))
}

/// An event without a seed and without an id of the user's.
fn event(count: u128, name: &str) -> NewEvent {
    let id = EventId::new(NOW, count);
    let event = json!({"data": {"n": 1}, "id": id.to_string(), "name": name, "ts": NOW.0, "user": {}});
    let event = to_raw_value(&event).unwrap();
    NewEvent { id, seeded: false, user_id: None, name: name.to_owned(), ts: NOW, event }
}

fn named(count: u128, name: &str, user_id: &str) -> NewEvent {
    NewEvent { user_id: Some(user_id.to_owned()), ..event(count, name) }
}

fn seeded(count: u128, name: &str) -> NewEvent {
    NewEvent { seeded: true, ..event(count, name) }
}

/// Takes the events in and expects no refusal.
fn accept(stream: &mut Driver<Stream>, events: Vec<NewEvent>) {
    let (reply, _) = stream.ask(&Ask::Accept(events));
    assert!(reply.is_ok());
}

fn keys(writes: &[Write]) -> Vec<&str> {
    writes.iter().map(|write| write.key.as_str()).collect()
}

#[test]
fn an_accepted_event_is_stored_in_the_turn_that_replies() {
    let mut stream = stream(&[]);
    let id = EventId::new(NOW, 1);
    let (reply, done) = stream.ask(&Ask::Accept(vec![event(1, "a")]));
    assert_eq!(reply.unwrap(), json!({"ids": [id]}));
    assert_eq!(keys(&done.writes), [format!("event/{id}")]);
    let (stored, done) = stream.ask(&Ask::Event(id));
    let told = json!({"data": {"n": 1}, "id": id, "name": "a", "ts": NOW.0, "user": {}});
    assert_eq!(stored.unwrap(), json!({"internal_id": id, "received_at": NOW.0, "event": told}));
    assert_eq!(done.writes, []);
}

#[test]
fn payloads_are_stored_as_the_bytes_that_came() {
    let mut stream = stream(&[]);
    let bytes = r#"{"data":{ "big":12345678901234567890123, "x" : 1.10,"é":"é"},"id":"x"}"#;
    let mut sent = event(1, "a");
    sent.event = serde_json::from_str(bytes).unwrap();
    let id = sent.id;
    let (_, done) = stream.ask(&Ask::Accept(vec![sent]));
    let stored = String::from_utf8(done.writes[0].value.clone().unwrap()).unwrap();
    assert!(stored.contains(bytes), "{stored}");
    let (_, done) = stream.ask(&Ask::Event(id));
    assert!(format!("{:?}", String::from_utf8_lossy(&reply_bytes(&done))).contains("12345678901234567890123"));
}

fn reply_bytes(done: &crate::turn::Done) -> Vec<u8> {
    match &done.effects[0] {
        crate::turn::Effect::Reply { body, .. } => body.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_nobody_knows_is_refused() {
    let mut stream = stream(&[]);
    for ask in [Ask::Event(EventId::new(NOW, 9)), Ask::EventRuns(EventId::new(NOW, 9))] {
        let (reply, _) = stream.ask(&ask);
        assert_eq!(reply.unwrap_err().code.as_str(), "event_unknown");
    }
}

#[test]
fn an_event_of_the_servers_own_is_taken_once() {
    let mut stream = stream(&[("app-f", &["inngest/function.failed"])]);
    let tell = json!({"System": event(1, "inngest/function.failed")});
    let first = stream.tell(&tell);
    assert_eq!((first.writes.len(), first.effects.len()), (1, 1));
    let second = stream.tell(&tell);
    assert_eq!((second.writes, second.effects), (vec![], vec![]));
}

#[test]
fn five_thousand_events_are_one_turn_with_few_reads() {
    let mut stream = stream(&[("app-f", &["a"])]);
    let (reply, done) = stream.ask(&Ask::Accept((0..5_000).map(|count| seeded(count, "a")).collect()));
    assert_eq!(reply.unwrap()["ids"].as_array().map(Vec::len), Some(5_000));
    assert_eq!((done.writes.len(), done.effects.len()), (5_000, 5_001));
    // Once for the hot actor, once for the cold one.
    assert_eq!(stream.ranges_read, 2);
}

#[test]
fn a_restart_owes_nothing() {
    let mut stream = stream(&[]);
    accept(&mut stream, vec![named(1, "a", "mine")]);
    let done = stream.turn(Message::Resume).unwrap();
    assert!(done.effects.is_empty() && !done.owing && done.wake_at.is_some());
}

#[test]
fn a_call_is_none_of_the_streams() {
    assert!(stream(&[]).turn(Message::Lost(Vec::new())).is_err());
}

#[test]
fn rows_of_others_are_a_fault() {
    for (range, key) in [(first::oldest_range(), "id/x"), (interest::range(), "wanted")] {
        let row = Row { key: key.to_owned(), value: b"[]".to_vec() };
        assert!(Stream::load("0", &[(range, vec![row])]).is_err(), "{key}");
    }
}

proptest! {
    #[test]
    fn no_message_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), ask in any::<bool>()) {
        let message = if ask { Message::Ask { token: 7, body: bytes } } else { Message::Tell(bytes) };
        prop_assert!(stream(&[]).turn(message).is_err());
    }
}

/// The ids of the runs that an event started.
fn runs(stream: &mut Driver<Stream>, id: EventId) -> Value {
    stream.ask(&Ask::EventRuns(id)).0.unwrap()
}
