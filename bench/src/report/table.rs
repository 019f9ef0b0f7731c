//! The table, on stdout.

use super::{Bar, Entry, Report, Row};
use anstyle::{AnsiColor, Style};

/// Headings of the columns.
const HEAD: [&str; 4] = ["", "result", "p99", "bar"];

impl Report {
    /// Prints the table and how many bars hold.
    pub fn print(&self) {
        let dim = Style::new().dimmed();
        let widths = self.widths();
        let [label, value, p99] = widths;
        let [head_label, head_value, head_p99, head_bar] = HEAD;
        anstream::println!("{dim}{head_label:label$}  {head_value:>value$}  {head_p99:>p99$}  {head_bar}{dim:#}");
        for entry in &self.entries {
            match entry {
                Entry::Section(title) => {
                    let bold = Style::new().bold();
                    anstream::println!("{bold}{title}{bold:#}");
                }
                Entry::Row(row) => print_row(row, widths),
            }
        }
        let failed = self.rows().filter_map(|row| row.bar.as_ref()).filter(|bar| !bar.passes()).count();
        let bars = self.rows().filter(|row| row.bar.is_some()).count();
        let seconds = self.began.elapsed().as_secs_f64();
        anstream::println!(
            "{dim}{} of {bars} bars hold, {failed} fail; measured in {seconds:.0} s{dim:#}",
            bars.saturating_sub(failed)
        );
    }

    fn widths(&self) -> [usize; 3] {
        let widest = |cell: &dyn Fn(&Row) -> usize| self.rows().map(cell).max().unwrap_or(0).max(8);
        [
            widest(&|row| label(row).chars().count()),
            widest(&|row| row.value.to_string().chars().count()),
            widest(&|row| p99(row).chars().count()),
        ]
    }
}

fn print_row(row: &Row, [label_width, value_width, p99_width]: [usize; 3]) {
    let (label, value, p99) = (label(row), row.value.to_string(), p99(row));
    let verdict = row.bar.as_ref().map(verdict).or(row.remark.map(warning)).unwrap_or_default();
    let line = format!("{label:label_width$}  {value:>value_width$}  {p99:>p99_width$}  {verdict}");
    anstream::println!("{}", line.trim_end());
}

fn label(row: &Row) -> String {
    format!("  {}", row.label)
}

fn p99(row: &Row) -> String {
    row.p99.map(|p99| p99.to_string()).unwrap_or_default()
}

fn verdict(bar: &Bar) -> String {
    let (word, colour) = if bar.passes() { ("PASS", AnsiColor::Green) } else { ("FAIL", AnsiColor::Red) };
    let style = Style::new().fg_color(Some(colour.into())).bold();
    format!("{style}{word}{style:#} {}", bar.rule())
}

fn warning(remark: &str) -> String {
    let style = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
    format!("{style}{remark}{style:#}")
}
