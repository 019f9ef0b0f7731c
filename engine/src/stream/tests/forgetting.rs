//! Names that nobody waits for any more.

use super::super::Stream;
use super::super::driver::{Driver, catalog, sent};
use super::super::message::{Ask, NewEvent, Tell, Want};
use crate::ids::{EventId, Millis, RunId};
use crate::limits::{WAITED_NAMES_HOT_MAX, WANTS_SWEPT_EVERY, WANTS_SWEPT_PER_TURN_MAX};
use crate::turn::{Done, Message};
use crate::waits::message::{Since, WaitId, Waiter};
use crate::waits::place::Route;
use serde_json::json;
use serde_json::value::RawValue;

const NOW: u64 = 1_700_000_000_000;
const HOUR: u64 = WANTS_SWEPT_EVERY.0;
const PAGE: usize = WANTS_SWEPT_PER_TURN_MAX as usize;

fn stream() -> Driver<Stream> {
    Driver::new(Millis(NOW), catalog(&[]))
}

fn want(name: &str, until: u64) -> Tell {
    let (route, probe) = (Route::Any(3), RawValue::NULL);
    let run = RunId::derived(EventId::new(Millis(1), 1), &"f".into());
    Tell::Want(Want {
        event: name.to_owned(),
        at: route.actor_for(name, probe).unwrap(),
        route,
        until: Millis(until),
        since: Since { at: Millis(NOW), after: None },
        asker: WaitId { run, waiter: Waiter::Step("s".into()) },
    })
}

/// Rows of so many names that are waited for until then.
fn fill(stream: &mut Driver<Stream>, prefix: &str, count: usize, until: u64) {
    let row = serde_json::to_vec(&json!([[{"Any": 0}, until]])).unwrap();
    for place in 0..count {
        stream.rows.insert(format!("want/{prefix}/{place:05}"), row.clone());
    }
}

fn names(stream: &Driver<Stream>) -> Vec<&str> {
    stream.rows.keys().filter_map(|key| key.strip_prefix("want/")).collect()
}

/// Lets the time come at which the stream wants to be woken, and wakes it.
fn woken(stream: &mut Driver<Stream>, after: &Done) -> Done {
    stream.now = stream.now.max(after.wake_at.expect("a time"));
    stream.turn(Message::Wake).unwrap()
}

fn is_told(stream: &mut Driver<Stream>, name: &str) -> bool {
    let event = format!(r#"{{"data":{{}},"id":"1","name":"{name}","ts":1,"user":{{}}}}"#);
    let event = NewEvent {
        id: EventId::new(stream.now, 1),
        seeded: false,
        user_id: None,
        name: name.to_owned(),
        ts: stream.now,
        event: RawValue::from_string(event).unwrap(),
    };
    !sent(&stream.ask(&Ask::Accept(vec![event])).1).is_empty()
}

#[test]
fn a_name_is_forgotten_once_nobody_waits_for_it_and_not_before() {
    let mut stream = stream();
    let mut done = stream.tell(&want("a/b", NOW + 1_000));
    assert_eq!((done.writes.len(), done.wake_at), (2, Some(Millis(NOW + HOUR))));
    // A wait's time and an hour later nobody waits; the look after that finds it.
    for looks in 1..=2 {
        done = woken(&mut stream, &done);
        assert_eq!(done.wake_at.is_some(), looks == 1, "{done:?}");
        assert_eq!(names(&stream).len(), usize::from(looks == 1));
    }
    assert!(stream.rows.is_empty(), "nor is it looked for any more: {:?}", stream.rows.keys());
    assert!(!is_told(&mut stream, "a/b"));
    let until = stream.now.0 + 1_000;
    let again = stream.tell(&want("a/b", until));
    assert_eq!((again.writes.len(), again.wake_at), (2, Some(stream.now.plus(WANTS_SWEPT_EVERY))));
}

#[test]
fn a_name_that_is_waited_for_stays() {
    let mut stream = stream();
    fill(&mut stream, "old", 3, NOW + HOUR);
    fill(&mut stream, "new", 2, NOW + HOUR + 1);
    let done = stream.tell(&want("a/b", NOW + 10 * HOUR));
    let done = woken(&mut stream, &done);
    assert_eq!(names(&stream), ["a/b", "new/00000", "new/00001"]);
    assert_eq!(done.wake_at, Some(Millis(NOW + 2 * HOUR)));
    assert!(is_told(&mut stream, "a/b"));
    // Before its time a wake does nothing.
    stream.now = Millis(NOW + 2 * HOUR - 1);
    assert!(stream.turn(Message::Wake).unwrap().writes.is_empty());
}

#[test]
fn one_turn_looks_at_so_many_names_and_the_next_goes_on() {
    // Beside one that stays.
    for (count, turns) in [(PAGE - 2, 1), (PAGE - 1, 2), (PAGE, 2), (2 * PAGE, 3)] {
        let mut stream = stream();
        fill(&mut stream, "old", count, NOW + 1);
        let mut done = stream.tell(&want("z", NOW + 20 * HOUR));
        for turn in 1..=turns {
            done = woken(&mut stream, &done);
            let deleted = done.writes.iter().filter(|write| write.value.is_none()).count();
            assert!(deleted <= PAGE, "{deleted} of {count}");
            assert_eq!(stream.now, Millis(NOW + HOUR), "at once");
            let next = done.wake_at.unwrap();
            if turns == 1 {
                assert!(next > Millis(NOW + 20 * HOUR), "all were looked at: none is over before the one that stays");
            } else {
                assert_eq!(next, Millis(NOW + if turn < turns { HOUR } else { 2 * HOUR }), "{count}");
            }
        }
        assert_eq!(names(&stream), ["z"], "of {count}");
        assert!(is_told(&mut stream, "z"));
    }
}

#[test]
fn a_look_that_was_begun_goes_on_behind_names_that_stay() {
    let mut stream = stream();
    fill(&mut stream, "a", PAGE, NOW + 20 * HOUR);
    fill(&mut stream, "b", 5, NOW + 1);
    let done = stream.tell(&want("c", NOW + 20 * HOUR));
    let done = woken(&mut stream, &done);
    assert!(done.writes.iter().all(|write| write.value.is_some()), "none of the first page is over");
    let done = woken(&mut stream, &done);
    assert_eq!(names(&stream).len(), PAGE + 1);
    // The next look begins at the front again.
    assert_eq!(done.wake_at, Some(Millis(NOW + 2 * HOUR)));
    stream.now = Millis(NOW + 30 * HOUR);
    let done = stream.turn(Message::Wake).unwrap();
    woken(&mut stream, &done);
    assert_eq!(names(&stream), Vec::<&str>::new());
}

#[test]
fn a_stream_that_had_too_many_names_keeps_them_hot_again() {
    let mut stream = stream();
    fill(&mut stream, "old", WAITED_NAMES_HOT_MAX, NOW + 1);
    let mut done = stream.tell(&want("z", NOW + 20 * HOUR));
    stream.ranges_read = 0;
    assert!(is_told(&mut stream, "z"));
    assert_eq!(stream.ranges_read, 2, "looked up by the hot one and the cold one");
    while stream.now < Millis(NOW + 2 * HOUR) {
        done = woken(&mut stream, &done);
    }
    assert_eq!(names(&stream), ["z"]);
    stream.ranges_read = 0;
    assert!(is_told(&mut stream, "z"));
    assert_eq!(stream.ranges_read, 0);
}
