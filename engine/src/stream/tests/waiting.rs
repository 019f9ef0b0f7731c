//! Whom an event is told to.

use super::super::Stream;
use super::super::driver::{Driver, catalog, sent};
use super::super::message::{Ask, NewEvent, Tell, Want};
use crate::ids::{EventId, Millis, RunId};
use crate::limits::{RECENT_EVENTS_MAX, WAIT_ROUTES_PER_NAME_MAX, WAITED_NAMES_HOT_MAX};
use crate::turn::{ActorKind, Done};
use crate::waits::message::{Since, WaitId, Waiter};
use crate::waits::place::Route;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000_000;

fn stream() -> Driver<Stream> {
    Driver::new(Millis(NOW), catalog(&[]))
}

fn event(at: u64, count: u128, name: &str, data: &str) -> NewEvent {
    let event = format!(r#"{{"data":{data},"id":"{count}","name":"{name}","ts":{at},"user":{{}}}}"#);
    NewEvent {
        id: EventId::new(Millis(at), count),
        seeded: false,
        user_id: None,
        name: name.to_owned(),
        ts: Millis(at),
        event: RawValue::from_string(event).unwrap(),
    }
}

fn accept(stream: &mut Driver<Stream>, events: Vec<NewEvent>) -> Done {
    stream.ask(&Ask::Accept(events)).1
}

fn by_key() -> Route {
    Route::Value(vec!["data".to_owned(), "k".to_owned()])
}

fn want(route: Route, key: &str, since: u64) -> Want {
    let probe = RawValue::from_string(format!(r#"{{"data":{{"k":{key}}}}}"#)).unwrap();
    let at = route.actor_for("a/b", &probe).unwrap();
    let asker =
        WaitId { run: RunId::derived(EventId::new(Millis(1), 1), &"f".into()), waiter: Waiter::Step("s".into()) };
    let since = Since { at: Millis(since), after: None };
    Want { event: "a/b".to_owned(), route, until: Millis(NOW + 60_000), since, asker, at }
}

/// The waits that are told of events, and the events' data; a `!` where one alone is told.
fn told(done: &Done) -> Vec<(String, Value)> {
    let to_waits = sent(done).into_iter().filter(|(to, _)| to.kind == ActorKind::Waits);
    let told = to_waits.map(|(to, tell)| {
        let arrived = &tell["Arrived"];
        let mark = if arrived["only"].is_null() { "" } else { "!" };
        (format!("{mark}{}", to.key), arrived["event"]["data"]["k"].clone())
    });
    told.collect()
}

#[test]
fn an_event_is_told_to_the_waits_on_its_name_and_value_and_to_nobody_else() {
    let mut stream = stream();
    let (one, two) = (want(by_key(), "1", NOW), want(by_key(), "2", NOW));
    assert!(told(&accept(&mut stream, vec![event(NOW - 1, 1, "a/b", r#"{"k":1}"#)])).is_empty());
    stream.tell(&Tell::Want(one.clone()));
    let done = accept(
        &mut stream,
        vec![
            event(NOW, 2, "a/b", r#"{"k":1}"#),
            event(NOW, 3, "a/b", r#"{"k":2}"#),
            event(NOW, 4, "a/b", r#"{}"#),
            event(NOW, 5, "a/c", r#"{"k":1}"#),
        ],
    );
    assert_eq!(told(&done), [(one.at, json!(1)), (two.at, json!(2))]);
}

#[test]
fn waits_that_look_at_no_value_hear_of_every_event_of_the_name() {
    let mut stream = stream();
    let any = want(Route::Any(3), "0", NOW);
    stream.tell(&Tell::Want(any.clone()));
    let done = accept(&mut stream, vec![event(NOW, 2, "a/b", r#"{"k":1}"#), event(NOW, 3, "a/c", r#"{"k":1}"#)]);
    assert_eq!(told(&done), [(any.at, json!(1))]);
}

#[test]
fn what_came_while_the_wait_was_on_its_way_is_told_then() {
    let mut stream = stream();
    for (count, (name, k)) in [("a/b", 1), ("a/b", 2), ("a/c", 1)].into_iter().enumerate() {
        stream.now = Millis(NOW + count as u64);
        let event = event(stream.now.0, 7, name, &format!(r#"{{"k":{k}}}"#));
        accept(&mut stream, vec![event]);
    }
    stream.now = Millis(NOW + 50);
    let mine = want(by_key(), "1", NOW);
    assert_eq!(told(&stream.tell(&Tell::Want(mine.clone()))), [(format!("!{}", mine.at), json!(1))]);
    // A wait that began later than that hears of nothing.
    assert!(told(&stream.tell(&Tell::Want(want(by_key(), "1", NOW + 1)))).is_empty());
}

#[test]
fn a_name_that_is_waited_for_again_and_again_is_written_once() {
    let mut stream = stream();
    assert_eq!(stream.tell(&Tell::Want(want(by_key(), "1", NOW))).writes.len(), 1);
    for key in 2..50 {
        stream.now = Millis(stream.now.0 + 1);
        let mut want = want(by_key(), &key.to_string(), NOW);
        want.until = Millis(stream.now.0 + 60_000);
        assert!(stream.tell(&Tell::Want(want)).writes.is_empty());
    }
}

#[test]
fn a_name_is_told_of_as_long_as_it_is_wanted_and_forgotten_some_time_after() {
    let mut stream = stream();
    stream.tell(&Tell::Want(want(by_key(), "1", NOW)));
    stream.now = Millis(NOW + 59_999);
    let events = [NOW + 59_999, NOW + 24 * 3_600_000].map(|at| event(at, 1, "a/b", r#"{"k":1}"#));
    let [in_time, too_late] = events;
    assert_eq!(told(&accept(&mut stream, vec![in_time])).len(), 1);
    stream.now = Millis(NOW + 24 * 3_600_000);
    assert!(told(&accept(&mut stream, vec![too_late])).is_empty());
}

#[test]
fn more_names_than_are_kept_hot_are_found_all_the_same() {
    let mut stream = stream();
    let row = serde_json::to_vec(&json!([[{"Any": 0}, NOW + 60_000]])).unwrap();
    for count in 0..WAITED_NAMES_HOT_MAX {
        stream.rows.insert(format!("want/filler/{count}"), row.clone());
    }
    stream.tell(&Tell::Want(want(by_key(), "1", NOW)));
    let done = accept(&mut stream, vec![event(NOW, 1, "a/b", r#"{"k":1}"#), event(NOW, 2, "filler/7", "{}")]);
    assert_eq!(told(&done).len(), 2);
    assert!(told(&accept(&mut stream, vec![event(NOW, 3, "unwanted", "{}")])).is_empty());
}

#[test]
fn a_name_may_be_looked_up_by_so_many_fields_and_no_more() {
    let mut stream = stream();
    let by_field = |count: usize| {
        let mut want = want(by_key(), "1", NOW);
        want.route = Route::Value(vec!["data".to_owned(), format!("f{count}")]);
        Tell::Want(want)
    };
    for count in 0..WAIT_ROUTES_PER_NAME_MAX {
        assert_eq!(stream.tell(&by_field(count)).writes.len(), 1);
    }
    let done = stream.tell(&by_field(WAIT_ROUTES_PER_NAME_MAX));
    assert!(done.writes.is_empty());
    let (to, refused) = sent(&done).into_iter().next().unwrap();
    assert_eq!(to.kind, ActorKind::Run);
    assert_eq!(refused["Refused"]["problem"]["code"], "wait_routes_exceeded");
}

#[test]
fn a_look_back_reaches_as_far_as_events_are_remembered() {
    let mut stream = stream();
    let events = |from: usize, to: usize| -> Vec<NewEvent> {
        (from..to).map(|count| event(NOW, count as u128 + 1, "other", "{}")).collect()
    };
    let mut all = vec![event(NOW, 0, "a/b", r#"{"k":1}"#)];
    all.extend(events(1, RECENT_EVENTS_MAX));
    accept(&mut stream, all);
    let want = Tell::Want(want(by_key(), "1", NOW));
    assert_eq!(told(&stream.tell(&want)).len(), 1);
}
