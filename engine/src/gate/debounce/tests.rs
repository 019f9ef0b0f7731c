//! One run, with the newest event.

use super::Debounce;
use crate::gate::bench::{Bench, NOW, with};
use crate::gate::place::Kind;
use crate::ids::Millis;
use crate::limits::GATE_SEEN_TIME;
use crate::stream::driver::sent;
use crate::turn::Message;
use proptest::prelude::*;
use serde_json::json;

const PERIOD: u64 = 10_000;

fn bench(timeout: Option<u64>) -> Bench<Debounce> {
    Bench::new(Kind::Debounce, json!({"debounce": {"period": PERIOD, "timeout": timeout}}))
}

#[test]
fn the_last_event_runs_once_it_is_quiet() {
    let mut bench = bench(None);
    assert!(bench.come(1).is_empty());
    assert!(bench.pass_to(NOW + 9_999).is_empty());
    assert!(bench.come(2).is_empty(), "and the period begins anew");
    assert_eq!(bench.answers, ["s1: InvokedFunctionDebounced"], "nobody waits for what will never be");
    assert!(bench.pass_to(NOW + 19_998).is_empty());
    assert_eq!(bench.pass_to(NOW + 19_999), ["2"]);
    assert_eq!(bench.answers.len(), 1);
}

#[test]
fn what_is_let_go_says_since_when_it_may_run() {
    let mut bench = bench(None);
    bench.come(1);
    bench.gate.now = Millis(NOW + PERIOD);
    let done = bench.gate.turn(Message::Wake).unwrap();
    let start = &sent(&done)[0].1["Start"];
    assert_eq!((&start["received_at"], &start["admitted_at"]), (&json!(NOW), &json!(NOW + PERIOD)));
}

#[test]
fn a_timeout_shorter_than_the_period_holds() {
    let mut bench = bench(Some(4_000));
    bench.come(1);
    assert!(bench.pass_to(NOW + 3_999).is_empty());
    assert_eq!(bench.pass_to(NOW + 4_000), ["1"]);
}

#[test]
fn a_changed_period_holds_from_the_next_event_on() {
    let mut bench = bench(None);
    bench.come(1);
    bench.function().flow.debounce.as_mut().unwrap().period = Millis(1_000);
    assert!(bench.pass_to(NOW + 5_000).is_empty(), "what is held keeps its time");
    bench.come(2);
    assert_eq!(bench.pass_to(NOW + 6_000), ["2"]);
}

#[test]
fn after_the_timeout_it_runs_whatever_comes() {
    let mut bench = bench(Some(15_000));
    for (number, at) in [(1, 0), (2, 9_000), (3, 14_000)] {
        assert!(bench.pass_to(NOW + at).is_empty());
        bench.come(number);
    }
    assert!(bench.pass_to(NOW + 14_999).is_empty());
    assert_eq!(bench.pass_to(NOW + 15_000), ["3"]);
    bench.come(4);
    assert!(bench.pass_to(NOW + 24_999).is_empty(), "which begins anew");
    assert_eq!(bench.pass_to(NOW + 25_000), ["4"]);
}

#[test]
fn an_event_that_is_older_neither_replaces_nor_holds_back() {
    let mut bench = bench(None);
    bench.show(with(2, NOW + 2_000, &json!({})));
    bench.pass_to(NOW + 5_000);
    assert!(bench.show(with(3, NOW + 1_000, &json!({}))).is_empty());
    assert_eq!(bench.answers, ["s3: InvokedFunctionDebounced"]);
    assert_eq!(bench.pass_to(NOW + PERIOD), ["2"]);
}

#[test]
fn of_two_of_one_time_the_later_id_is_the_newer_whichever_message_comes_first() {
    for order in [[1, 2], [2, 1]] {
        let mut bench = bench(None);
        order.iter().for_each(|number| drop(bench.show(with(*number, NOW, &json!({})))));
        assert_eq!(bench.pass_to(NOW + PERIOD), ["2"]);
    }
}

#[test]
fn what_comes_twice_changes_nothing() {
    let mut bench = bench(None);
    bench.come(1);
    bench.pass_to(NOW + 5_000);
    bench.come(1);
    assert!(bench.answers.is_empty());
    assert_eq!(bench.pass_to(NOW + PERIOD), ["1"]);
    assert!(bench.come(1).is_empty());
    assert_eq!(bench.wake_at, Some(NOW + GATE_SEEN_TIME.0), "nothing is held back");
    bench.pass_to(NOW + GATE_SEEN_TIME.0);
    assert!(bench.gate.rows.is_empty());
}

#[test]
fn what_is_due_goes_on_before_another_can_take_its_place() {
    let mut bench = bench(None);
    bench.come(1);
    bench.gate.now = Millis(NOW + PERIOD);
    assert_eq!(bench.come(2), ["1"], "although nobody woke it");
    assert!(bench.answers.is_empty());
}

#[test]
fn without_a_debounce_everything_goes_on_at_once() {
    let mut bench = bench(None);
    bench.come(1);
    bench.function().flow.debounce = None;
    assert_eq!(bench.come(2), ["1", "2"]);
}

#[test]
fn a_singleton_comes_behind_it() {
    let mut bench = bench(None);
    bench.function().flow = serde_json::from_value(json!({
        "debounce": {"period": PERIOD}, "singleton": {"mode": "skip"}, "rate_limit": {"limit": 1, "period": 1_000}
    }))
    .unwrap();
    bench.come(1);
    assert_eq!(bench.pass_to(NOW + PERIOD), ["1 to the next gate"]);
}

#[test]
fn it_tells_when_what_is_held_back_goes_on() {
    let mut bench = bench(Some(15_000));
    assert_eq!(bench.waiting(), (0, None));
    bench.come(1);
    assert_eq!(bench.waiting(), (1, Some(NOW + PERIOD)));
    bench.pass_to(NOW + 9_000);
    bench.come(2);
    assert_eq!(bench.waiting(), (1, Some(NOW + 15_000)), "no later than the timeout");
    bench.pass_to(NOW + 15_000);
    assert_eq!(bench.waiting(), (0, None));
}

proptest! {
    /// Whatever comes whenever: each quiet time brings one run, that of the newest event since the last.
    #[test]
    fn each_burst_has_one_run_with_its_newest_event(steps in prop::collection::vec((0_u64..2 * PERIOD, 0_u64..5_000), 1..40)) {
        let mut bench = bench(None);
        let (mut now, mut burst, mut expected, mut told) = (NOW, Vec::<(u64, u64)>::new(), Vec::new(), Vec::new());
        // The burst is over a period after its last event that was newer than those before it.
        let mut quiet_at = u64::MAX;
        for (number, (step, age)) in (1..).zip(steps) {
            now += step;
            told.extend(bench.pass_to(now));
            if quiet_at <= now {
                expected.push(burst.drain(..).max().unwrap().1.to_string());
            }
            let ts = NOW + age;
            if burst.iter().max().is_none_or(|newest| *newest < (ts, number)) {
                quiet_at = now + PERIOD;
            }
            burst.push((ts, number));
            bench.show(with(number, ts, &json!({})));
        }
        told.extend(bench.pass_to(now + PERIOD));
        expected.push(burst.drain(..).max().unwrap().1.to_string());
        prop_assert_eq!(told, expected);
    }
}
