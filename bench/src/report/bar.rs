//! Bars: what a measurement must hold for the run to pass.

use super::Value;

/// A bound on a measured value.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    measured: Value,
    limit: Value,
    is_floor: bool,
    why: String,
}

impl Bar {
    /// `measured` must not be more than `limit`; `why` says in some words where the limit comes from.
    pub fn at_most(measured: Value, limit: Value, why: impl Into<String>) -> Self {
        Self { measured, limit, is_floor: false, why: why.into() }
    }

    /// `measured` must not be less than `limit`.
    pub fn at_least(measured: Value, limit: Value, why: impl Into<String>) -> Self {
        Self { measured, limit, is_floor: true, why: why.into() }
    }

    /// Whether it holds. A value that is not a number holds nothing.
    pub fn passes(&self) -> bool {
        if self.is_floor {
            self.measured.number() >= self.limit.number()
        } else {
            self.measured.number() <= self.limit.number()
        }
    }

    /// The bound, for people.
    pub fn rule(&self) -> String {
        let sign = self.sign();
        if self.why.is_empty() {
            format!("{sign} {}", self.limit)
        } else {
            format!("{sign} {} ({})", self.limit, self.why)
        }
    }

    /// `>=` or `<=`, the limit, and the value that was held against it.
    pub fn sign(&self) -> &'static str {
        if self.is_floor { "≥" } else { "≤" }
    }

    /// The limit.
    pub fn limit(&self) -> Value {
        self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_limit_itself_passes_and_one_beyond_fails() {
        let ms = |ms| Value::Time(Duration::from_millis(ms));
        assert!(Bar::at_most(ms(50), ms(50), "").passes());
        assert!(!Bar::at_most(ms(51), ms(50), "").passes());
        assert!(Bar::at_least(Value::PerSecond(100.0), Value::PerSecond(100.0), "").passes());
        assert!(!Bar::at_least(Value::PerSecond(99.0), Value::PerSecond(100.0), "").passes());
    }

    #[test]
    fn what_is_not_a_number_fails() {
        assert!(!Bar::at_most(Value::Times(f64::NAN), Value::Times(1.5), "").passes());
        assert!(!Bar::at_least(Value::Times(f64::NAN), Value::Times(1.5), "").passes());
    }
}
