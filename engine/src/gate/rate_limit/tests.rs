//! So many in any span of the period, and no more.

use super::RateLimit;
use crate::gate::bench::{Bench, NOW, start};
use crate::gate::place::Kind;
use crate::ids::Millis;
use crate::limits::{EVENT_IDEMPOTENCY_TIME, GATE_ROWS_FORGOTTEN_PER_TURN_MAX, GATE_SEEN_TIME};
use proptest::prelude::*;
use serde_json::{Value, json};

const PERIOD: u64 = 60_000;

fn bench(flow: Value) -> Bench<RateLimit> {
    Bench::new(Kind::RateLimit, flow)
}

fn limited(limit: u32) -> Bench<RateLimit> {
    bench(json!({"rate_limit": {"limit": limit, "period": PERIOD}}))
}

#[test]
fn so_many_pass_at_once_and_the_rest_is_answered_and_dropped() {
    let mut bench = limited(10);
    let passed: Vec<String> = (0..20).flat_map(|number| bench.come(number)).collect();
    assert_eq!(passed, (0..10).map(|number| number.to_string()).collect::<Vec<_>>(), "ten a minute are ten, at once");
    assert_eq!(bench.answers.len(), 10);
    assert_eq!(bench.answers[0], "s10: InvokedFunctionRateLimited");
}

#[test]
fn a_place_is_free_again_a_whole_period_after_it_was_taken() {
    let mut bench = limited(2);
    assert_eq!(bench.come(1), ["1"]);
    bench.pass_to(NOW + 1_000);
    assert_eq!(bench.come(2), ["2"]);
    bench.pass_to(NOW + PERIOD - 1);
    assert!(bench.come(3).is_empty());
    bench.pass_to(NOW + PERIOD);
    assert_eq!(bench.come(4), ["4"]);
    assert!(bench.come(5).is_empty(), "the second is within the period still");
    bench.pass_to(NOW + PERIOD + 1_000);
    assert_eq!(bench.come(6), ["6"]);
}

#[test]
fn what_comes_twice_counts_once_and_is_judged_once() {
    let mut bench = limited(1);
    assert_eq!(bench.come(1), ["1"]);
    assert!(bench.come(1).is_empty() && bench.answers.is_empty());
    assert!(bench.come(2).is_empty());
    assert!(bench.come(2).is_empty());
    assert_eq!(bench.answers.len(), 1);
    bench.gate.now = Millis(NOW + PERIOD);
    assert!(bench.come(2).is_empty(), "it was refused, and stays so");
    assert_eq!(bench.come(3), ["3"]);
}

#[test]
fn an_idempotency_key_lets_one_pass_a_day_whatever_limit_stands_beside_it() {
    let mut bench = bench(json!({"idempotency": "event.data.id", "rate_limit": {"limit": 5, "period": 1_000}}));
    assert_eq!(bench.come(1), ["1"]);
    bench.pass_to(NOW + EVENT_IDEMPOTENCY_TIME.0 - 1);
    assert!(bench.come(2).is_empty());
    bench.pass_to(NOW + EVENT_IDEMPOTENCY_TIME.0);
    assert_eq!(bench.come(3), ["3"]);
}

#[test]
fn what_means_nothing_any_more_is_forgotten_in_bounded_turns() {
    let mut bench = limited(u32::MAX);
    let count = u64::try_from(GATE_ROWS_FORGOTTEN_PER_TURN_MAX).unwrap() + 1;
    (0..count).for_each(|number| assert_eq!(bench.come(number).len(), 1));
    bench.gate.now = Millis(NOW + GATE_SEEN_TIME.0);
    bench.wake();
    assert_eq!(bench.gate.rows.len(), 1, "one beyond what a turn forgets");
    assert_eq!(bench.wake_at, Some(NOW + GATE_SEEN_TIME.0), "it goes on at once");
    bench.wake();
    assert!(bench.gate.rows.is_empty());
    assert_eq!(bench.wake_at, None);
}

#[test]
fn a_limit_that_is_gone_lets_all_pass() {
    let mut bench = limited(1);
    bench.come(1);
    bench.function().flow.rate_limit = None;
    assert_eq!(bench.come(2), ["2"]);
}

#[test]
fn a_function_that_is_gone_is_told_to_whoever_invoked_it() {
    let mut bench = limited(1);
    bench.function().archived = true;
    assert!(bench.come(1).is_empty());
    assert_eq!(bench.answers, ["s1: function_gone"]);
}

#[test]
fn it_tells_when_there_is_room_again_where_there_is_none() {
    let mut bench = limited(2);
    bench.come(1);
    bench.pass_to(NOW + 1_000);
    assert_eq!(bench.waiting(), (0, None), "one more may come at once");
    bench.come(2);
    assert_eq!(bench.waiting(), (0, Some(NOW + PERIOD)));
    bench.pass_to(NOW + PERIOD - 1);
    assert_eq!(bench.waiting(), (0, Some(NOW + PERIOD)));
    bench.pass_to(NOW + PERIOD);
    assert_eq!(bench.waiting(), (0, None));
}

proptest! {
    /// Of what was let pass there are never more than the limit within a period; and what was refused would have been one more.
    #[test]
    fn it_is_a_true_count(limit in 1_u32..5, steps in prop::collection::vec(0_u64..PERIOD, 1..60)) {
        let mut bench = limited(limit);
        let (mut now, mut passed) = (NOW, Vec::new());
        for (number, step) in (0..).zip(steps) {
            now += step;
            bench.pass_to(now);
            let within = passed.iter().filter(|at| *at + PERIOD > now).count();
            let is_passed = !bench.show(start(number)).is_empty();
            prop_assert_eq!(is_passed, within < usize::try_from(limit).unwrap());
            if is_passed {
                passed.push(now);
            }
        }
    }
}
