//! Limits whose keys a deploy changes, while calls wait and others are under way.

use super::*;
use crate::limits::SLOTS_CHECKED_PER_TURN_MAX;

fn keyed(key: Option<&str>) -> Value {
    limits(json!([{"limit": 1, "scope": "fn", "key": key}]))
}

fn of_runs(key: Option<&str>) -> Value {
    json!({"concurrency": {"runs": {"limit": 1, "scope": "fn", "key": key}}})
}

fn throttled(key: Option<&str>) -> Value {
    json!({"throttle": {"limit": 1, "period": 10_000, "burst": 0, "key": key}})
}

const CHANGES: [(Option<&str>, Option<&str>); 3] = [(None, Some("k")), (Some("k"), Some("j")), (Some("k"), None)];

/// What runs say of their keys while a limit has this one.
fn said(key: Option<&str>) -> Vec<(&str, &str)> {
    key.map(|key| (key, "a")).into_iter().collect()
}

fn deploy(bench: &mut Bench, flow: Value) -> Vec<String> {
    bench.gate.catalog = catalog(flow);
    bench.tell(&Tell::Configured)
}

#[test]
fn who_waits_for_a_limit_whose_key_is_another_waits_on() {
    for flow in [keyed, of_runs] {
        for (before, after) in CHANGES {
            let mut bench = Bench::new(flow(before));
            (1..=4).for_each(|run| drop(bench.begin(run, &said(before))));
            assert_eq!(bench.granted, ["1/discovery:0"]);
            assert!(deploy(&mut bench, flow(after)).is_empty(), "{before:?} to {after:?}: the first is under way");
            assert_eq!(bench.end(1), ["2/discovery:0"], "{before:?} to {after:?}");
            assert_eq!(bench.end(2), ["3/discovery:0"]);
        }
    }
}

#[test]
fn who_waits_for_a_throttle_whose_key_is_another_begins_when_it_lets_the_next() {
    for (before, after) in CHANGES {
        let mut bench = Bench::new(throttled(before));
        (1..=3).for_each(|run| drop(bench.begin(run, &said(before))));
        // A key that is another counts anew.
        let mut granted_at = vec![NOW; 1 + deploy(&mut bench, throttled(after)).len()];
        while let Some(at) = bench.wake_at.filter(|at| at.0 <= NOW + 30_000) {
            let granted = bench.wake(at.0);
            granted_at.extend(granted.iter().map(|_| at.0));
        }
        assert_eq!(bench.granted.len(), 3, "{before:?} to {after:?}: {granted_at:?}");
        assert!(granted_at[2] >= granted_at[1] + 10_000, "no two of one period: {granted_at:?}");
    }
}

#[test]
fn runs_that_wait_are_asked_for_what_their_keys_come_to_now() {
    let mut bench = Bench::new(keyed(None));
    let count = u64::try_from(SLOTS_CHECKED_PER_TURN_MAX).unwrap() + 10;
    (0..=count).for_each(|run| drop(bench.begin(run, &[])));
    deploy(&mut bench, keyed(Some("k")));
    assert_eq!(bench.asked.len(), SLOTS_CHECKED_PER_TURN_MAX, "a bounded number in a turn");
    assert_eq!(bench.wake_at, Some(Millis(NOW)));
    bench.wake(NOW);
    assert_eq!(bench.asked.len(), SLOTS_CHECKED_PER_TURN_MAX + 10);
    let asked = json!({"waits": true, "anew": true, "dispatch": {"unit": "discovery:0", "generation": 1}});
    let told = &bench.asked[0]["message"]["Holds"];
    assert!(asked.as_object().unwrap().iter().all(|(name, value)| told[name] == *value), "{told}");
    assert_ne!(bench.wake_at, Some(Millis(NOW)), "each is asked once");

    let answer = |run, key| News { is_first: true, repeats: true, ..wanted(run, "discovery:0", 1, &[("k", key)]) };
    assert_eq!(bench.want(answer(1, "a")), ["1/discovery:0"], "nobody of its value is under way");
    assert!(bench.want(answer(2, "a")).is_empty());
    assert_eq!(bench.want(answer(3, "b")), ["3/discovery:0"]);
    assert_eq!(bench.end(1), ["2/discovery:0"]);
    assert_eq!(bench.end(0), ["4/discovery:0"], "those that have not answered go on together");
}
