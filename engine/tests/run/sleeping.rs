//! Sleeps, and starts in the future.

use crate::driver::{Driver, sleep};
use serde_json::json;
use stepwell_engine::ids::Millis;
use stepwell_engine::turn::Message;

#[test]
fn a_sleep_is_never_early_and_leaves_null() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([sleep("s", "10s")]));
    assert_eq!((run.wake_at, run.owing), (Some(run.now + 10_000), false));
    run.now += 9_999;
    run.turn(Message::Wake);
    run.no_calls();
    assert_eq!(run.wake_at, Some(run.now + 1));
    run.pass(1);
    let call = run.call();
    assert_eq!(call.body["steps"], json!({"s": null}));
    assert_eq!(run.journal(), ["Started", "Answered", "Woken"]);
}

#[test]
fn a_wake_that_comes_twice_counts_once() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([sleep("s", "1s")]));
    run.pass(1_000);
    run.turn(Message::Wake);
    run.call();
    assert_eq!(run.journal().len(), 3);
}

#[test]
fn a_sleep_till_the_past_ends_now() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([sleep("s", "2001-01-01T00:00:00Z")]));
    run.pass(0);
    assert_eq!(run.call().stack(), ["s"]);
}

#[test]
fn a_sleeping_run_keeps_its_time_over_a_crash() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([sleep("s", "1h")]));
    let wake_at = run.wake_at;
    run.crash();
    run.no_calls();
    assert_eq!(run.wake_at, wake_at);
    assert_eq!(run.journal().len(), 2, "nothing was in flight, so nothing is written");
}

#[test]
fn an_event_of_the_future_starts_its_run_then() {
    let mut run = Driver::idle(4);
    let later = run.now + 60_000;
    run.begin_later(|start| start.not_before = Some(Millis(later)));
    run.no_calls();
    assert_eq!((run.wake_at, run.owing), (Some(later), false));
    assert_eq!(run.status(), "Scheduled");
    run.pass_till_woken();
    run.call();
    assert_eq!(run.status(), "Running");
}
