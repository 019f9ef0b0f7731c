//! Crashes: whatever was owed is owed again, and nothing that was recorded changes (laws 3 and 8).

use crate::driver::{Driver, planned, ran, sleep, threw};
use serde_json::json;
use stepwell_engine::actor::Actor;
use stepwell_engine::ids::{EventId, Millis};
use stepwell_engine::run::Run;
use stepwell_engine::run::message::Tell;
use stepwell_engine::turn::{CallFailure, CallOutcome, Message, Range, Row};

#[test]
fn a_call_that_a_crash_hid_is_made_again_under_a_new_generation() {
    let (mut run, old) = Driver::started();
    run.crash();
    let new = run.call();
    assert_ne!(old.id, new.id);
    assert_eq!((new.ctx("attempt"), new.ctx("generation_id")), (&json!(0), &json!(2)));
    run.ops(&old, &json!([ran("a", "late")]));
    run.no_calls();
    run.ops(&new, &json!([ran("a", 1)]));
    assert_eq!(run.call().body["steps"], json!({"a": {"data": 1}}));
}

#[test]
fn every_parallel_call_is_made_again() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([planned("a"), planned("b"), sleep("s", "1h")]));
    let calls = run.calls();
    run.ops(&calls[0], &json!([ran("a", 1)]));
    run.crash();
    assert_eq!(run.call().step(), "b");
    assert!(run.owing);
    assert!(run.wake_at.is_some());
}

#[test]
fn a_lost_call_is_made_again_and_its_siblings_are_left_alone() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([planned("a"), planned("b"), planned("c")]));
    let calls = run.calls();
    run.evict();
    run.turn(Message::Lost(vec![calls[1].id.clone(), call.id]));
    // A run that was made anew asks for all its calls; only the lost one has another id.
    let again = run.calls();
    assert_eq!(again.iter().map(|call| call.id == calls[1].id).collect::<Vec<_>>(), [false; 3]);
    assert_eq!((&again[0].id, &again[2].id), (&calls[0].id, &calls[2].id));
    run.ops(&calls[1], &json!([ran("b", "late")]));
    run.no_calls();
    for (call, value) in [(&again[1], 2), (&calls[0], 1), (&calls[2], 3)] {
        run.ops(call, &json!([ran(call.step(), value)]));
    }
    assert_eq!(run.call().body["steps"], json!({"a": {"data": 1}, "b": {"data": 2}, "c": {"data": 3}}));
    assert_eq!(run.journal().iter().filter(|entry| *entry == "Redispatched").count(), 1);
}

#[test]
fn a_call_that_is_over_or_unknown_cannot_be_lost() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1)]));
    let next = run.call();
    run.turn(Message::Lost(vec![call.id]));
    run.no_calls();
    run.returns(&next, &json!(1));
    run.turn(Message::Lost(vec![next.id]));
    run.no_calls();
    assert!(!run.journal().iter().any(|entry| entry == "Redispatched"));
}

#[test]
fn a_retry_that_waits_keeps_waiting() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([threw("a")]));
    let wake_at = run.wake_at;
    run.crash();
    run.no_calls();
    assert_eq!((run.wake_at, run.owing), (wake_at, false));
    run.pass_till_woken();
    assert_eq!(run.call().ctx("attempt"), 1);
}

#[test]
fn an_ended_run_repeats_only_its_news() {
    let (mut run, call) = Driver::started();
    run.returns(&call, &json!(1));
    let first = run.events();
    run.sends.clear();
    run.now += 5_000;
    run.crash();
    run.no_calls();
    assert_eq!(run.events(), first, "the same event, with the same id and time");
}

#[test]
fn a_crash_at_every_point_of_a_run_changes_no_result() {
    for crash_at in 0..6 {
        let (mut run, mut call) = Driver::started();
        for (place, id) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
            if place == crash_at {
                run.crash();
                call = run.call();
            }
            run.ops(&call, &json!([ran(id, place)]));
            call = run.call();
        }
        if crash_at == 5 {
            run.crash();
            call = run.call();
        }
        assert_eq!(call.stack(), ["a", "b", "c", "d", "e"]);
        run.returns(&call, &json!(crash_at));
        assert_eq!(run.summary()["output"], json!(crash_at));
    }
}

#[test]
fn a_run_that_is_made_anew_and_woken_asks_for_its_calls_again_under_the_same_ids() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([planned("a"), planned("b")]));
    let ids: Vec<_> = run.calls().into_iter().map(|call| call.id).collect();
    run.evict();
    run.turn(Message::Wake);
    assert_eq!(run.calls().into_iter().map(|call| call.id).collect::<Vec<_>>(), ids);
    assert_eq!(run.journal(), ["Started", "Answered"], "nothing is given up, so nothing is written");
}

#[test]
fn what_was_sent_is_owed_also_where_the_clock_was_set_back() {
    let (mut run, call) = Driver::started();
    run.now -= 60_000;
    run.turn(Message::Wake);
    assert!(run.owing, "the call is still in flight");
    run.returns(&call, &json!(1));
    assert!(!run.owing);
}

#[test]
fn a_call_for_a_step_that_another_request_saved_is_owed_no_longer() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([planned("a"), planned("b")]));
    let first = run.calls();
    run.turn(Message::Lost(vec![first[0].id.clone()]));
    let again = run.call();
    assert_eq!((again.step(), again.ctx("generation_id")), ("a", &json!(2)));
    run.checkpoint(&first[1], &json!([ran("a", 1)]));
    run.ops(&first[1], &json!([threw("b")]));
    // What is left is a retry, of the generation that the call for `a` has.
    assert!(!run.owing && run.wake_at.is_some());
}

#[test]
fn a_call_that_is_lost_before_it_is_due_again_is_not_sent() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([threw("a")]));
    assert!(!run.owing);
    run.crash();
    assert!(!run.owing, "it waits for its retry");
    run.no_calls();
}

#[test]
fn a_call_id_that_no_run_gave_is_a_fault() {
    let (mut run, _) = Driver::started();
    assert!(run.refuses(Message::Lost(vec!["nonsense".to_owned()])));
    let answer = Err(CallFailure::TimedOut(String::new()));
    let outcome = CallOutcome { id: "nonsense".to_owned(), answer };
    assert!(run.refuses(Message::Answered(outcome)));
    assert!(run.refuses(Message::Tell(b"{}".to_vec())));
    assert!(run.refuses(Message::Ask { token: 1, body: b"{}".to_vec() }));
}

#[test]
fn a_run_that_was_never_started_hears_nothing() {
    let mut run = Driver::idle(4);
    for message in [Message::Wake, Message::Resume, Message::Lost(vec!["r/step:a/1".to_owned()])] {
        run.turn(message);
    }
    run.tell(&Tell::CancelledBy { event: EventId::new(Millis(1), 1) });
    assert!(run.rows.is_empty() && run.sends.is_empty());
    run.no_calls();
}

#[test]
fn rows_that_are_no_journal_are_a_fault() {
    let load = |rows: &[&str]| {
        let row = |text: &&str| Row { key: "0".to_owned(), value: text.as_bytes().to_vec() };
        Run::load("", &[(Range::all(), rows.iter().map(row).collect())])
    };
    assert!(load(&[]).is_ok_and(|run| run.state().is_none()));
    assert!(load(&["{}"]).is_err());
    assert!(load(&[r#"{"at_ms":1,"entry":{"Woken":{"steps":[]}}}"#]).is_err());
}
