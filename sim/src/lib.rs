//! A whole Stepwell in one process: actors, storage, time, network, app and users, from one seed.
//!
//! # How it is deterministic
//!
//! 1. There is one thread, one clock ([`World::now`](world::World)) and one source of chance ([`dice::Dice`]).
//! 2. Whatever happens is a [`Thing`](world::agenda::Thing) of one agenda, ordered by time and then by the order in which it
//!    was put there.
//! 3. All collections are ordered. Nothing reads the machine's clock, environment or entropy.
//! 4. Each line of the story, and all that the engine gives ([`script`]), goes into one hash: the same seed, the same hash.
//!
//! # Where to look
//!
//! [`home`] models where actors live, [`app`] what functions do, [`user`] who sends events, [`fault`] what goes wrong,
//! [`invariant`] what must hold all the same, [`mod@reference`] what should become of it, [`scenario`] the small worlds whose
//! every crash point is tried, [`sabotage`] the defects that each promise must catch.

#![allow(clippy::indexing_slicing, reason = "JSON values only: a missing one is null")]

pub mod app;
pub mod dice;
pub mod fault;
pub mod home;
pub mod invariant;
pub mod reference;
pub mod sabotage;
pub mod scenario;
pub mod script;
pub mod seed;
pub mod server;
pub mod shrink;
pub mod story;
pub mod trace;
pub mod user;
pub mod world;

use fault::Fault;
use invariant::Violation;
use std::collections::BTreeMap;
use trace::Line;
use world::World;

/// What came of one world.
pub struct Report {
    /// The hash of all that happened.
    pub fingerprint: String,
    /// The story, where it was kept.
    pub story: Vec<Line>,
    /// What the engine was asked and gave, where that was to be recorded: the lines of a [`script`].
    pub script: Vec<String>,
    /// What was broken.
    pub violation: Option<Violation>,
    /// How often each fault struck.
    pub struck: BTreeMap<Fault, u64>,
    /// Runs.
    pub runs: usize,
    /// Turns.
    pub turns: u64,
    /// Crash points that were passed.
    pub points: u64,
}

/// Runs one world to its end.
#[must_use]
pub fn report(mut world: World) -> Report {
    let violation = world.run().err();
    Report {
        fingerprint: world.fingerprint(),
        story: world.trace.lines().to_vec(),
        violation,
        struck: world.faults.struck().clone(),
        runs: world.runs(),
        turns: world.turns,
        points: world.points,
        script: world.script.into_lines(),
    }
}
