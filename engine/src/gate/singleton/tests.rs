//! Never two.

use super::Singleton;
use crate::catalog::Pause;
use crate::gate::Ask;
use crate::gate::admission::Tell;
use crate::gate::bench::{Bench, NOW, run};
use crate::gate::place::Kind;
use crate::limits::{GATE_SEEN_TIME, SINGLETON_ASKED_AGAIN_AFTER};
use crate::stream::driver::sent;
use proptest::prelude::*;
use serde_json::json;

fn bench(mode: &str) -> Bench<Singleton> {
    Bench::new(Kind::Singleton, json!({"singleton": {"mode": mode}}))
}

fn end(bench: &mut Bench<Singleton>, number: u64) -> Vec<String> {
    bench.tell(&Tell::Over { run: run(number) })
}

#[test]
fn whoever_comes_while_there_is_one_is_skipped() {
    let mut bench = bench("skip");
    assert_eq!(bench.come(1), ["1"]);
    assert_eq!(bench.come(2), ["2 skipped"]);
    assert!(end(&mut bench, 2).is_empty(), "it holds nothing");
    assert_eq!(bench.come(3), ["3 skipped"]);
    assert!(end(&mut bench, 1).is_empty());
    assert_eq!(bench.come(4), ["4"]);
}

#[test]
fn the_newcomer_takes_the_place_of_the_one_that_there_is_once_that_is_over() {
    let mut bench = bench("cancel");
    assert_eq!(bench.come(1), ["1"]);
    assert_eq!(bench.come(2), ["displaced by 2"]);
    assert_eq!(bench.come(3), ["2 skipped", "displaced by 3"], "of those who wait for the place the newest has it");
    assert_eq!(end(&mut bench, 1), ["3"]);
    assert!(end(&mut bench, 1).is_empty());
    assert!(end(&mut bench, 3).is_empty());
    assert_eq!(bench.come(4), ["4"]);
}

#[test]
fn an_older_one_whose_message_comes_late_takes_nobodys_place() {
    let mut bench = bench("cancel");
    assert_eq!(bench.come(2), ["2"]);
    assert_eq!(bench.come(1), ["1 skipped"]);
}

#[test]
fn who_is_to_make_room_is_told_until_it_has() {
    let mut bench = bench("cancel");
    bench.come(1);
    bench.come(2);
    let again = NOW + SINGLETON_ASKED_AGAIN_AFTER.0;
    assert_eq!(bench.wake_at, Some(again), "it may not have been there when it was told");
    assert_eq!(bench.pass_to(again), ["displaced by 2"]);
    assert_eq!(end(&mut bench, 1), ["2"]);
    assert_eq!(bench.wake_at, Some(NOW + GATE_SEEN_TIME.0));
}

#[test]
fn what_comes_twice_changes_nothing() {
    for mode in ["skip", "cancel"] {
        let mut bench = bench(mode);
        bench.come(1);
        assert!(bench.come(1).is_empty());
        end(&mut bench, 1);
        assert!(bench.come(1).is_empty(), "it has been");
        assert_eq!(bench.come(2), ["2"]);
        end(&mut bench, 2);
        bench.pass_to(NOW + GATE_SEEN_TIME.0);
        assert!(bench.gate.rows.is_empty());
    }
}

#[test]
fn a_function_that_takes_no_runs_gives_its_place_to_none_of_them() {
    for (pause, is_held) in [(Pause::Skip, false), (Pause::Drain, false), (Pause::Keep, true)] {
        let mut bench = bench("cancel");
        bench.function().paused = Some(pause);
        assert_eq!(bench.come(1), [if is_held { "1" } else { "1 skipped" }]);
        bench.function().paused = None;
        assert_eq!(bench.come(2), [if is_held { "displaced by 2" } else { "2" }]);
    }
}

#[test]
fn a_function_that_is_no_singleton_any_more_lets_all_begin() {
    let mut bench = bench("skip");
    bench.come(1);
    bench.function().flow.singleton = None;
    assert_eq!(bench.come(2), ["2"]);
}

#[test]
fn it_tells_whether_one_waits_for_the_place() {
    let mut bench = bench("cancel");
    bench.come(1);
    assert_eq!(bench.waiting(), (0, None));
    bench.come(2);
    assert_eq!(bench.waiting(), (1, None));
    let (_, done) = bench.gate.ask(&Ask::Flow);
    assert!(
        sent(&done)[0].1.get("Displaced").is_some(),
        "whoever asks again and again does not put off that it is told once more"
    );
    end(&mut bench, 1);
    assert_eq!(bench.waiting(), (0, None));
}

proptest! {
    /// Whatever comes and ends in whatever order: there are never two, and nobody waits for a place that is free.
    #[test]
    fn there_is_one_at_a_time(cancels in any::<bool>(), steps in prop::collection::vec((1_u64..40, any::<bool>()), 1..80)) {
        let mut bench = bench(if cancels { "cancel" } else { "skip" });
        let mut there: Option<u64> = None;
        for (number, comes) in steps {
            let told = match there {
                Some(holder) if !comes => {
                    there = None;
                    end(&mut bench, holder)
                }
                _ => bench.come(number),
            };
            for begun in told.iter().filter_map(|told| told.parse::<u64>().ok()) {
                prop_assert_eq!(there, None, "{} begins", begun);
                there = Some(begun);
            }
        }
        // Those who were to take a place have it, one after the other, and then there is nobody.
        while let Some(holder) = there {
            there = end(&mut bench, holder).iter().find_map(|told| told.parse().ok());
        }
        prop_assert!(!bench.gate.rows.contains_key("holder"));
    }
}
