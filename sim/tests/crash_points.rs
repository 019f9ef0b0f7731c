//! Every prefix of every scenario's effects is a crash point.

#![allow(clippy::panic, clippy::arithmetic_side_effects, reason = "a test")]

use stepwell_sim::home::Kind;
use stepwell_sim::report;
use stepwell_sim::scenario::{SCENARIOS, world};

/// Tries every crash point of every scenario; gives how many there were.
fn die_everywhere(kind: Kind, checkpoints: bool) -> u64 {
    let mut tried = 0;
    for (name, program) in SCENARIOS {
        let whole = report(world(program, checkpoints, kind, None));
        assert!(whole.violation.is_none(), "{name}: {:?}\n{}", whole.violation, whole.story.join("\n"));
        assert_eq!(whole.runs, 1, "{name}");
        for point in 1..=whole.points {
            let report = report(world(program, checkpoints, kind, Some(point)));
            if let Some(violation) = report.violation {
                panic!("{name}, dead at {point} of {}: {violation}\n{}", whole.points, report.story.join("\n"));
            }
            tried += 1;
        }
    }
    tried
}

#[test]
fn a_file_may_die_anywhere() {
    assert!(die_everywhere(Kind::File, false) > 1_000);
}

#[test]
fn a_file_may_die_anywhere_while_apps_save_as_they_go() {
    assert!(die_everywhere(Kind::File, true) > 1_000);
}

#[test]
fn objects_may_be_evicted_anywhere() {
    assert!(die_everywhere(Kind::Objects, false) > 1_000);
}

#[test]
fn objects_may_be_evicted_anywhere_while_apps_save_as_they_go() {
    assert!(die_everywhere(Kind::Objects, true) > 1_000);
}
