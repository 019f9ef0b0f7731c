//! How many changes of each actor were noticed, from the report that cargo-gamma writes.

use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// Its display is a table.
#[derive(Debug, Default)]
pub(crate) struct Report(BTreeMap<String, Count>);

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    noticed: u32,
    unnoticed: u32,
    not_compiled: u32,
    left_out: u32,
}

/// As much as is needed of the `mutation-testing-elements` schema.
#[derive(Deserialize)]
struct Wire {
    files: BTreeMap<String, File>,
}

#[derive(Deserialize)]
struct File {
    mutants: Vec<Mutant>,
}

#[derive(Deserialize)]
struct Mutant {
    status: String,
}

impl Report {
    pub(crate) fn read(json: &str) -> Result<Self> {
        let wire: Wire = serde_json::from_str(json).context("cargo-gamma's report")?;
        let mut report = Self::default();
        for (path, file) in wire.files {
            let count = report.0.entry(actor_of(&path).to_owned()).or_default();
            file.mutants.iter().for_each(|mutant| count.add(&mutant.status));
        }
        Ok(report)
    }

    fn total(&self) -> Count {
        self.0.values().fold(Count::default(), |total, count| Count {
            noticed: total.noticed.saturating_add(count.noticed),
            unnoticed: total.unnoticed.saturating_add(count.unnoticed),
            not_compiled: total.not_compiled.saturating_add(count.not_compiled),
            left_out: total.left_out.saturating_add(count.left_out),
        })
    }
}

/// The folder of the engine that a file is in.
fn actor_of(path: &str) -> &str {
    let inside = path.rsplit_once("engine/src/").map_or(path, |(_, inside)| inside);
    inside.split('/').next().unwrap_or(inside)
}

impl Count {
    fn add(&mut self, status: &str) {
        let place = match status {
            "Killed" => &mut self.noticed,
            "CompileError" => &mut self.not_compiled,
            "Ignored" | "Pending" => &mut self.left_out,
            // Also what hung or took all memory: a test that hangs says nothing of what is wrong.
            _ => &mut self.unnoticed,
        };
        *place = place.saturating_add(1);
    }

    fn percent(&self) -> f64 {
        let tried = self.noticed.saturating_add(self.unnoticed);
        if tried == 0 { 100.0 } else { 100.0 * f64::from(self.noticed) / f64::from(tried) }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{:<10} {:>8} {:>10} {:>8} {:>14} {:>9}",
            "actor", "noticed", "unnoticed", "score", "do not compile", "left out"
        )?;
        let total = self.total();
        for (name, count) in self.0.iter().map(|(name, count)| (name.as_str(), count)).chain([("all", &total)]) {
            let Count { noticed, unnoticed, not_compiled, left_out } = count;
            let score = count.percent();
            writeln!(out, "{name:<10} {noticed:>8} {unnoticed:>10} {score:>6.1} % {not_compiled:>14} {left_out:>9}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_counted_by_actor_and_what_hangs_is_not_noticed() {
        let report = r#"{"schemaVersion":"2","files":{
            "engine/src/run/call.rs":{"mutants":[{"status":"Killed"},{"status":"Killed"},{"status":"CompileError"}]},
            "engine/src/run/answer/mod.rs":{"mutants":[{"status":"Survived"},{"status":"Ignored"}]},
            "engine/src/waits/mod.rs":{"mutants":[{"status":"Timeout"},{"status":"NoCoverage"}]}}}"#;
        let report = Report::read(report).unwrap();
        assert_eq!(report.0["run"], Count { noticed: 2, unnoticed: 1, not_compiled: 1, left_out: 1 });
        assert_eq!(report.0["waits"], Count { unnoticed: 2, ..Count::default() });
        let table = report.to_string();
        let lines: Vec<&str> = table.lines().map(str::trim).collect();
        assert!(lines[1].starts_with("run") && lines[1].contains("66.7 %"), "{table}");
        assert!(lines[3].starts_with("all") && lines[3].contains("40.0 %"), "{table}");
    }
}
