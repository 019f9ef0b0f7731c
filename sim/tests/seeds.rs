//! Random worlds: what holds in each, that they are the same every time, and that every fault strikes.

use std::collections::{BTreeMap, BTreeSet};
use stepwell_engine::turn::{AppCall, Effect};
use stepwell_sim::fault::{Fault, faults_of};
use stepwell_sim::{Report, report, run_seed, world_of};

/// Seeds that once failed.
const REGRESSIONS: &str = include_str!("../regressions.txt");
/// Seeds of a test run; `cargo xtask sim` runs more.
const SEEDS: u64 = 300;

fn holds(seed: u64) -> BTreeMap<Fault, u64> {
    let report = run_seed(seed, &BTreeSet::new(), None);
    assert!(report.violation.is_none(), "seed {seed}: {:?}", report.violation);
    report.struck
}

#[test]
fn every_promise_holds_and_every_fault_of_every_effect_strikes() {
    let mut struck: BTreeMap<Fault, u64> = BTreeMap::new();
    for seed in 1..=SEEDS {
        for (fault, count) in holds(seed) {
            *struck.entry(fault).or_default() += count;
        }
    }
    for fault in Fault::ALL {
        assert!(struck.get(fault).is_some_and(|count| *count > 0), "{} never struck", fault.name());
    }
}

#[test]
fn every_kind_of_effect_has_its_faults() {
    let call = AppCall {
        id: String::new(),
        method: "POST",
        url: String::new(),
        headers: Vec::new(),
        body: Vec::new(),
        time_max: stepwell_engine::ids::Millis(0),
        answer_bytes_max: 0,
        redirects_max: 0,
    };
    let effects = [
        Effect::Reply { token: 0, body: Vec::new() },
        Effect::Send { to: stepwell_engine::turn::Address::catalog(), body: Vec::new() },
        Effect::Call(call),
        Effect::Publish { channel: String::new(), data: Vec::new() },
        Effect::Install { version: 0, snapshot: Vec::new() },
    ];
    assert!(effects.iter().all(|effect| !faults_of(effect).is_empty()));
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    for seed in 1..=12 {
        let (one, other) = (recorded(seed), recorded(seed));
        assert_eq!(one.story, other.story, "seed {seed}");
        assert_eq!(one.script, other.script, "seed {seed}");
        assert_eq!(one.fingerprint, other.fingerprint, "seed {seed}");
    }
}

#[test]
fn recording_changes_nothing_and_another_seed_everything() {
    let fingerprint = recorded(7).fingerprint;
    assert_eq!(fingerprint, run_seed(7, &BTreeSet::new(), None).fingerprint);
    assert_ne!(fingerprint, recorded(9).fingerprint);
}

fn recorded(seed: u64) -> Report {
    let mut world = world_of(seed, &BTreeSet::new(), None);
    world.record();
    let report = report(world);
    assert!(report.script.len() > 10, "seed {seed} has hardly a script");
    report
}

#[test]
fn seeds_that_once_failed_hold() {
    for line in REGRESSIONS.lines() {
        let seed = line.split('#').next().unwrap_or_default().trim();
        if !seed.is_empty() {
            holds(seed.parse().unwrap());
        }
    }
}
