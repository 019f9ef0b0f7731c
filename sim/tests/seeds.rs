//! Random worlds: what holds in each, that they are the same every time, and that every fault strikes.

#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use stepwell_sim::fault::Fault;
use stepwell_sim::home::Kind;
use stepwell_sim::seed::Case;
use stepwell_sim::{Report, report};

/// Seeds that once failed.
const REGRESSIONS: &str = include_str!("../regressions.txt");
/// Seeds of a test run; `cargo xtask sim` runs more.
const SEEDS: u64 = 400;
/// Seeds whose functions have flow control.
const LIMITED_SEEDS: u64 = 1_000;

fn holds(seed: u64) -> Report {
    case_holds(Case::of(seed))
}

fn case_holds(case: Case) -> Report {
    let report = report(case.world(false));
    assert!(report.violation.is_none(), "{case:?}: {:?}", report.violation);
    report
}

#[test]
fn every_promise_holds_and_every_fault_strikes() {
    let struck = all_hold((1..=SEEDS).map(Case::of));
    for fault in Fault::ALL {
        assert!(struck.get(fault).is_some_and(|count| *count > 0), "{} never struck", fault.name());
    }
}

#[test]
fn every_promise_holds_under_flow_control() {
    all_hold((1..=LIMITED_SEEDS).map(|seed| Case { limits: true, ..Case::of(seed) }));
}

/// Runs them on all cores; gives how often each fault struck.
fn all_hold(cases: impl Iterator<Item = Case> + Send) -> BTreeMap<Fault, u64> {
    let (struck, cases) = (Mutex::<BTreeMap<Fault, u64>>::default(), Mutex::new(cases));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let Some(case) = cases.lock().unwrap().next() else { return };
                    for (fault, count) in case_holds(case).struck {
                        *struck.lock().unwrap().entry(fault).or_default() += count;
                    }
                }
            });
        }
    });
    struck.into_inner().unwrap()
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 1..=12 {
        let (one, other) = (recorded(seed), recorded(seed));
        assert_eq!(told(&one), told(&other), "seed {seed}");
        assert_eq!(one.script, other.script, "seed {seed}");
        assert_eq!(one.fingerprint, other.fingerprint, "seed {seed}");
    }
}

fn told(report: &Report) -> Vec<String> {
    report.story.iter().map(ToString::to_string).collect()
}

#[test]
fn recording_changes_nothing_and_another_seed_everything() {
    let fingerprint = recorded(7).fingerprint;
    assert_eq!(fingerprint, holds(7).fingerprint);
    assert_ne!(fingerprint, recorded(9).fingerprint);
}

fn recorded(seed: u64) -> Report {
    let mut world = Case::of(seed).world(true);
    world.record();
    let report = report(world);
    assert!(report.script.len() > 10, "seed {seed} has hardly a script");
    report
}

#[test]
fn seeds_that_once_failed_hold() {
    for line in REGRESSIONS.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let Some(seed) = words.next().map(|seed| seed.parse().unwrap()) else { continue };
        let home = words.next().map(|name| Kind::ALL.iter().copied().find(|kind| kind.name() == name).unwrap());
        assert_eq!(words.next(), None);
        case_holds(Case { home, ..Case::of(seed) });
    }
}
