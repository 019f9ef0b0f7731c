use super::*;
use crate::catalog::Catalog;
use crate::ids::{Entropy, EventId, RunId, StepId};
use crate::turn::{Effect, Settings, Supplied};
use serde_json::value::RawValue;

/// The rows, and the actor that is made anew from them after every turn.
#[derive(Default)]
struct Driver {
    rows: BTreeMap<String, Vec<u8>>,
    wake_at: Option<Millis>,
    owing: bool,
}

impl Driver {
    fn turn(&mut self, now: u64, message: Message) -> Vec<String> {
        let rows = self.rows.iter().map(|(key, value)| Row { key: key.clone(), value: value.clone() }).collect();
        let mut waits = Waits::load("a/b", &[(Range::all(), rows)]).expect("own rows");
        let (catalog, settings, supplied) = (Catalog::default(), Settings::default(), Supplied::default());
        let turn =
            Turn { now: Millis(now), entropy: Entropy(0), catalog: &catalog, settings: &settings, supplied: &supplied };
        let Outcome::Done(done) = waits.turn(&turn, message).expect("a message") else { panic!("needs nothing") };
        for write in done.writes {
            match write.value {
                Some(value) => self.rows.insert(write.key, value),
                None => self.rows.remove(&write.key),
            };
        }
        self.wake_at = done.wake_at;
        self.owing = done.owing;
        done.effects.iter().map(resumed).collect()
    }

    fn tell(&mut self, now: u64, tell: &Tell) -> Vec<String> {
        self.turn(now, Message::Tell(serde_json::to_vec(tell).expect("JSON")))
    }
}

/// `<run>/<step> <event's data>`
fn resumed(effect: &Effect) -> String {
    let Effect::Send { to, body } = effect else { panic!("{effect:?}") };
    let ToRun::Resumed(resumed) = serde_json::from_slice(body).expect("JSON");
    let run = RunId::parse(&to.key).expect("a run");
    let event: serde_json::Value = serde_json::from_str(resumed.event.get()).expect("JSON");
    format!("{}/{} {}", run.0.random(), resumed.step, event["data"])
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).expect("JSON")
}

fn wait(run: u128) -> WaitId {
    WaitId { run: RunId(ulid::Ulid::from_parts(1, run)), step: StepId("s".to_owned()) }
}

fn register(run: u128, expression: Option<&str>) -> Tell {
    Tell::Register(Register {
        wait: wait(run),
        recorded_at: Millis(100),
        expires_at: Millis(1_000),
        expression: expression.map(ToOwned::to_owned),
        trigger: raw(&format!(r#"{{"data":{{"k":{run}}}}}"#)),
    })
}

fn arrived(received_at: u64, data: &str) -> Tell {
    let event = raw(&format!(r#"{{"data":{data}}}"#));
    Tell::Arrived(Arrived { id: EventId::new(Millis(received_at), 1), received_at: Millis(received_at), event })
}

const NONE: [String; 0] = [];

#[test]
fn an_event_resumes_every_run_whose_expression_holds_once() {
    let mut waits = Driver::default();
    assert_eq!(waits.tell(100, &register(1, Some("event.data.k == async.data.k"))), NONE);
    assert_eq!(waits.tell(100, &register(2, Some("event.data.k == async.data.k"))), NONE);
    assert_eq!(waits.tell(100, &register(3, None)), NONE);
    assert_eq!(waits.tell(200, &arrived(200, r#"{"k":1}"#)), [r#"1/s {"k":1}"#, r#"3/s {"k":1}"#]);
    // The same again, and another that would match: the first has won.
    assert_eq!(waits.tell(201, &arrived(200, r#"{"k":1}"#)), NONE);
    assert_eq!(waits.tell(202, &arrived(202, r#"{"k":1,"later":true}"#)), NONE);
    assert_eq!(waits.tell(203, &arrived(203, r#"{"k":2}"#)), [r#"2/s {"k":2}"#]);
}

#[test]
fn an_event_from_before_the_wait_does_not_match() {
    let mut waits = Driver::default();
    waits.tell(100, &register(1, None));
    assert_eq!(waits.tell(101, &arrived(99, "{}")), NONE);
    assert_eq!(waits.tell(101, &arrived(100, "{}")), ["1/s {}"]);
}

#[test]
fn a_run_is_told_again_until_it_has_taken_the_event_in() {
    let mut waits = Driver::default();
    waits.tell(100, &register(1, None));
    assert!(!waits.owing);
    waits.tell(200, &arrived(200, "{}"));
    assert!(waits.owing);
    assert_eq!(waits.turn(300, Message::Resume), ["1/s {}"]);
    // A registration that was delivered twice does not forget the event.
    assert_eq!(waits.tell(301, &register(1, None)), NONE);
    assert_eq!(waits.turn(302, Message::Resume), ["1/s {}"]);
    waits.tell(303, &Tell::Remove(wait(1)));
    assert_eq!(waits.turn(304, Message::Resume), NONE);
    assert!(!waits.owing && waits.rows.is_empty());
    // A second receipt is nothing new.
    assert_eq!(waits.tell(305, &Tell::Remove(wait(1))), NONE);
}

#[test]
fn an_expired_wait_matches_nothing_and_is_forgotten() {
    let mut waits = Driver::default();
    waits.tell(100, &register(1, None));
    assert_eq!(waits.wake_at, Some(Millis(1_000)));
    // An early wake changes nothing.
    waits.turn(999, Message::Wake);
    assert_eq!(waits.rows.len(), 1);
    assert_eq!(waits.tell(1_000, &arrived(1_000, "{}")), NONE);
    waits.turn(1_000, Message::Wake);
    assert!(waits.rows.is_empty());
    assert_eq!(waits.wake_at, None);
    // What is registered late is not kept.
    waits.tell(1_000, &register(1, None));
    assert!(waits.rows.is_empty());
}

#[test]
fn an_expression_that_cannot_be_answered_does_not_match() {
    let mut waits = Driver::default();
    waits.tell(100, &register(1, Some("!async.data.s")));
    waits.tell(100, &register(2, Some("not an expression")));
    assert_eq!(waits.tell(200, &arrived(200, r#"{"s":"text"}"#)), NONE);
    assert_eq!(waits.rows.len(), 2);
}

#[test]
fn what_no_actor_sends_is_a_fault_and_changes_nothing() {
    let (catalog, settings, supplied) = (Catalog::default(), Settings::default(), Supplied::default());
    let turn =
        Turn { now: Millis(1), entropy: Entropy(0), catalog: &catalog, settings: &settings, supplied: &supplied };
    let mut waits = Waits::default();
    for message in [Message::Tell(b"{}".to_vec()), Message::Ask { token: 1, body: b"null".to_vec() }] {
        assert!(waits.turn(&turn, message).is_err());
    }
    assert!(Waits::load("a", &[(Range::all(), vec![Row { key: "x".to_owned(), value: b"{}".to_vec() }])]).is_err());
}
