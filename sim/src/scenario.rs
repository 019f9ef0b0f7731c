//! Small worlds, each with a name, whose every crash point is tried.

use crate::app::program::{Program, Sdk};
use crate::fault::Faults;
use crate::home::Kind;
use crate::world::{Setup, World};

/// A name, and a function in the short form of [`Program::parse`].
pub const SCENARIOS: &[(&str, &str)] = &[
    ("nothing at all", ""),
    ("one step", "a"),
    ("two steps", "a b"),
    ("five steps", "a b c d e"),
    ("a loop", "a*4"),
    ("a sleep", "~5"),
    ("a step and a sleep", "a ~5"),
    ("a sleep and a step", "~5 a"),
    ("a step between sleeps", "~1 a ~1"),
    ("a long sleep", "~31536000"),
    ("a slow step", "a%200 b"),
    ("a step that throws once", "a!1"),
    ("a step that throws twice, then another", "a!2 b"),
    ("a step that asks to be tried again later", "a;7 b"),
    ("a step that throws for good", "a!"),
    ("a step that throws for good in the middle", "a b! c"),
    ("a step that is not to be retried", "a!! b"),
    ("a caught step", "a?"),
    ("a caught step in the middle", "a b?? c"),
    ("a step that sends an event", "a^nobody b"),
    ("a function that throws at its end", "a .!2"),
    ("a function that gives up", "a .!!"),
    ("two parallel steps", "a|b"),
    ("three parallel steps and one after", "a|b|c d"),
    ("a step and then two parallel", "a b|c"),
    ("parallel twice", "a|b c|d"),
    ("chains side by side", "a>b|c>d e"),
    ("a step beside a sleep", "a|~5"),
    ("two sleeps at once", "~1|~5"),
    ("two sleeps that end together", "~5|~5"),
    ("parallel steps of which one throws", "a|b!2"),
    ("parallel steps of which one throws for good", "a|b!"),
    ("parallel steps of which one is caught", "a|b? c"),
    ("parallel steps that are all caught", "a?|b?? c"),
    ("eight parallel steps", "a|b|c|d|e|f|g|h"),
    ("a race of steps", "a/b c"),
    ("a race against time", "a%30/~3 c"),
    ("a sleep, then parallel", "~2 a|b"),
    ("parallel, then a sleep", "a|b ~2"),
    ("a throw after a sleep", "~2 a!1 b"),
    ("steps, parallel, sleep, throw", "a b|c ~1 d!1 e"),
];

/// SDKs that scenarios are run with.
pub const SDKS: &[(&str, Sdk)] = &[
    ("the first version", Sdk { version: 1, checkpoints: false, says_final: false }),
    ("the second version", Sdk { version: 2, checkpoints: false, says_final: true }),
    ("the second version, saving as it goes", Sdk { version: 2, checkpoints: true, says_final: true }),
];

/// The world of a scenario: one event, and nothing goes wrong but the death at `crash_at`.
#[must_use]
pub fn world(program: &str, sdk: Sdk, kind: Kind, crash_at: Option<u64>, is_told: bool) -> World {
    let setup = Setup {
        seed: 7,
        kind,
        programs: vec![Program::parse(program, sdk)],
        events: 1,
        restless: false,
        crash_at,
        sabotage: None,
        is_told,
    };
    let mut world = World::new(setup, Faults::none());
    if crash_at.is_none() {
        world.watch.be_quiet();
    }
    world
}
