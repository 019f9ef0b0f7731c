//! docs/SIMULATION.md has what the code has.

use stepwell_sim::fault::Fault;

const PAGE: &str = include_str!("../../docs/SIMULATION.md");

#[test]
fn every_fault_is_on_the_page() {
    for fault in Fault::ALL {
        assert!(PAGE.contains(&format!("`{}`", fault.name())), "{} is not in docs/SIMULATION.md", fault.name());
    }
}
