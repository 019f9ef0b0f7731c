//! A whole Stepwell in one process: actors, storage, time, network, app and users, from one seed.
//!
//! # How it is deterministic
//!
//! 1. There is one thread, one clock ([`World::now`](world::World)) and one source of chance ([`dice::Dice`]).
//! 2. Whatever happens is a [`world::Thing`] of one agenda, ordered by time and then by the order in which it was put there.
//! 3. All collections are ordered. Nothing reads the machine's clock, environment or entropy.
//! 4. Each line of the story, and all that the engine gives ([`script`]), goes into one hash: the same seed, the same hash.
//!
//! # Where to look
//!
//! [`home`] models where actors live, [`app`] what functions do, [`user`] who sends events, [`fault`] what goes wrong,
//! [`invariant`] what must hold all the same, [`scenario`] the small worlds whose every crash point is tried.

#![allow(clippy::indexing_slicing, reason = "JSON values only: a missing one is null")]

pub mod app;
pub mod dice;
pub mod fault;
pub mod home;
pub mod invariant;
pub mod scenario;
pub mod script;
pub mod server;
pub mod trace;
pub mod user;
pub mod world;

use app::program::Program;
use dice::Dice;
use fault::{Fault, Faults};
use home::Kind;
use invariant::Violation;
use std::collections::{BTreeMap, BTreeSet};
use world::{Setup, World};

/// Functions of a random world.
const FUNCTIONS_MAX: u64 = 4;
/// Events of a random world.
const EVENTS_MAX: u64 = 16;

/// What came of one seed.
pub struct Report {
    /// The hash of all that happened.
    pub fingerprint: String,
    /// The story.
    pub story: Vec<String>,
    /// What the engine was asked and gave, where that was to be recorded: the lines of a [`script`].
    pub script: Vec<String>,
    /// What was broken.
    pub violation: Option<Violation>,
    /// How often each fault struck.
    pub struck: BTreeMap<Fault, u64>,
    /// Runs.
    pub runs: usize,
    /// Crash points that were passed.
    pub points: u64,
}

/// Runs the world of `seed`, without some kinds of faults.
#[must_use]
pub fn run_seed(seed: u64, without: &BTreeSet<Fault>, events_max: Option<usize>) -> Report {
    report(world_of(seed, without, events_max))
}

/// The world of `seed` at its beginning, without some kinds of faults.
#[must_use]
pub fn world_of(seed: u64, without: &BTreeSet<Fault>, events_max: Option<usize>) -> World {
    let mut dice = Dice::new(seed);
    let kind = if seed.is_multiple_of(2) { Kind::File } else { Kind::Objects };
    let functions = dice.between(1, FUNCTIONS_MAX.saturating_add(1));
    let programs = (0..functions).map(|n| Program::random(&format!("f{n}"), &mut dice)).collect();
    let events = usize::try_from(dice.between(1, EVENTS_MAX.saturating_add(1))).unwrap_or(1);
    let events = events.min(events_max.unwrap_or(usize::MAX));
    let faults = Faults::mixed(&mut dice, without);
    let setup = Setup { kind, programs, events, restless: true, crash_at: None };
    World::new(setup, faults, dice)
}

/// Runs one world to its end.
#[must_use]
pub fn report(mut world: World) -> Report {
    let violation = world.run().err();
    world.trace.hash(world.script.fingerprint().as_bytes());
    Report {
        fingerprint: world.trace.fingerprint(),
        story: world.trace.lines().to_vec(),
        violation,
        struck: world.faults.struck().clone(),
        runs: world.runs(),
        points: world.points,
        script: world.script.into_lines(),
    }
}

/// What is left of a failing seed once everything that it can do without is taken away.
pub struct Shrunk {
    /// Faults that it does not need.
    pub without: BTreeSet<Fault>,
    /// Events that it needs.
    pub events: usize,
    /// What it still comes to.
    pub report: Report,
}

/// Takes faults and events away for as long as the seed still breaks the same promise; `None` where it breaks none.
#[must_use]
pub fn shrink(seed: u64) -> Option<Shrunk> {
    let first = run_seed(seed, &BTreeSet::new(), None);
    let broken = first.violation.as_ref()?.invariant;
    let still = |report: &Report| report.violation.as_ref().is_some_and(|violation| violation.invariant == broken);
    let mut least =
        Shrunk { without: BTreeSet::new(), events: usize::try_from(EVENTS_MAX).unwrap_or(usize::MAX), report: first };
    for fault in Fault::ALL {
        let mut without = least.without.clone();
        without.insert(*fault);
        let report = run_seed(seed, &without, Some(least.events));
        if still(&report) {
            least = Shrunk { without, report, ..least };
        }
    }
    for events in 1..least.events {
        let report = run_seed(seed, &least.without, Some(events));
        if still(&report) {
            least = Shrunk { events, report, ..least };
            break;
        }
    }
    Some(least)
}
