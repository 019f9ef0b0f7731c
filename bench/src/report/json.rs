//! The table as JSON.

use super::{Report, Row};
use serde_json::{Value, json};

impl Report {
    /// All rows, in order.
    pub fn json(&self, is_quick: bool) -> Value {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let rows: Vec<Value> = self.rows().map(row).collect();
        json!({"quick": is_quick, "cores": cores, "passed": self.passes(), "rows": rows})
    }
}

fn row(row: &Row) -> Value {
    let bar = row.bar.as_ref().map(|bar| {
        json!({"sign": bar.sign(), "limit": bar.limit().number(), "unit": bar.limit().unit(), "passed": bar.passes()})
    });
    json!({
        "name": row.name, "label": row.label, "value": row.value.number(), "unit": row.value.unit(),
        "p99": row.p99.map(|p99| p99.number()), "bar": bar,
    })
}

#[cfg(test)]
mod tests {
    use crate::report::{Bar, Report, Row, Value};

    #[test]
    fn a_failed_bar_fails_the_report_and_is_told() {
        let mut report = Report::new();
        report.row(Row::new("a", "a row", Value::PerSecond(5.0)));
        assert!(report.passes());
        let bar = Bar::at_least(Value::PerSecond(5.0), Value::PerSecond(6.0), "more is better");
        report.row(Row::new("b", "another", Value::PerSecond(5.0)).bar(bar));
        assert!(!report.passes());
        let json = report.json(true);
        assert_eq!(json["rows"][1]["bar"]["passed"], false);
        assert_eq!(json["rows"][1]["bar"]["limit"], 6.0);
        assert!(json["rows"][0]["bar"].is_null());
    }
}
