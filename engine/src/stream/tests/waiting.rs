//! Whom an event is told to.

use super::super::Stream;
use super::super::driver::{Driver, catalog, sent};
use super::super::message::{Ask, NewEvent, Tell, Want};
use crate::ids::{EventId, Millis, RunId};
use crate::limits::{
    RECENT_EVENTS_MAX, RECENT_EVENTS_READ_FIRST, RECENT_ID_MARGIN, WAIT_ROUTES_PER_NAME_MAX, WAITED_NAMES_HOT_MAX,
    WANT_AHEAD_MIN,
};
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
    assert_eq!(
        stream.tell(&Tell::Want(want(by_key(), "1", NOW))).writes.len(),
        2,
        "beside when to look whether it still is"
    );
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
        assert!(!stream.tell(&by_field(count)).writes.is_empty());
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

fn any() -> Want {
    want(Route::Any(3), "0", NOW)
}

/// Until when the stream says that it tells of the name, by its row.
fn told_until(stream: &Driver<Stream>) -> Vec<u64> {
    let row: Vec<(Route, u64)> = serde_json::from_slice(&stream.rows["want/a/b"]).unwrap();
    row.into_iter().map(|(_, until)| until).collect()
}

#[test]
fn an_interest_is_written_an_eighth_of_its_time_ahead_or_an_hour() {
    let hour = WANT_AHEAD_MIN.0;
    for (lasts, ahead) in [(60_000, hour), (8 * hour, hour), (16 * hour, 2 * hour)] {
        let mut stream = stream();
        let mut want = any();
        want.until = Millis(NOW + lasts);
        stream.tell(&Tell::Want(want.clone()));
        assert_eq!(told_until(&stream), [NOW + lasts + ahead]);
        // A wait that ends no later than that is nothing new; one that does is.
        want.until = Millis(NOW + lasts + ahead);
        assert!(stream.tell(&Tell::Want(want.clone())).writes.is_empty());
        want.until = Millis(NOW + lasts + ahead + 1);
        assert_eq!(stream.tell(&Tell::Want(want)).writes.len(), 1);
        assert_eq!(told_until(&stream).len(), 1);
    }
}

#[test]
fn an_event_at_the_very_end_of_an_interest_is_told_to_nobody() {
    for (early, count) in [(1, 1), (0, 0)] {
        let mut stream = stream();
        stream.tell(&Tell::Want(any()));
        let until = told_until(&stream)[0];
        stream.now = Millis(until - early);
        assert_eq!(told(&accept(&mut stream, vec![event(until, 1, "a/b", "{}")])).len(), count);
    }
}

#[test]
fn a_route_that_is_over_is_dropped_when_another_is_written() {
    for (early, count) in [(1, 2), (0, 1)] {
        let mut stream = stream();
        stream.tell(&Tell::Want(any()));
        let until = told_until(&stream)[0];
        stream.now = Millis(until - early);
        let mut other = want(by_key(), "1", until);
        other.until = Millis(until + 60_000);
        stream.tell(&Tell::Want(other));
        assert_eq!(told_until(&stream).len(), count);
    }
}

#[test]
fn an_event_is_told_with_the_time_at_which_it_was_accepted() {
    let mut stream = stream();
    stream.tell(&Tell::Want(any()));
    stream.now = Millis(NOW + 5);
    let done = accept(&mut stream, vec![event(NOW, 2, "a/b", r#"{"k":1}"#)]);
    let arrived = sent(&done).into_iter().find(|(to, _)| to.kind == ActorKind::Waits).unwrap().1;
    let told = json!({"data": {"k": 1}, "id": "2", "name": "a/b", "ts": NOW, "user": {}});
    let id = EventId::new(Millis(NOW), 2);
    assert_eq!(arrived, json!({"Arrived": {"id": id, "received_at": NOW + 5, "event": told}}));
}

#[test]
fn as_many_names_as_are_kept_hot_are_known_without_a_look() {
    for (names, looks) in [(WAITED_NAMES_HOT_MAX, 0), (WAITED_NAMES_HOT_MAX + 1, 2)] {
        let mut stream = stream();
        let row = serde_json::to_vec(&json!([[{"Any": 0}, NOW + 60_000]])).unwrap();
        for count in 0..names {
            stream.rows.insert(format!("want/filler/{count}"), row.clone());
        }
        assert_eq!(told(&accept(&mut stream, vec![event(NOW, 1, "filler/7", "{}")])).len(), 1);
        // Once for the hot actor, once for the cold one.
        assert_eq!(stream.ranges_read, looks);
    }
}

#[test]
fn a_stream_that_comes_to_know_too_many_names_while_it_is_hot_forgets_none() {
    let mut stream = stream();
    let row = serde_json::to_vec(&json!([[{"Any": 0}, NOW + 60_000]])).unwrap();
    for count in 0..WAITED_NAMES_HOT_MAX - 1 {
        stream.rows.insert(format!("want/filler/{count}"), row.clone());
    }
    stream.turn(crate::turn::Message::Resume).unwrap();
    for (name, looks) in [("b/1", 0), ("b/2", 2), ("b/3", 2)] {
        let mut want = any();
        want.event = name.to_owned();
        want.at = want.route.actor_for(name, &RawValue::from_string("{}".to_owned()).unwrap()).unwrap();
        stream.tell(&Tell::Want(want));
        stream.ranges_read = 0;
        assert_eq!(told(&accept(&mut stream, vec![event(NOW, 9, name, "{}")])).len(), 1);
        assert_eq!(stream.ranges_read, looks, "{name}");
    }
}

#[test]
fn what_was_accepted_since_the_actor_was_made_is_known_without_a_look_at_lists() {
    let mut stream = stream();
    stream.turn(crate::turn::Message::Resume).unwrap();
    stream.now = Millis(NOW + 10);
    accept(&mut stream, vec![event(NOW + 10, 1, "a/b", r#"{"k":1}"#), event(NOW + 10, 2, "a/c", "{}")]);
    stream.ranges_read = 0;
    assert_eq!(told(&stream.tell(&Tell::Want(want(by_key(), "1", NOW + 10)))).len(), 1);
    // The hot actor reads the one event; the cold one the list of events, and that one.
    assert_eq!(stream.ranges_read, 1 + 2);
}

#[test]
fn a_look_back_passes_over_what_came_before_the_wait_and_what_is_called_otherwise() {
    for cold in [false, true] {
        let mut stream = stream();
        let mine = |at, count| event(at, count, "a/b", r#"{"k":1}"#);
        for (now, event) in [
            (NOW, mine(NOW, 1)),
            (NOW + 1, mine(NOW + 1, 2)),
            (NOW + 1, event(NOW + 1, 3, "a/c", r#"{"k":1}"#)),
            // Its id is older than it is, within what ids may differ by, and beyond.
            (NOW + 20_000, mine(NOW + 20_000 - RECENT_ID_MARGIN.0, 4)),
            (NOW + 20_000, mine(NOW + 20_000 - RECENT_ID_MARGIN.0 - 1, 5)),
        ] {
            stream.now = Millis(now);
            accept(&mut stream, vec![event]);
        }
        if cold {
            let rows = std::mem::take(&mut stream.rows);
            stream = self::stream();
            stream.rows = rows;
        }
        stream.now = Millis(NOW + 20_000);
        let ids = |stream: &mut Driver<Stream>, since| -> Vec<u128> {
            let done = stream.tell(&Tell::Want(want(by_key(), "1", since)));
            let to_waits = sent(&done).into_iter().filter(|(to, _)| to.kind == ActorKind::Waits);
            to_waits
                .map(|(_, tell)| EventId::parse(tell["Arrived"]["id"].as_str().unwrap()).unwrap().0.random())
                .collect()
        };
        assert_eq!(ids(&mut stream, NOW + 1), [2, 5, 4]);
        assert_eq!(ids(&mut stream, NOW + 20_000), [4]);
    }
}

#[test]
fn a_long_look_back_reads_in_pages_that_grow() {
    let mut stream = stream();
    let first = RECENT_EVENTS_READ_FIRST as usize;
    // Two full pages and a part of a third; the one that is waited for is the oldest.
    let others = (1..first * 3 + 5).map(|count| event(NOW, count as u128 + 1, "other", "{}"));
    accept(&mut stream, std::iter::once(event(NOW, 0, "a/b", r#"{"k":1}"#)).chain(others).collect());
    let rows = std::mem::take(&mut stream.rows);
    let mut stream = self::stream();
    stream.rows = rows;
    stream.ranges_read = 0;
    assert_eq!(told(&stream.tell(&Tell::Want(want(by_key(), "1", NOW)))).len(), 1);
    // Three pages and the event itself, by two actors that were both made anew.
    assert_eq!(stream.ranges_read, 2 * (3 + 1));
}

/// Told by the ids of these, where the second comes a minute after the first.
fn told_ids(first: NewEvent, second: NewEvent) -> Vec<Value> {
    let mut stream = stream();
    let any = want(Route::Any(3), "0", NOW);
    stream.tell(&Tell::Want(any.clone()));
    let mut told = vec![accept(&mut stream, vec![first])];
    stream.now = Millis(NOW + 60_000 - 1);
    told.push(accept(&mut stream, vec![second]));
    // Whoever begins to wait now is told of both once more.
    told.push(stream.tell(&Tell::Want(any)));
    told.iter().flat_map(sent).filter_map(|(_, tell)| tell["Arrived"].get("id").cloned()).collect()
}

#[test]
fn an_event_that_is_sent_again_is_known_by_its_first_id_to_whoever_waits() {
    let named = |count, name| NewEvent { user_id: Some("mine".to_owned()), ..event(NOW, count, name, "{}") };
    let ids = |ids: &[u128]| ids.iter().map(|count| json!(EventId::new(Millis(NOW), *count))).collect::<Vec<_>>();
    assert_eq!(told_ids(named(1, "a/b"), named(2, "a/b")), ids(&[1, 1, 1, 1]));
    assert_eq!(told_ids(named(1, "a/c"), named(2, "a/b")), ids(&[2, 2]), "of another name it is an event of its own");
    let other = NewEvent { user_id: Some("other".to_owned()), ..event(NOW, 2, "a/b", "{}") };
    assert_eq!(told_ids(named(1, "a/b"), other), ids(&[1, 2, 1, 2]));
}

#[test]
fn names_are_waited_for_as_they_are() {
    let mut stream = stream();
    for name in ["a/*", "a/b.*"] {
        stream.tell(&Tell::Want(Want { event: name.to_owned(), ..want(Route::Any(3), "0", NOW) }));
    }
    let events = ["a/b", "a/b.c", "a/"].into_iter().zip(1..).map(|(name, count)| event(NOW, count, name, "{}"));
    assert!(told(&accept(&mut stream, events.collect())).is_empty(), "no pattern");
    assert_eq!(told(&accept(&mut stream, vec![event(NOW, 9, "a/*", "{}")])).len(), 1);
}
