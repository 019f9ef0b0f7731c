//! Measured values with their units.

use std::fmt::{Display, Formatter, Result};
use std::time::Duration;

/// A measured value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// A time; shown in milliseconds.
    Time(Duration),
    /// So many a second.
    PerSecond(f64),
    /// Megabytes of a million bytes.
    Megabytes(f64),
    /// A share, from 0 to 1; shown as percent.
    Share(f64),
    /// A ratio.
    Times(f64),
}

impl Value {
    /// The number in [`Value::unit`].
    pub fn number(self) -> f64 {
        match self {
            Self::Time(time) => time.as_secs_f64() * 1_000.0,
            Self::Share(share) => share * 100.0,
            Self::PerSecond(number) | Self::Megabytes(number) | Self::Times(number) => number,
        }
    }

    /// The unit of [`Value::number`].
    pub fn unit(self) -> &'static str {
        match self {
            Self::Time(_) => "ms",
            Self::PerSecond(_) => "/s",
            Self::Megabytes(_) => "MB",
            Self::Share(_) => "%",
            Self::Times(_) => "×",
        }
    }
}

impl Display for Value {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let (number, unit) = (self.number(), self.unit());
        match self {
            Self::PerSecond(_) => write!(to, "{} {unit}", thousands(number)),
            _ if number < 10.0 => write!(to, "{number:.3} {unit}"),
            _ => write!(to, "{number:.1} {unit}"),
        }
    }
}

/// A number without its fraction, its digits in groups of three.
fn thousands(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && digits.len().saturating_sub(place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_shown_with_their_unit() {
        assert_eq!(Value::Time(Duration::from_micros(213)).to_string(), "0.213 ms");
        assert_eq!(Value::Time(Duration::from_micros(51_249)).to_string(), "51.2 ms");
        assert_eq!(Value::PerSecond(1_234_567.8).to_string(), "1,234,568 /s");
        assert_eq!(Value::PerSecond(999.4).to_string(), "999 /s");
        assert_eq!(Value::Share(0.431).to_string(), "43.1 %");
        assert_eq!(Value::Times(1.5).to_string(), "1.500 ×");
    }
}
