//! Random worlds: what holds in each, that they are the same every time, and that every fault strikes.

#![allow(clippy::arithmetic_side_effects, reason = "a test")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use stepwell_sim::fault::Fault;
use stepwell_sim::home::Kind;
use stepwell_sim::seed::Case;
use stepwell_sim::{Report, report};

/// Seeds that once failed.
const REGRESSIONS: &str = include_str!("../regressions.txt");
/// Seeds of a test run; `cargo xtask sim` runs more.
const SEEDS: u64 = 1_200;

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
    let struck: Mutex<BTreeMap<Fault, u64>> = Mutex::default();
    let next = AtomicU64::new(1);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > SEEDS {
                        return;
                    }
                    for (fault, count) in holds(seed).struck {
                        *struck.lock().unwrap().entry(fault).or_default() += count;
                    }
                }
            });
        }
    });
    let struck = struck.into_inner().unwrap();
    for fault in Fault::ALL {
        assert!(struck.get(fault).is_some_and(|count| *count > 0), "{} never struck", fault.name());
    }
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
