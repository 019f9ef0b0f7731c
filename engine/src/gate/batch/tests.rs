//! Each event in one batch, and each batch a run.

use super::Batch;
use crate::gate::bench::{Bench, NOW, start, with};
use crate::gate::place::Kind;
use crate::ids::Millis;
use crate::limits::{BATCH_BYTES_MAX, GATE_SEEN_TIME};
use proptest::prelude::*;
use serde_json::json;

const TIMEOUT: u64 = 5_000;

fn bench(events_max: u32) -> Bench<Batch> {
    Bench::new(Kind::Batch, json!({"batch": {"events_max": events_max, "timeout": TIMEOUT}}))
}

#[test]
fn a_full_batch_starts_at_once_under_the_first_ones_id() {
    let mut bench = bench(3);
    assert!(bench.come(2).is_empty() && bench.come(1).is_empty());
    assert_eq!(bench.come(3), ["listed: 2", "listed: 2", "2+1+3"], "in the order in which they came");
    assert!(bench.come(4).is_empty());
    assert_eq!(bench.gate.rows.keys().filter(|key| key.starts_with("event/")).count(), 1);
}

#[test]
fn a_batch_that_is_not_full_starts_once_its_time_is_over() {
    let mut bench = bench(10);
    bench.come(1);
    bench.pass_to(NOW + 4_000);
    bench.come(2);
    assert!(bench.pass_to(NOW + TIMEOUT - 1).is_empty());
    assert_eq!(bench.pass_to(NOW + TIMEOUT), ["listed: 1", "1+2"], "counted from its first event");
    assert_eq!(bench.wake_at, Some(NOW + GATE_SEEN_TIME.0));
}

#[test]
fn what_is_due_goes_on_before_another_is_added() {
    let mut bench = bench(10);
    bench.come(1);
    bench.gate.now = Millis(NOW + TIMEOUT);
    assert_eq!(bench.come(2), ["1"]);
}

#[test]
fn a_batch_is_never_larger_than_it_may_be() {
    let large = |number, bytes: usize| with(number, NOW, &json!({"text": "x".repeat(bytes)}));
    let overhead = super::bytes(&large(1, 0));
    let half = BATCH_BYTES_MAX / 2 - overhead;
    let mut exact = bench(10);
    exact.show(large(1, half));
    assert!(exact.show(large(2, half)).is_empty(), "just so much is allowed");
    assert_eq!(exact.show(start(3)), ["listed: 1", "1+2"]);
    let mut one_more = bench(10);
    one_more.show(large(1, half));
    assert_eq!(one_more.show(large(2, half + 1)), ["1"]);
    assert_eq!(one_more.pass_to(NOW + TIMEOUT), ["2"]);
}

#[test]
fn what_comes_twice_is_in_no_two_batches() {
    let mut bench = bench(2);
    bench.come(1);
    assert!(bench.come(1).is_empty());
    assert_eq!(bench.come(2), ["listed: 1", "1+2"]);
    assert!(bench.come(1).is_empty() && bench.come(2).is_empty());
    assert!(bench.pass_to(NOW + GATE_SEEN_TIME.0).is_empty());
    assert!(bench.gate.rows.is_empty());
}

#[test]
fn none_of_a_batch_runs_before_its_time() {
    let mut bench = bench(2);
    let later = |number, at| crate::run::message::Start { not_before: Some(Millis(at)), ..start(number) };
    bench.show(later(1, NOW + 60_000));
    let message = crate::gate::admission::Tell::Start(Box::new(later(2, NOW + 1_000)));
    let done = bench.gate.tell(&message);
    let (_, told) = crate::stream::driver::sent(&done).pop().unwrap();
    assert_eq!(told["Start"]["not_before"], NOW + 60_000);
    assert_eq!(told["Start"]["is_batch"], true);
}

#[test]
fn a_smaller_batch_takes_effect_with_the_next_event_and_none_lets_all_go() {
    let mut shrunk = bench(10);
    (1..4).for_each(|number| drop(shrunk.come(number)));
    shrunk.function().flow.batch.as_mut().unwrap().events_max = 2;
    assert_eq!(shrunk.come(4).last().unwrap(), "1+2+3+4");
    let mut none = bench(10);
    none.come(1);
    none.function().flow.batch = None;
    assert_eq!(none.come(2), ["1", "2"]);
}

#[test]
fn it_tells_how_many_are_gathered_and_when_they_go_on() {
    let mut bench = bench(10);
    assert_eq!(bench.waiting(), (0, None));
    bench.come(1);
    bench.pass_to(NOW + 1_000);
    bench.come(2);
    assert_eq!(bench.waiting(), (2, Some(NOW + TIMEOUT)));
    bench.pass_to(NOW + TIMEOUT);
    assert_eq!(bench.waiting(), (0, None));
}

proptest! {
    /// Whatever comes whenever and however often: each event is in one batch, in the order in which it came.
    #[test]
    fn nothing_is_lost_or_doubled(events_max in 2_u32..6, steps in prop::collection::vec((1_u64..30, 0_u64..8_000), 1..60)) {
        let mut bench = bench(events_max);
        let (mut now, mut came, mut told) = (NOW, Vec::new(), Vec::new());
        for (number, step) in steps {
            now += step;
            told.extend(bench.pass_to(now));
            told.extend(bench.come(number));
            if !came.contains(&number.to_string()) {
                came.push(number.to_string());
            }
        }
        told.extend(bench.pass_to(now + TIMEOUT));
        let batches: Vec<&String> = told.iter().filter(|told| !told.starts_with("listed")).collect();
        for batch in &batches {
            prop_assert!(batch.split('+').count() <= usize::try_from(events_max).unwrap());
        }
        let ran: Vec<&str> = batches.iter().flat_map(|batch| batch.split('+')).collect();
        prop_assert_eq!(ran, came);
    }
}
