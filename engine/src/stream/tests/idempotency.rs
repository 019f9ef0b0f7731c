//! The same event twice.

use super::{DAY_MS, NOW, accept, event, keys, named, runs, seeded, stream};
use crate::ids::{EventId, Millis, RunId};
use crate::limits::EXPIRED_IDS_PER_TURN_MAX;
use crate::stream::driver::sent;
use crate::stream::message::Ask;
use crate::turn::Message;
use serde_json::json;

#[test]
fn a_repeated_seed_is_the_same_event() {
    let mut stream = stream(&[("app-a", &["a"])]);
    let events = || vec![seeded(1, "a"), seeded(2, "a"), event(7, "a")];
    let (first, _) = stream.ask(&Ask::Accept(events()));
    let rows = stream.rows.clone();
    stream.now = Millis(NOW.0 + 60_000);
    let mut again = events();
    again.pop();
    again.push(seeded(3, "a"));
    let (second, done) = stream.ask(&Ask::Accept(again));
    assert_eq!(first.unwrap()["ids"].as_array().unwrap()[..2], second.unwrap()["ids"].as_array().unwrap()[..2]);
    assert_eq!(keys(&done.writes), [format!("event/{}", EventId::new(NOW, 3))], "only the third is new");
    assert_eq!(sent(&done).len(), 1);
    assert!(rows.iter().all(|(key, value)| stream.rows.get(key) == Some(value)));
}

#[test]
fn seeds_that_do_not_follow_upon_each_other_are_recognised_too() {
    let mut stream = stream(&[]);
    let events = || [9, 1, 2, 7, 5].map(|count| seeded(count, "a")).to_vec();
    accept(&mut stream, events());
    assert_eq!(stream.ask(&Ask::Accept(events())).1.writes, []);
}

#[test]
fn an_id_twice_in_one_request_is_one_event() {
    let mut stream = stream(&[("app-a", &["a"])]);
    let (reply, done) = stream.ask(&Ask::Accept(vec![seeded(1, "a"), seeded(1, "a")]));
    assert_eq!(reply.unwrap()["ids"], json!([EventId::new(NOW, 1), EventId::new(NOW, 1)]));
    assert_eq!((done.writes.len(), sent(&done).len()), (1, 1));
}

/// Start no second run for the same user's id: the run's own id says that it is the same.
#[test]
fn a_users_id_means_the_same_runs_for_a_day() {
    let first = EventId::new(NOW, 1);
    let later = [(0, true), (1, true), (DAY_MS / 2, true), (DAY_MS - 1, true), (DAY_MS, false), (2 * DAY_MS, false)];
    for (after_ms, same) in later {
        let mut stream = stream(&[("app-a", &["a", "b"]), ("app-b", &["b"])]);
        accept(&mut stream, vec![named(1, "a", "mine")]);
        stream.now = Millis(NOW.0 + after_ms);
        let second = EventId::new(NOW, 2);
        let (_, done) = stream.ask(&Ask::Accept(vec![named(2, "b", "mine")]));
        let origin = if same { first } else { second };
        let expected = ["app-a", "app-b"].map(|slug| RunId::derived(origin, &slug.into()));
        assert_eq!(runs(&mut stream, second), json!(expected), "{after_ms}");
        // The second event is an event of its own all the same, and what only it starts begins with it.
        let sent: Vec<_> = sent(&done).into_iter().map(|(_, tell)| tell["Start"].clone()).collect();
        assert!(sent.iter().all(|start| start["event_ids"] == json!([second])), "{after_ms}: {sent:?}");
        // What the first has started is not sent for again: its message may be on its way still, and arrive as the later one.
        let slugs: Vec<_> = sent.iter().map(|start| start["function"].clone()).collect();
        assert_eq!(slugs, if same { vec!["app-b"] } else { vec!["app-a", "app-b"] }, "{after_ms}");
        assert!(stream.rows.contains_key(&format!("event/{second}")));
        assert_eq!(keys(&done.writes).iter().any(|key| key.starts_with("id/")), !same, "{after_ms}");
    }
}

#[test]
fn a_users_id_counts_within_one_request() {
    let mut stream = stream(&[("app-a", &["a"])]);
    let events = vec![named(1, "a", "mine"), named(2, "a", "mine"), named(3, "a", "other")];
    let (_, done) = stream.ask(&Ask::Accept(events));
    let begun_by: Vec<_> = sent(&done).iter().map(|(_, tell)| tell["Start"]["event_ids"][0].clone()).collect();
    assert_eq!(begun_by, [json!(EventId::new(NOW, 1)), json!(EventId::new(NOW, 3))]);
    let of = |count| json!([RunId::derived(EventId::new(NOW, count), &"app-a".into())]);
    let ids = [1, 2, 3].map(|count| EventId::new(NOW, count));
    assert_eq!(ids.map(|id| runs(&mut stream, id)), [of(1), of(1), of(3)]);
}

#[test]
fn expired_ids_are_forgotten_and_newer_ones_kept() {
    let mut stream = stream(&[]);
    accept(&mut stream, vec![named(1, "a", "old")]);
    stream.now = Millis(NOW.0 + 2 * DAY_MS);
    let (_, done) = stream.ask(&Ask::Accept(vec![named(2, "a", "new")]));
    let due = done.wake_at.unwrap();
    assert!(due.0 >= NOW.0 + DAY_MS && due.0 <= NOW.0 + 2 * DAY_MS, "{due:?}");
    let done = stream.turn(Message::Wake).unwrap();
    assert_eq!((done.writes.len(), done.writes[0].value.is_none()), (1, true));
    let next = done.wake_at.unwrap();
    assert!(next > stream.now);
    stream.now = next;
    assert_eq!(stream.turn(Message::Wake).unwrap().wake_at, None);
    assert_eq!(stream.rows.keys().filter(|key| key.starts_with("id/")).count(), 0);
}

#[test]
fn a_turn_forgets_a_bounded_number_and_goes_on_at_once() {
    let mut stream = stream(&[]);
    let max = u128::from(EXPIRED_IDS_PER_TURN_MAX);
    accept(&mut stream, (0..=max).map(|count| named(count, "a", &count.to_string())).collect());
    stream.now = Millis(NOW.0 + 2 * DAY_MS);
    let first = stream.turn(Message::Wake).unwrap();
    assert_eq!(first.writes.len(), EXPIRED_IDS_PER_TURN_MAX as usize);
    assert!(first.wake_at.unwrap() <= stream.now);
    let second = stream.turn(Message::Wake).unwrap();
    assert_eq!((second.writes.len(), second.wake_at), (1, None));
}

#[test]
fn an_early_wake_does_nothing() {
    let mut stream = stream(&[]);
    let (_, accepted) = stream.ask(&Ask::Accept(vec![named(1, "a", "mine")]));
    let done = stream.turn(Message::Wake).unwrap();
    assert_eq!((done.writes, done.wake_at), (vec![], accepted.wake_at));
}

#[test]
fn a_days_ids_are_forgotten_when_none_of_them_can_count_any_more() {
    let mut stream = stream(&[]);
    let today = NOW.0 / DAY_MS;
    let (_, done) = stream.ask(&Ask::Accept(vec![named(1, "a", "mine")]));
    let due = Millis((today + 2) * DAY_MS);
    assert_eq!(done.wake_at, Some(due));
    stream.now = Millis(due.0 - 1);
    let early = stream.turn(Message::Wake).unwrap();
    assert_eq!((early.writes.len(), early.wake_at), (0, Some(due)));
    stream.now = due;
    let done = stream.turn(Message::Wake).unwrap();
    assert_eq!((done.writes.len(), done.wake_at), (1, None));
}

#[test]
fn the_oldest_id_decides_when_to_wake() {
    let mut stream = stream(&[]);
    let day = NOW.0 / DAY_MS;
    accept(&mut stream, vec![named(1, "a", "first")]);
    stream.now = Millis(NOW.0 + DAY_MS);
    let (_, done) = stream.ask(&Ask::Accept(vec![named(2, "a", "second")]));
    assert_eq!(done.wake_at, Some(Millis((day + 2) * DAY_MS)));
    // A clock that is set back makes an older one.
    stream.now = Millis(NOW.0 - DAY_MS);
    let (_, done) = stream.ask(&Ask::Accept(vec![named(3, "a", "third")]));
    assert_eq!(done.wake_at, Some(Millis((day + 1) * DAY_MS)));
}

#[test]
fn as_many_ids_as_one_turn_forgets_need_no_second_turn() {
    let mut stream = stream(&[]);
    let max = u128::from(EXPIRED_IDS_PER_TURN_MAX);
    accept(&mut stream, (0..max).map(|count| named(count, "a", &count.to_string())).collect());
    stream.now = Millis(NOW.0 + 2 * DAY_MS);
    let done = stream.turn(Message::Wake).unwrap();
    assert_eq!((done.writes.len(), done.wake_at), (EXPIRED_IDS_PER_TURN_MAX as usize, None));
}

#[test]
fn only_what_may_have_come_before_is_looked_for() {
    for (events, looks) in [
        (vec![event(1, "a"), event(2, "a")], 0),
        (vec![seeded(1, "a"), seeded(2, "a"), event(7, "a")], 1),
        (vec![seeded(2, "a"), seeded(1, "a"), seeded(2, "a")], 1),
        (vec![seeded(1, "a"), seeded(3, "a")], 2),
        (vec![named(1, "a", "mine"), named(2, "a", "mine")], 2),
        (vec![named(3, "a", "held")], 3),
    ] {
        let mut stream = stream(&[]);
        accept(&mut stream, vec![named(9, "a", "held")]);
        stream.ranges_read = 0;
        accept(&mut stream, events);
        // Once for the hot actor, once for the cold one.
        assert_eq!(stream.ranges_read, 2 * looks);
    }
}

#[test]
fn when_to_wake_follows_from_the_oldest_id_that_is_left() {
    let mut stream = stream(&[]);
    let day = NOW.0 / DAY_MS;
    for (days, count) in [(0, 1), (2, 2), (3, 3)] {
        stream.now = Millis(NOW.0 + days * DAY_MS);
        accept(&mut stream, vec![named(count, "a", &count.to_string())]);
    }
    let done = stream.turn(Message::Wake).unwrap();
    assert_eq!((done.writes.len(), done.wake_at), (1, Some(Millis((day + 4) * DAY_MS))));
}
