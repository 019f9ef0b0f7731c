//! Small worlds, each with a name, whose every crash point is tried.

use crate::app::program::{Program, Saves, Sdk};
use crate::fault::Faults;
use crate::home::Kind;
use crate::user::Deed;
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
    ("a request to somebody else", "\""),
    ("a request that is refused twice, between steps", "a \"2 b"),
    ("requests beside a step", "\"|a|\"1 b"),
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
    ("the first version", Sdk { version: 1, saves: Saves::Never, says_final: false }),
    ("the second version", Sdk { version: 2, saves: Saves::Never, says_final: true }),
    ("the second version, saving as it goes", SAVING),
];

const SAVING: Sdk = Sdk { version: 2, saves: Saves::Every(1), says_final: true };

/// Several runs that have to do with each other, or one that has to do with users.
#[derive(Clone, Copy, Debug)]
pub struct Meeting {
    /// What it is.
    pub name: &'static str,
    /// The function `f`, which one event with the number 0 starts, in the short form of [`Program::parse`].
    pub f: &'static str,
    /// The function `g`, which is invoked.
    pub g: &'static str,
    /// What users do, and how long after the first event.
    pub deeds: &'static [(u64, Deed)],
    /// How many runs there are in the end.
    pub runs: usize,
    /// When its SDK saves.
    pub saves: Saves,
    /// Calls are signed.
    pub is_signed: bool,
    /// Into so many shards the streams and histories are divided.
    pub shards: u32,
}

const PLAIN: Meeting =
    Meeting { name: "", f: "", g: "", deeds: &[], runs: 1, saves: Saves::Never, is_signed: false, shards: 1 };

/// The event that starts `f`.
const AGAIN: &str = "sim/f";
/// The event that waits in the short form are for.
const WAKE: &str = "sim/wake0";

/// Each is tried with every crash point in every home.
pub const MEETINGS: &[Meeting] = &[
    Meeting { name: "a wait that nothing ends", f: "@5 a", ..PLAIN },
    Meeting { name: "a wait that ends at once", f: "@0 a", ..PLAIN },
    Meeting { name: "a wait and its event", f: "@600 a", deeds: &[(3_000, Deed::Event(WAKE, 1))], ..PLAIN },
    Meeting {
        name: "a wait for a value, and another value before it",
        f: "@=600 a",
        deeds: &[(3_000, Deed::Event(WAKE, 1)), (3_200, Deed::Event(WAKE, 0))],
        ..PLAIN
    },
    Meeting {
        name: "an event while the wait begins",
        f: "@=600 a",
        deeds: &[(200, Deed::Event(WAKE, 0)), (400, Deed::Event(WAKE, 0)), (600, Deed::Event(WAKE, 0))],
        ..PLAIN
    },
    Meeting { name: "an event at the timeout", f: "@3 a", deeds: &[(3_500, Deed::Event(WAKE, 0))], ..PLAIN },
    Meeting {
        name: "two waits, one after the other",
        f: "@=600 @=600",
        deeds: &[(2_000, Deed::Event(WAKE, 0)), (2_500, Deed::Event(WAKE, 0)), (5_000, Deed::Event(WAKE, 0))],
        ..PLAIN
    },
    Meeting { name: "two waits at once", f: "@=600|@600 a", deeds: &[(3_000, Deed::Event(WAKE, 0))], ..PLAIN },
    Meeting { name: "a wait against a sleep", f: "@=600/~3 a", deeds: &[(3_500, Deed::Event(WAKE, 0))], ..PLAIN },
    Meeting { name: "a step that wakes its own run", f: "@600|~2>a^wake0 b", ..PLAIN },
    Meeting { name: "a signal that does not come", f: "#5 a", ..PLAIN },
    Meeting { name: "a signal", f: "#600 a", deeds: &[(3_000, Deed::Signal("s0"))], ..PLAIN },
    Meeting { name: "a signal at the timeout", f: "#3 a", deeds: &[(3_500, Deed::Signal("s0"))], ..PLAIN },
    Meeting { name: "a signal that nobody waits for yet", f: "#5 a", deeds: &[(0, Deed::Signal("s0"))], ..PLAIN },
    Meeting {
        name: "two signals for one waiter",
        f: "#600 a",
        deeds: &[(3_000, Deed::Signal("s0")), (3_001, Deed::Signal("s0"))],
        ..PLAIN
    },
    Meeting {
        name: "a waiter who is replaced by its own run",
        f: "#=9|~2>#=600 a",
        deeds: &[(6_000, Deed::Signal("s0"))],
        ..PLAIN
    },
    Meeting { name: "a conflict of two waiters", f: "#20|~2>#20", ..PLAIN },
    Meeting { name: "a step that signals its own run", f: "#600|~2>a$s0 b", ..PLAIN },
    Meeting { name: "an invocation", f: "a &g b", g: "a", runs: 2, ..PLAIN },
    Meeting { name: "an invocation of one that sleeps", f: "&g", g: "~5 a", runs: 2, ..PLAIN },
    Meeting { name: "an invocation that takes too long", f: "&g~3? a", g: "~6 a", runs: 2, ..PLAIN },
    Meeting { name: "an invocation that takes about as long as it may", f: "&g~5? a", g: "~4 a", runs: 2, ..PLAIN },
    Meeting { name: "an invocation of one that fails", f: "&g", g: "a!!", runs: 2, ..PLAIN },
    Meeting { name: "an invocation of one that fails, caught", f: "&g? a", g: "a!!", runs: 2, ..PLAIN },
    Meeting {
        name: "an invocation of one that is cancelled",
        f: "&g? a",
        g: "-stop ~600",
        deeds: &[(3_000, Deed::Event("sim/stop", 0))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "an invoker that is cancelled",
        f: "-stop &g a",
        g: "~5 a",
        deeds: &[(3_000, Deed::Event("sim/stop", 0))],
        runs: 2,
        ..PLAIN
    },
    Meeting { name: "two invocations at once", f: "&g|&g a", g: "a", runs: 3, ..PLAIN },
    Meeting {
        name: "an event that cancels",
        f: "-=stop ~600 a",
        deeds: &[(3_000, Deed::Event("sim/stop", 0))],
        ..PLAIN
    },
    Meeting {
        name: "an event that cancels another",
        f: "-=stop ~5 a",
        deeds: &[(3_000, Deed::Event("sim/stop", 1))],
        ..PLAIN
    },
    Meeting {
        name: "an event that cancels at once",
        f: "-=stop a b c",
        deeds: &[(0, Deed::Event("sim/stop", 0))],
        ..PLAIN
    },
    Meeting {
        name: "a wait that is cancelled",
        f: "-stop @600",
        deeds: &[(3_000, Deed::Event("sim/stop", 0))],
        ..PLAIN
    },
    Meeting { name: "a request that cancels", f: "a ~600", deeds: &[(3_000, Deed::Cancel(0))], ..PLAIN },
    Meeting { name: "a request that cancels a step", f: "a%9 b", deeds: &[(3_000, Deed::Cancel(0))], ..PLAIN },
    Meeting { name: "a request that cancels a waiter", f: "#600", deeds: &[(3_000, Deed::Cancel(0))], ..PLAIN },
    Meeting { name: "a request that cancels many", f: "a @2000", deeds: &[(3_000, Deed::CancelMany("f"))], ..PLAIN },
    Meeting { name: "a run that takes too long", f: "<4 a ~60 b", ..PLAIN },
    Meeting { name: "a step that takes too long", f: "<4 a%9 b", saves: Saves::Every(1), ..PLAIN },
    Meeting { name: "a run that begins in time", f: "<<600 a", ..PLAIN },
    Meeting {
        name: "a run that runs again",
        f: "a b",
        deeds: &[(3_000, Deed::Rerun(0, None, None))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "a run that runs again from a step",
        f: "a b c",
        deeds: &[(3_000, Deed::Rerun(0, Some("b"), None))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "a step that is given other arguments",
        f: "a b c",
        deeds: &[(3_000, Deed::Rerun(0, Some("b"), Some("[7]")))],
        runs: 2,
        is_signed: true,
        ..PLAIN
    },
    Meeting {
        name: "a step that failed and is given other arguments",
        f: "a b!! c",
        deeds: &[(3_000, Deed::Rerun(0, Some("b"), Some("[7]")))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "a rerun of what came before it, a sleep and an error",
        f: "a ~2 b? c d",
        deeds: &[(200_000, Deed::Rerun(0, Some("d"), None))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "a rerun beside a run that still rests",
        f: "a ~60 b",
        deeds: &[(3_000, Deed::Rerun(0, None, None))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "a rerun of a rerun",
        f: "a b c",
        // Late enough that the run has ended, whatever died: the second wants what the first began.
        deeds: &[(400_000, Deed::Rerun(0, Some("c"), None)), (800_000, Deed::Rerun(1, Some("b"), Some("[7]")))],
        runs: 3,
        ..PLAIN
    },
    Meeting {
        name: "a rerun from a step that is not there",
        f: "a b",
        deeds: &[(3_000, Deed::Rerun(0, Some("z"), None))],
        ..PLAIN
    },
    Meeting {
        name: "an invoked run that runs again before its end",
        f: "&g a",
        g: "@600 b",
        deeds: &[(3_000, Deed::Rerun(1, None, None)), (6_000, Deed::Event(WAKE, 0))],
        runs: 3,
        ..PLAIN
    },
    Meeting {
        name: "an invoker that runs again",
        f: "a &g b",
        g: "a",
        deeds: &[(6_000, Deed::Rerun(0, Some("a"), None)), (9_000, Deed::Rerun(0, Some("b"), None))],
        runs: 5,
        ..PLAIN
    },
    Meeting {
        name: "several shards",
        f: "a &g @600 b",
        g: "a",
        deeds: &[(5_000, Deed::Event(WAKE, 0)), (9_000, Deed::Rerun(0, None, None)), (15_000, Deed::Event(WAKE, 1))],
        runs: 4,
        shards: 3,
        ..PLAIN
    },
    Meeting {
        name: "a schedule, until it is taken away",
        f: ":1 a",
        deeds: &[(210_000, Deed::Retire)],
        runs: 4,
        ..PLAIN
    },
    Meeting { name: "one call at a time", f: "=1 a|b c", ..PLAIN },
    Meeting {
        name: "two calls at a time, of two runs",
        f: "=2 a b",
        deeds: &[(500, Deed::Event(AGAIN, 0))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "one call at a time for each number",
        f: "=k1 a%2 b",
        deeds: &[(100, Deed::Event(AGAIN, 0)), (200, Deed::Event(AGAIN, 1))],
        runs: 3,
        ..PLAIN
    },
    Meeting {
        name: "a limit that functions share",
        f: "=e1 a &g b",
        g: "=e1 a",
        deeds: &[(300, Deed::Event(AGAIN, 0))],
        runs: 4,
        ..PLAIN
    },
    Meeting {
        name: "a limit on runs, with one that is shared and a throttle",
        f: "=r1 =1 =e1 _1,20 a ~2 b",
        deeds: &[(300, Deed::Event(AGAIN, 0))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "one run at a time even while it sleeps",
        f: "=r1 a ~3 b",
        deeds: &[(100, Deed::Event(AGAIN, 0))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "a throttle",
        f: "_1,30 a",
        deeds: &[(100, Deed::Event(AGAIN, 0)), (200, Deed::Event(AGAIN, 1))],
        runs: 3,
        ..PLAIN
    },
    Meeting { name: "a step that throws under a limit", f: "=1 a!1 b", ..PLAIN },
    Meeting {
        name: "a call under a limit that is cancelled, and one that waits for it",
        f: "=1 a%9 b",
        deeds: &[(1_000, Deed::Event(AGAIN, 0)), (3_000, Deed::Cancel(0))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "a run that is cancelled while it waits to begin",
        f: "=1 -=stop a%9 b",
        deeds: &[(1_000, Deed::Event(AGAIN, 1)), (3_000, Deed::Event("sim/stop", 1))],
        runs: 2,
        ..PLAIN
    },
    Meeting { name: "a batch that is full", f: "[2,60 a", deeds: &[(1_000, Deed::Event(AGAIN, 0))], runs: 1, ..PLAIN },
    Meeting {
        name: "a batch that is not full",
        f: "[9,60 a",
        deeds: &[(1_000, Deed::Event(AGAIN, 0))],
        runs: 1,
        ..PLAIN
    },
    Meeting {
        name: "a debounce",
        f: "{60 a",
        deeds: &[(2_000, Deed::Event(AGAIN, 0)), (4_000, Deed::Event(AGAIN, 1))],
        runs: 1,
        ..PLAIN
    },
    Meeting {
        name: "a rate limit",
        f: "(2 a",
        deeds: &[(100, Deed::Event(AGAIN, 0)), (200, Deed::Event(AGAIN, 1))],
        runs: 2,
        ..PLAIN
    },
    Meeting {
        name: "a singleton that skips",
        f: "1skip a ~60 b",
        deeds: &[(3_000, Deed::Event(AGAIN, 0)), (3_000, Deed::Event(AGAIN, 1))],
        runs: 3,
        ..PLAIN
    },
    Meeting {
        name: "a singleton that gives its place away",
        f: "1cancel a ~60 b",
        deeds: &[(3_000, Deed::Event(AGAIN, 0)), (3_100, Deed::Event(AGAIN, 0))],
        runs: 3,
        ..PLAIN
    },
    Meeting { name: "an invocation of a singleton that is taken", f: "&g?|&g? a", g: "1skip ~5", runs: 3, ..PLAIN },
    Meeting { name: "an invocation that a rate limit turns away", f: "&g? &g? a", g: "(1 b", runs: 2, ..PLAIN },
    Meeting {
        name: "a rerun of a singleton",
        f: "1cancel a ~60 b",
        deeds: &[(3_000, Deed::Rerun(0, None, None))],
        runs: 2,
        ..PLAIN
    },
    Meeting { name: "a deferral", f: "a +g b", g: "+ a", runs: 2, ..PLAIN },
    Meeting { name: "a deferral that is taken back", f: "+g a +! b", g: "+ a", ..PLAIN },
    Meeting {
        name: "a deferral that is taken back at once",
        f: "a +g +! b",
        g: "+ a",
        saves: Saves::Every(1),
        ..PLAIN
    },
    Meeting { name: "a deferral on the way", f: "a +g% b", g: "+ a", runs: 2, ..PLAIN },
    Meeting { name: "a deferral on the way of a branch", f: "a>+g%>b|c d", g: "+ a", runs: 2, ..PLAIN },
    Meeting { name: "a deferral that is saved", f: "+g a b +g c", g: "+ a", runs: 3, saves: Saves::Every(2), ..PLAIN },
    Meeting { name: "a deferral of a run that throws", f: "a +g .!1", g: "+ a", runs: 2, ..PLAIN },
    Meeting { name: "a deferral of a run that gives up", f: "+g .!!", g: "+ a", runs: 2, ..PLAIN },
    Meeting { name: "a deferral beside a step that throws for good", f: "+g a!! b", g: "+ a", runs: 2, ..PLAIN },
    Meeting {
        name: "a deferral of a run that is cancelled",
        f: "-stop +g a ~600",
        g: "+ a",
        deeds: &[(3_000, Deed::Event("sim/stop", 0))],
        runs: 2,
        ..PLAIN
    },
    Meeting { name: "a chain beside a wait", f: "@600|a>b>c d", deeds: &[(60_000, Deed::Event(WAKE, 0))], ..PLAIN },
    Meeting {
        name: "a chain behind a wait beside a step",
        f: "@600>a>b|c%60 d",
        deeds: &[(3_000, Deed::Event(WAKE, 0))],
        ..PLAIN
    },
    Meeting { name: "steps saved two by two", f: "a b c d e", saves: Saves::Every(2), ..PLAIN },
    Meeting { name: "steps saved while others run", f: "a b%1 c d%1 e", saves: Saves::Behind, ..PLAIN },
    Meeting { name: "steps left over before a throw", f: "a b c! d", saves: Saves::Every(3), ..PLAIN },
    Meeting { name: "steps left over before parallel ones", f: "a b|c d", saves: Saves::Every(3), ..PLAIN },
    Meeting { name: "signed calls", f: "a b|~1 @2 c", is_signed: true, saves: Saves::Every(1), ..PLAIN },
];

/// The world of a scenario: one event, and nothing goes wrong but the death at `crash_at`.
#[must_use]
pub fn world(program: &str, sdk: Sdk, kind: Kind, crash_at: Option<u64>, is_told: bool) -> World {
    small(Setup { crash_at, is_told, ..Setup::of(7, kind, vec![Program::parse(program, sdk)]) })
}

/// The same of a meeting.
#[must_use]
pub fn meeting(meeting: &Meeting, kind: Kind, crash_at: Option<u64>, is_told: bool) -> World {
    let sdk = Sdk { saves: meeting.saves, ..SAVING };
    let programs = vec![Program::parse(meeting.f, sdk), Program::named("g", meeting.g, sdk)];
    let deeds = meeting.deeds.to_vec();
    small(Setup {
        crash_at,
        is_told,
        deeds,
        is_signed: meeting.is_signed,
        shards: meeting.shards,
        ..Setup::of(7, kind, programs)
    })
}

fn small(setup: Setup) -> World {
    let is_undisturbed = setup.crash_at.is_none();
    let mut world = World::new(setup, Faults::none());
    if is_undisturbed {
        world.watch.be_quiet();
    }
    world
}
