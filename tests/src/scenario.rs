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

/// `hold_with_each_sdk!(SCENARIOS)`: a test for each SDK that runs these scenarios; `javascript:` names those that only the SDKs for
/// JavaScript can show.
#[macro_export]
macro_rules! hold_with_each_sdk {
    ($scenarios:expr) => { $crate::hold_with_each_sdk!($scenarios, javascript: &[]); };
    ($scenarios:expr, javascript: $of_javascript:expr) => {
        $crate::hold_with_each_sdk!(@test hold_with_inngest_js_4, Js4, $scenarios, $of_javascript);
        $crate::hold_with_each_sdk!(@test hold_with_inngest_js_3, Js3, $scenarios, $of_javascript);
        $crate::hold_with_each_sdk!(@test hold_with_inngest_py, Py, $scenarios, &[]);
    };
    (@test $name:ident, $sdk:ident, $scenarios:expr, $more:expr) => {
        #[test]
        fn $name() {
            let scenarios: [&[$crate::Scenario]; 2] = [$scenarios, $more];
            $crate::run_scenarios(&$crate::World::dev(&[$crate::Sdk::$sdk]).lanes(), &scenarios.concat());
        }
    };
}
