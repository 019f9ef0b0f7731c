//! How many checks and tests passed.

use crate::{process, progress};
use anyhow::Result;
use std::fmt;

/// Checks and tests so far. Its display is the closing line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u32,
    pub(crate) failed: u32,
}

impl Tally {
    /// One check; what fails is told and counted, and the rest goes on.
    pub(crate) fn check(&mut self, title: &str, work: impl FnOnce() -> Result<()>) {
        match progress::step(title, work) {
            Ok(()) => self.passed(),
            Err(error) => {
                process::leave_if_interrupted();
                progress::failure(&error);
                self.failed = self.failed.saturating_add(1);
            }
        }
    }

    /// A check that would have ended everything had it failed.
    pub(crate) fn passed(&mut self) {
        self.passed = self.passed.saturating_add(1);
    }

    /// Many tests.
    pub(crate) fn tests(&mut self, title: &str, work: impl FnOnce() -> Result<Self>) -> Result<()> {
        let found = progress::step(title, work)?;
        process::leave_if_interrupted();
        progress::note(&found.to_string());
        self.add(found);
        Ok(())
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.passed = self.passed.saturating_add(other.passed);
        self.failed = self.failed.saturating_add(other.failed);
    }

    pub(crate) const fn is_clean(&self) -> bool {
        self.failed == 0
    }

    /// Reads the summary lines of `cargo test` (`test result: ok. 5 passed; 0 failed; …`) and `cargo nextest`
    /// (`Summary [ 0.1s] 5 tests run: 4 passed, 1 failed, 0 skipped`), and those of Node (`ℹ pass 5`, `ℹ fail 1`).
    pub(crate) fn of_line(line: &str) -> Option<Self> {
        if let Some((what, count)) = line.strip_prefix("ℹ ").and_then(|rest| rest.split_once(' ')) {
            let count = count.parse().ok()?;
            return match what {
                "pass" => Some(Self { passed: count, failed: 0 }),
                "fail" | "cancelled" => Some(Self { passed: 0, failed: count }),
                _ => None,
            };
        }
        // Not indented: that is what nextest shows of a test that failed.
        let counts =
            line.strip_prefix("test result: ").or_else(|| line.split_once(" run: ").map(|(_, counts)| counts))?;
        let before = |word: &str| {
            let (front, _) = counts.split_once(word)?;
            front.trim_end().rsplit(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok()
        };
        let (passed, failed) = (before(" passed")?, before(" failed").unwrap_or(0));
        let timed_out = before(" timed out").unwrap_or(0);
        Some(Self { passed, failed: failed.saturating_add(timed_out) })
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_lines_of_all_runners_are_read() {
        let nextest = "     Summary [   0.113s] 15 tests run: 12 passed (1 slow), 2 failed, 1 timed out, 3 skipped";
        assert_eq!(Tally::of_line(nextest), Some(Tally { passed: 12, failed: 3 }));
        let cargo = "test result: FAILED. 4 passed; 1 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.01s";
        assert_eq!(Tally::of_line(cargo), Some(Tally { passed: 4, failed: 1 }));
        assert_eq!(Tally::of_line("running 5 tests"), None);
        assert_eq!(Tally::of_line(&format!("    {cargo}")), None);
        assert_eq!(Tally::of_line("ℹ pass 14"), Some(Tally { passed: 14, failed: 0 }));
        assert_eq!(Tally::of_line("ℹ fail 2"), Some(Tally { passed: 0, failed: 2 }));
        assert_eq!(Tally::of_line("ℹ cancelled 1"), Some(Tally { passed: 0, failed: 1 }));
        assert_eq!(Tally::of_line("ℹ tests 17"), None);
        assert_eq!(Tally::of_line("        PASS [ 0.1s] xtask a_test"), None);
    }
}
