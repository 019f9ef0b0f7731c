//! What the history promises.

use super::message::{Ask, Tell};
use super::{Cancellation, History};
use crate::ids::{EventId, Millis, RunId};
use crate::limits::{CANCELLATION_RUNS_PER_TURN_MAX, CANCELLATIONS_KEPT_MAX};
use crate::run::message::Status;
use crate::stream::driver::{Driver, catalog, sent};
use crate::turn::Message;
use proptest::prelude::*;
use serde_json::{Value, json};

fn history() -> Driver<History> {
    Driver::new(Millis(1_000), catalog(&[]))
}

fn run(count: u64) -> RunId {
    RunId::derived(EventId::new(Millis(count), 1), &"app-a".into())
}

fn started(count: u64) -> Tell {
    Tell::Started {
        run: run(count),
        function: "app-a".into(),
        event: EventId::new(Millis(count), 1),
        at: Millis(count),
    }
}

fn ended(count: u64) -> Tell {
    Tell::Ended {
        run: run(count),
        function: "app-a".into(),
        event: EventId::new(Millis(count), 1),
        started_at: Millis(count),
        status: Status::Failed,
        at: Millis(count + 9),
    }
}

fn list(history: &mut Driver<History>, limit: u32, before: Option<RunId>) -> Vec<Value> {
    serde_json::from_value(history.ask(&Ask::Runs { limit, before }).0.unwrap()).unwrap()
}

#[test]
fn a_run_is_listed_as_it_stands() {
    let (mut history, mut other) = (history(), history());
    history.tell(&started(1));
    let mut expected = json!({
        "run_id": run(1), "function_id": "app-a", "event_id": EventId::new(Millis(1), 1), "status": "Running", "started_at_ms": 1
    });
    assert_eq!(list(&mut history, 9, None), [expected.clone()]);
    history.tell(&ended(1));
    expected["status"] = json!("Failed");
    expected["ended_at_ms"] = json!(10);
    assert_eq!(list(&mut history, 9, None), [expected.clone()]);
    // The end alone says as much.
    other.tell(&ended(1));
    assert_eq!(list(&mut other, 9, None), [expected]);
}

#[test]
fn pages_are_newest_first_and_leave_nothing_out() {
    let mut history = history();
    for count in 1..=7 {
        history.tell(&started(count));
        if count % 2 == 0 {
            history.tell(&ended(count));
        }
    }
    for limit in 1..=8 {
        let mut seen = Vec::new();
        let mut before = None;
        loop {
            let page = list(&mut history, limit, before);
            before = page.last().map(|run| serde_json::from_value(run["run_id"].clone()).unwrap());
            assert!(page.len() <= limit as usize);
            if before.is_none() {
                break;
            }
            seen.extend(page.into_iter().map(|run| run["started_at_ms"].as_u64().unwrap()));
        }
        assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1], "{limit}");
    }
}

#[test]
fn a_page_is_full_whether_runs_have_one_row_or_two() {
    let mut history = history();
    for count in 1..50 {
        history.tell(&ended(count));
        if count % 3 == 0 {
            history.tell(&started(count));
        }
    }
    assert_eq!(list(&mut history, 20, None).len(), 20);
}

fn cancellation(id: u64, after: Option<u64>, before: u64) -> Cancellation {
    Cancellation {
        id: EventId::new(Millis(id), 1).to_string(),
        created_at: Millis(1_000),
        function: "app-a".into(),
        started_after: after.map(Millis),
        started_before: Millis(before),
        condition: None,
    }
}

/// Wakes the history till it has told every run; the moments of those that were told.
fn told(history: &mut Driver<History>, mut done: crate::turn::Done) -> Vec<u64> {
    let mut told = Vec::new();
    loop {
        told.extend(sent(&done).into_iter().map(|(to, _)| RunId::parse(&to.key).unwrap().at().0));
        if done.wake_at.is_none() {
            return told;
        }
        done = history.turn(Message::Wake).unwrap();
    }
}

#[test]
fn a_bulk_cancellation_tells_the_runs_of_its_span_that_have_not_ended() {
    let mut history = history();
    for count in 1..=9 {
        history.tell(&started(count));
    }
    history.tell(&ended(5));
    let wanted = cancellation(1, Some(3), 7);
    let (answer, done) = history.ask(&Ask::Cancel(wanted.clone()));
    assert_eq!(answer.unwrap()["id"], json!(wanted.id));
    assert_eq!(told(&mut history, done), [3, 4, 6, 7]);
    // One whose beginning is told later is told then; one of another time is not.
    let late = RunId::derived(EventId::new(Millis(6), 99), &"app-a".into());
    let late = Tell::Started { run: late, function: "app-a".into(), event: EventId::new(Millis(6), 99), at: Millis(6) };
    assert_eq!(sent(&history.tell(&late)).len(), 1);
    assert!(sent(&history.tell(&started(8))).is_empty());
}

#[test]
fn many_runs_are_told_in_pages() {
    let mut history = history();
    let count = u64::from(CANCELLATION_RUNS_PER_TURN_MAX) * 2 + 1;
    for count in 1..=count {
        history.tell(&started(count));
    }
    let (_, done) = history.ask(&Ask::Cancel(cancellation(1, None, u64::MAX >> 20)));
    assert!(sent(&done).is_empty(), "the request does not wait for it");
    assert_eq!(told(&mut history, done), (1..=count).collect::<Vec<_>>());
}

#[test]
fn a_cancellation_that_is_deleted_tells_no_more() {
    let mut history = history();
    let count = u64::from(CANCELLATION_RUNS_PER_TURN_MAX) * 2 + 1;
    (1..=count).for_each(|count| drop(history.tell(&started(count))));
    let wanted = cancellation(1, None, u64::MAX >> 20);
    assert!(history.ask(&Ask::Cancel(wanted.clone())).0.is_ok());
    let first = sent(&history.turn(Message::Wake).unwrap()).len();
    assert!(first > 0 && u64::try_from(first).unwrap() < count, "{first}");
    let (_, done) = history.ask(&Ask::ForgetCancellation(wanted.id));
    assert!(told(&mut history, done).is_empty());
    assert!(sent(&history.tell(&started(count + 1))).is_empty(), "nor whoever comes later");
}

#[test]
fn cancellations_are_listed_and_forgotten_and_their_number_is_bounded() {
    let mut history = history();
    let count = CANCELLATIONS_KEPT_MAX as u64 + 1;
    for id in 1..=count {
        let done = history.ask(&Ask::Cancel(cancellation(id, None, 5))).1;
        told(&mut history, done);
    }
    let listed: Vec<Value> = serde_json::from_value(history.ask(&Ask::Cancellations).0.unwrap()).unwrap();
    assert_eq!(listed.len(), CANCELLATIONS_KEPT_MAX);
    let newest = cancellation(count, None, 5).id;
    assert_eq!(listed[0]["id"], json!(newest));
    assert!(history.ask(&Ask::ForgetCancellation(newest.clone())).0.is_ok());
    let code = history.ask(&Ask::ForgetCancellation(newest)).0.unwrap_err().code;
    assert_eq!(code, crate::error::Code::CancellationUnknown);
}

proptest! {
    #[test]
    fn messages_may_come_in_any_order_and_more_than_once(
        order in Just((0..8_u64).chain(0..8).collect::<Vec<_>>()).prop_shuffle()
    ) {
        let tell = |n: u64| if n.is_multiple_of(2) { started(n / 2) } else { ended(n / 2) };
        let (mut straight, mut shuffled) = (history(), history());
        (0..8).for_each(|n| drop(straight.tell(&tell(n))));
        order.into_iter().for_each(|n| drop(shuffled.tell(&tell(n))));
        prop_assert_eq!(list(&mut straight, 9, None), list(&mut shuffled, 9, None));
    }
}
