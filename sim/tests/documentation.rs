//! docs/SIMULATION.md has what the code has, and nothing else.

use std::collections::BTreeSet;
use stepwell_sim::fault::Fault;
use stepwell_sim::invariant::Invariant;

const PAGE: &str = include_str!("../../docs/SIMULATION.md");

/// The names in the first column of a table's rows, under a heading.
fn told(heading: &str) -> BTreeSet<String> {
    let from = PAGE.split_once(&format!("\n## {heading}\n")).map_or("", |(_, rest)| rest);
    let section = from.split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| "));
    let names = rows.filter_map(|row| Some(row.split_once(" |")?.0)).flat_map(|cell| cell.split(", "));
    names.filter_map(|name| Some(name.strip_prefix('`')?.strip_suffix('`')?.to_owned())).collect()
}

#[test]
fn the_page_tells_of_every_fault_and_of_no_other() {
    let faults: BTreeSet<String> = Fault::ALL.iter().map(|fault| fault.name().to_owned()).collect();
    assert_eq!(told("Faults"), faults);
}

#[test]
fn the_page_tells_of_every_invariant_and_of_no_other() {
    let invariants: BTreeSet<String> = Invariant::ALL.iter().map(ToString::to_string).collect();
    assert_eq!(told("Invariants"), invariants);
}
