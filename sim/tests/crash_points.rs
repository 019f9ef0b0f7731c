//! Every prefix of every scenario's effects is a crash point.

#![allow(clippy::panic, clippy::arithmetic_side_effects, reason = "a test")]

use stepwell_sim::home::Kind;
use stepwell_sim::report;
use stepwell_sim::scenario::{MEETINGS, SCENARIOS, SDKS, meeting, world};
use stepwell_sim::trace::Line;

/// Tries every crash point of every scenario; gives how many there were.
fn die_everywhere(kind: Kind) -> u64 {
    let mut tried = 0;
    for (name, program) in SCENARIOS {
        for (sdk_name, sdk) in SDKS {
            let whole = report(world(program, *sdk, kind, None, true));
            let told = || whole.story.iter().map(|line| format!("{line}\n")).collect::<String>();
            assert!(whole.violation.is_none(), "{name}, {sdk_name}: {:?}\n{}", whole.violation, told());
            assert_eq!(whole.runs, 1, "{name}");
            for point in 1..=whole.points {
                if let Some(violation) = report(world(program, *sdk, kind, Some(point), false)).violation {
                    let story = report(world(program, *sdk, kind, Some(point), true)).story;
                    let told: String = story.iter().map(|line| format!("{line}\n")).collect();
                    panic!("{name}, {sdk_name}, dead at {point} of {}: {violation}\n{told}", whole.points);
                }
                tried += 1;
            }
        }
    }
    tried
}

/// The same for scenarios of several runs; gives how many crash points there were.
fn meet_everywhere(kind: Kind) -> u64 {
    let mut tried = 0;
    for scene in MEETINGS {
        let whole = report(meeting(scene, kind, None, true));
        let told = |story: &[Line]| story.iter().map(|line| format!("{line}\n")).collect::<String>();
        assert!(whole.violation.is_none(), "{}: {:?}\n{}", scene.name, whole.violation, told(&whole.story));
        assert_eq!(whole.runs, scene.runs, "{}", scene.name);
        for point in 1..=whole.points {
            if let Some(violation) = report(meeting(scene, kind, Some(point), false)).violation {
                let story = report(meeting(scene, kind, Some(point), true)).story;
                panic!("{}, dead at {point} of {}: {violation}\n{}", scene.name, whole.points, told(&story));
            }
            tried += 1;
        }
    }
    tried
}

#[test]
fn a_file_may_die_anywhere_while_runs_meet() {
    assert!(meet_everywhere(Kind::File) > 1_000);
}

#[test]
fn objects_may_be_evicted_anywhere_while_runs_meet() {
    assert!(meet_everywhere(Kind::Objects) > 1_000);
}

#[test]
fn instances_may_vanish_anywhere_while_runs_meet() {
    assert!(meet_everywhere(Kind::Kv) > 1_000);
}

#[test]
fn a_file_may_die_anywhere() {
    assert!(die_everywhere(Kind::File) > 3_000);
}

#[test]
fn objects_may_be_evicted_anywhere() {
    assert!(die_everywhere(Kind::Objects) > 3_000);
}

#[test]
fn instances_may_vanish_anywhere() {
    assert!(die_everywhere(Kind::Kv) > 3_000);
}
