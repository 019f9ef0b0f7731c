//! The engine as component files decides what the linked engine decides.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use stepwell_replay::Components;

/// Random worlds that are compared.
const SEEDS: u64 = 50;
/// Seeds that once failed.
const REGRESSIONS: &str = include_str!("../../sim/regressions.txt");

/// Those that `cargo xtask build` made.
static COMPONENTS: LazyLock<Components> = LazyLock::new(|| {
    let named = std::env::var_os("STEPWELL_COMPONENTS").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/components"));
    Components::load(&folder).unwrap()
});

/// What the linked engine decides in the world of a seed: the simulator is asked, since it is not to be linked here.
fn script(seed: u64, home: Option<&str>) -> Vec<String> {
    let simulator = std::env::var_os("STEPWELL_SIM").map(PathBuf::from);
    let simulator = simulator.unwrap_or_else(|| {
        Path::new(env!("CARGO_TARGET_TMPDIR"))
            .with_file_name("release")
            .join(format!("stepwell-sim{}", std::env::consts::EXE_SUFFIX))
    });
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{seed}-{}.jsonl", std::process::id()));
    let mut command = Command::new(&simulator);
    command.args(["--seed", &seed.to_string(), "--record"]).arg(&file);
    command.args(home.into_iter().flat_map(|home| ["--home", home]));
    let output =
        command.output().unwrap_or_else(|error| panic!("{}: {error}: cargo xtask test builds it", simulator.display()));
    assert!(output.status.success(), "seed {seed}: {}", String::from_utf8_lossy(&output.stdout));
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    text.lines().map(ToOwned::to_owned).collect()
}

fn is_the_same(seed: u64, home: Option<&str>) {
    let script = script(seed, home);
    let foot: serde_json::Value = serde_json::from_str(script.last().unwrap()).unwrap();
    assert!(script.len() > 10, "seed {seed} has hardly a script");
    match COMPONENTS.replay(&script) {
        Ok(hash) => assert_eq!(foot["sha256"], hash, "seed {seed}"),
        Err(difference) => panic!("seed {seed}: {difference:#}"),
    }
}

/// One test, since every test is a process of its own that compiles the components.
#[test]
fn components_and_the_linked_engine_decide_the_same() {
    (1..=SEEDS).for_each(|seed| is_the_same(seed, None));
    for line in REGRESSIONS.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        if let Some(seed) = words.next() {
            is_the_same(seed.parse().unwrap(), words.next());
        }
    }
    // And a script with another word in it is not the same.
    tampered_scripts_are_told();
}

fn tampered_scripts_are_told() {
    let script = script(1, None);
    let place = script.iter().position(|line| line.contains(r#""owing":"#)).unwrap();
    let mut other = script.clone();
    other[place] = other[place].replace(r#""owing":"#, r#""owes":"#);
    let difference = format!("{:#}", COMPONENTS.replay(&other).unwrap_err());
    assert!(difference.contains(&format!("line {}", place + 1)), "{difference}");
    assert!(COMPONENTS.replay(&script[..script.len() - 1]).is_err(), "a script without its end");
    let mut short = script;
    short.remove(place);
    assert!(COMPONENTS.replay(&short).is_err(), "a script without one of its steps");
}
