//! Many scenarios on one world: processes are dear on a small machine, threads are not.

use crate::{Lane, applies};

/// A behaviour's name and what shows it on a lane.
pub type Scenario = (&'static str, fn(&Lane<'_>));

/// Runs every scenario on every lane, all at once.
///
/// # Panics
/// When any failed; names each of them. What each said is above, under its own name.
pub fn run_scenarios(lanes: &[Lane<'_>], scenarios: &[Scenario]) {
    let scenarios: Vec<_> = scenarios.iter().filter(|(name, _)| applies(name)).collect();
    let failed: Vec<String> = std::thread::scope(|scope| {
        let running: Vec<_> = lanes
            .iter()
            .flat_map(|lane| scenarios.iter().map(move |scenario| (lane, scenario)))
            .map(|(lane, (name, scenario))| {
                let name = format!("{name} on {}", lane.id);
                let thread = std::thread::Builder::new().name(name.clone());
                (name, thread.spawn_scoped(scope, || scenario(lane)).expect("a thread"))
            })
            .collect();
        running.into_iter().filter_map(|(name, thread)| thread.join().err().map(|_| name)).collect()
    });
    assert!(failed.is_empty(), "failed: {failed:#?}");
}

/// `scenarios![a, b]`: functions with their names.
#[macro_export]
macro_rules! scenarios {
    ($($scenario:ident),* $(,)?) => {
        &[$((stringify!($scenario), $scenario as fn(&$crate::Lane<'_>))),*]
    };
}
