//! The homes that the same tests run against: `STEPWELL_HOME`, or `cargo xtask test --home`.
//!
//! A home says how a server is launched with a mode, a directory and a port; it is killed as a process, and launched again on
//! the same directory. What of the tests does not apply to a home is in `<home>.md` beside its file, each with the reason:
//! `cargo xtask test` prints it, and [`applies`] obeys it.

mod host;
mod spin;
mod workerd;

pub use host::{Said, run};

use crate::Mode;
use crate::child::Child;
use std::path::Path;

/// Constant, so that no test waits for the back-off table.
const RETRY_INTERVAL_MS: u64 = 100;

/// Where the server under test lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// The wasmtime host.
    Host,
    /// Cloudflare's runtime, with Durable Objects.
    Workerd,
    /// Spin, with its key-value store.
    Spin,
}

/// Flags of the host that are variables elsewhere, by their names there.
const VARIABLES: [(&str, &str); 2] = [("--backlog-limit", "backlog_limit"), ("--calls-per-app", "calls_per_app")];

/// What a server is launched with.
pub(crate) struct Launch<'a> {
    pub(crate) mode: &'a Mode,
    /// More arguments of the `stepwell` command: the other homes have none.
    pub(crate) arguments: &'a [String],
    /// What is stored there is found again by the next launch.
    pub(crate) dir: &'a Path,
    pub(crate) port: u16,
    /// It will be killed with calls in flight: where a home only notices after a while, that while is to be short.
    pub(crate) is_killed: bool,
}

impl Launch<'_> {
    /// What is given with flags of [`VARIABLES`], by the variables' names, and the other arguments.
    fn variables(&self) -> (Vec<(&'static str, String)>, Vec<&str>) {
        let (mut given, mut rest) = (Vec::new(), Vec::new());
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            match VARIABLES.iter().find(|(flag, _)| flag == argument) {
                Some((_, name)) => given.extend(arguments.next().map(|value| (*name, value.clone()))),
                None => rest.push(argument.as_str()),
            }
        }
        (given, rest)
    }
}

impl Home {
    /// The home that is tested.
    ///
    /// # Panics
    /// When `STEPWELL_HOME` names none.
    pub fn chosen() -> Self {
        match std::env::var("STEPWELL_HOME").as_deref() {
            Err(_) | Ok("" | "host") => Self::Host,
            Ok("workerd") => Self::Workerd,
            Ok("spin") => Self::Spin,
            Ok(other) => panic!("STEPWELL_HOME is {other:?}: host, workerd or spin"),
        }
    }

    /// Starts a server.
    pub(crate) fn launch(self, launch: &Launch<'_>) -> Child {
        match self {
            Self::Host => host::launch(launch),
            Self::Workerd => workerd::launch(launch),
            Self::Spin => spin::launch(launch),
        }
    }

    /// What does not apply here: tests and scenarios by name, and why.
    fn differences(self) -> &'static str {
        match self {
            Self::Host => "",
            Self::Workerd => include_str!("workerd.md"),
            Self::Spin => include_str!("spin.md"),
        }
    }
}

/// Whether a test or scenario applies to the home that is tested; says why where it does not.
pub fn applies(name: &str) -> bool {
    let difference = differences(Home::chosen().differences()).find(|(test, _)| *test == name);
    if let Some((test, why)) = difference {
        println!("{test} does not apply to {:?}: {why}", Home::chosen());
    }
    difference.is_none()
}

/// The rows of a table of differences: `| name | reason |`, the name in backticks.
fn differences(table: &str) -> impl Iterator<Item = (&str, &str)> {
    table.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` |")?;
        Some((name, rest.trim().trim_end_matches('|').trim()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A test that was renamed must not come back unnoticed, and none is left out without a reason.
    #[test]
    fn every_difference_names_a_test_that_asks_for_it_and_says_why() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let sources: Vec<String> = std::fs::read_dir(folder)
            .expect("the tests")
            .map(|entry| std::fs::read_to_string(entry.expect("a file").path()).expect("a source"))
            .collect();
        for home in [Home::Workerd, Home::Spin] {
            for (name, why) in differences(home.differences()) {
                let test = format!("applies(\"{name}\")");
                let scenario = format!("fn {name}(lane: &Lane<'_>)");
                let names = |source: &String| source.contains(&test) || source.contains(&scenario);
                assert!(sources.iter().any(names), "{name} of {home:?} is no test that asks whether it applies");
                assert!(why.len() > 20, "{name} of {home:?} needs a reason");
            }
        }
    }
}
