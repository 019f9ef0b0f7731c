//! What was measured, row by row, and how it is shown.

mod bar;
mod json;
mod table;
mod value;

pub use bar::Bar;
pub use value::Value;

use std::time::Instant;

/// Rows under headings.
pub struct Report {
    entries: Vec<Entry>,
    /// Begins the names of rows that are measured without bars.
    without_bars: Option<&'static str>,
    began: Instant,
}

enum Entry {
    Section(&'static str),
    Row(Row),
}

/// One measurement.
#[derive(Debug)]
pub struct Row {
    name: String,
    label: String,
    value: Value,
    p99: Option<Value>,
    bar: Option<Bar>,
    remark: Option<&'static str>,
}

impl Row {
    /// A measurement: its name for programs, and for people.
    pub fn new(name: impl Into<String>, label: impl Into<String>, value: Value) -> Self {
        Self { name: name.into(), label: label.into(), value, p99: None, bar: None, remark: None }
    }

    /// With its 99th percentile.
    pub fn p99(self, p99: Value) -> Self {
        Self { p99: Some(p99), ..self }
    }

    /// With what it must hold.
    pub fn bar(self, bar: Bar) -> Self {
        Self { bar: Some(bar), ..self }
    }

    /// With a warning, where it has no bar.
    pub fn remark(self, remark: &'static str) -> Self {
        Self { remark: Some(remark), ..self }
    }
}

impl Report {
    /// An empty report; its time starts now.
    pub fn new() -> Self {
        Self { entries: Vec::new(), without_bars: None, began: Instant::now() }
    }

    /// Begins a part of the table.
    pub fn section(&mut self, title: &'static str) {
        self.entries.push(Entry::Section(title));
    }

    /// From here on rows have no bars, and names that begin with `prefix`: the bars are another program's.
    pub const fn without_bars(&mut self, prefix: &'static str) {
        self.without_bars = Some(prefix);
    }

    /// Adds a row.
    pub fn row(&mut self, row: Row) {
        let row = match self.without_bars {
            Some(prefix) => Row { name: format!("{prefix}-{}", row.name), bar: None, ..row },
            None => row,
        };
        self.entries.push(Entry::Row(row));
    }

    /// How many times as much as `of` was measured under `name`, where both were.
    pub fn times(&self, name: &str, of: &str) -> Option<f64> {
        let number = |name: &str| self.rows().find(|row| row.name == name).map(|row| row.value.number());
        Some(number(name)? / number(of)?)
    }

    /// Says on stderr what is being measured.
    pub fn progress(&self, what: &str) {
        let dim = anstyle::Style::new().dimmed();
        anstream::eprintln!("{dim}{:5.1} s{dim:#}  measuring {what}", self.began.elapsed().as_secs_f64());
    }

    /// Whether no bar failed.
    pub fn passes(&self) -> bool {
        self.rows().filter_map(|row| row.bar.as_ref()).all(Bar::passes)
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Row(row) => Some(row),
            Entry::Section(_) => None,
        })
    }
}
