//! Each promise can be broken, and is the one that is found broken: worlds where nothing is wrong but the engine.

use std::collections::BTreeSet;
use stepwell_sim::app::program::{Program, Saves, Sdk};
use stepwell_sim::fault::{Fault, Faults};
use stepwell_sim::home::Kind;
use stepwell_sim::invariant::Invariant;
use stepwell_sim::report;
use stepwell_sim::sabotage::Sabotage;
use stepwell_sim::seed::Case;
use stepwell_sim::world::{Setup, World};

/// Worlds that each sabotage is tried in.
const WORLDS: u64 = 12;
const EVENTS: usize = 6;

/// A function in which the sabotage shows.
fn program(invariant: Invariant) -> &'static str {
    match invariant {
        // Something is under way while something else is written down.
        Invariant::OwedIsDerivable => "a%20|b c",
        Invariant::SavedStays => "a b!1 c",
        Invariant::SleepsAreNotEarly => "~1|~500 a",
        Invariant::CallsAreNotEarly => "a;20|b;1",
        Invariant::SleepsAreNotLate => "~5 a",
        Invariant::StepsFollowTheProgram => "a?? b??",
        Invariant::WaitsTakeOne | Invariant::WaitsMissNothing => "@600 a",
        Invariant::NoWaitsRemain => "@1 a",
        Invariant::SignalsWakeOne | Invariant::SignalsArrive => "#=600 a",
        Invariant::FinishesReachInvokers => "&g~600? a",
        Invariant::CancellationsArrive => "-stop ~500 a",
        Invariant::CancelledRunsStop => "~500 a",
        Invariant::SchedulesAreKept => ":1 a",
        Invariant::DeferralsRun => "+g a",
        Invariant::TimeoutsHold => "<5 ~60 a",
        Invariant::LimitsHold | Invariant::GatesAreFair => "=1 a%3 b",
        Invariant::ThrottlesHold => "_1,600 a",
        Invariant::BatchesAreWhole => "[3,5 a",
        Invariant::DebouncesRunTheNewest => "{30 a",
        Invariant::RateLimitsCount => "(2 a",
        Invariant::SingletonsHold => "1skip ~500 a",
        Invariant::NoSlotsRemain => "1skip a",
        _ => "a b c",
    }
}

/// The home in which it is looked at.
const fn kind(invariant: Invariant) -> Kind {
    match invariant {
        // A transaction of the file holds many turns.
        Invariant::GatesAreFair => Kind::Objects,
        _ => Kind::File,
    }
}

fn sabotaged(invariant: Invariant, seed: u64) -> World {
    let saves = if invariant == Invariant::SavedStays { Saves::Every(1) } else { Saves::Never };
    let sdk = Sdk { version: 2, saves, says_final: true };
    let g = if invariant == Invariant::DeferralsRun { "+ a" } else { "a" };
    let programs = vec![Program::parse(program(invariant), sdk), Program::named("g", g, sdk)];
    let setup = Setup {
        events: EVENTS,
        restless: true,
        is_signed: invariant == Invariant::CallsAreSigned,
        sabotage: Some(Sabotage::Breaks(invariant)),
        ..Setup::of(seed, kind(invariant), programs)
    };
    let faults = match invariant {
        Invariant::CallsGoToTheNewestApp => Faults::only(seed, &[Fault::Redeploy]),
        _ => Faults::none(),
    };
    let mut world = World::new(setup, faults);
    if invariant == Invariant::SleepsAreNotLate {
        world.watch.be_quiet();
    }
    world
}

#[test]
fn each_promise_can_be_broken_and_is_the_one_that_is_found_broken() {
    let mut odd = Vec::new();
    for invariant in Invariant::ALL {
        let broken: Vec<_> = (1..=WORLDS).filter_map(|seed| report(sabotaged(*invariant, seed)).violation).collect();
        let found: BTreeSet<Invariant> = broken.iter().map(|violation| violation.invariant).collect();
        if found != BTreeSet::from([*invariant]) {
            let other = broken.iter().find(|violation| violation.invariant != *invariant);
            odd.push(format!("{invariant}: {found:?}, {other:?}"));
        }
    }
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}

#[test]
fn the_same_worlds_without_sabotage_break_none() {
    for invariant in Invariant::ALL {
        for seed in 1..=WORLDS {
            let mut world = sabotaged(*invariant, seed);
            world.spare();
            assert!(world.run().is_ok(), "{invariant}, seed {seed}");
        }
    }
}

#[test]
fn a_swap_on_an_absent_key_loses_what_another_instance_wrote() {
    let blind = |seed| {
        let mut world = Case { home: Some(Kind::Kv), ..Case::of(seed) }.world(false);
        world.be_sabotaged(Sabotage::CreatesBlindly);
        report(world).violation
    };
    assert!((1..=240).any(|seed| blind(seed).is_some()));
}
