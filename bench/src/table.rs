//! The table: what was measured, and which bars hold.

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use serde::Serialize;
use std::fmt::Write as _;

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();

/// Rows under headings, in the order in which they were measured.
#[derive(Default, Serialize)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    part: &'static str,
    what: String,
    value: f64,
    unit: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    bar: Option<Bar>,
}

/// What must hold of a value.
#[derive(Serialize)]
pub(crate) struct Bar {
    /// The bound, in the value's unit.
    bound: f64,
    at_least: bool,
    /// How the bound came about.
    rule: String,
}

impl Bar {
    pub(crate) fn at_most(bound: f64, rule: impl Into<String>) -> Self {
        Self { bound, at_least: false, rule: rule.into() }
    }

    pub(crate) fn at_least(bound: f64, rule: impl Into<String>) -> Self {
        Self { bound, at_least: true, rule: rule.into() }
    }

    /// What is not a number holds nothing.
    fn holds(&self, value: f64) -> bool {
        if self.at_least { value >= self.bound } else { value <= self.bound }
    }
}

impl Table {
    /// Adds a row; says it at once, so that a person sees that there is progress.
    pub(crate) fn row(&mut self, part: &'static str, what: impl Into<String>, value: f64, unit: &'static str) {
        self.add(Row { part, what: what.into(), value, unit, bar: None });
    }

    /// Adds a row with a bar.
    pub(crate) fn bar(
        &mut self,
        part: &'static str,
        what: impl Into<String>,
        value: f64,
        unit: &'static str,
        bar: Bar,
    ) {
        self.add(Row { part, what: what.into(), value, unit, bar: Some(bar) });
    }

    fn add(&mut self, row: Row) {
        anstream::eprintln!("    {}: {}", row.part, row.text());
        self.rows.push(row);
    }

    /// Whether every bar holds.
    pub(crate) fn holds(&self) -> bool {
        self.rows.iter().all(Row::holds)
    }

    pub(crate) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(&serde_json::json!({ "holds": self.holds(), "rows": self.rows }))?)
    }

    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut part = "";
        for row in &self.rows {
            if row.part != part {
                part = row.part;
                // Writing to a string cannot fail.
                let _ = writeln!(text, "\n{BOLD}{part}{BOLD:#}");
            }
            let _ = writeln!(text, "  {}", row.text());
        }
        let verdict = if self.holds() {
            format!("{GREEN}every bar holds{GREEN:#}")
        } else {
            format!("{RED}a bar does not hold{RED:#}")
        };
        let _ = writeln!(text, "\n{verdict}");
        text
    }
}

impl Row {
    fn holds(&self) -> bool {
        self.bar.as_ref().is_none_or(|bar| bar.holds(self.value))
    }

    fn text(&self) -> String {
        let value = if self.value >= 100.0 { format!("{:.0}", self.value) } else { format!("{:.3}", self.value) };
        let text = format!("{:<52} {value:>10} {:<5}", self.what, self.unit);
        let Some(bar) = &self.bar else { return text };
        let verdict = if self.holds() { format!("{GREEN}PASS{GREEN:#}") } else { format!("{RED}FAIL{RED:#}") };
        let sign = if bar.at_least { "≥" } else { "≤" };
        format!("{text} {verdict}  {sign} {:.3} ({})", bar.bound, bar.rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(value: f64, bar: Bar) -> Table {
        let mut table = Table::default();
        table.row("floor", "something", 1.0, "ms");
        table.bar("steps", "something else", value, "ms", bar);
        table
    }

    #[test]
    fn one_bar_that_does_not_hold_is_enough() {
        assert!(table(2.0, Bar::at_most(2.0, "")).holds());
        assert!(!table(2.1, Bar::at_most(2.0, "")).holds());
        assert!(table(2.0, Bar::at_least(2.0, "")).holds());
        assert!(!table(1.9, Bar::at_least(2.0, "")).holds());
    }

    #[test]
    fn a_measurement_that_failed_does_not_pass() {
        assert!(!table(f64::NAN, Bar::at_most(2.0, "")).holds());
        assert!(!table(f64::NAN, Bar::at_least(2.0, "")).holds());
    }
}
