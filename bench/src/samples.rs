//! Measured times, their percentiles, and numbers as floats.

use std::time::Duration;

/// Times of one kind, in no order.
#[derive(Debug, Default)]
pub struct Samples(Vec<Duration>);

impl Samples {
    /// Adds one.
    pub fn add(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// The smallest sample that is at least as large as `percent` of all (nearest rank), `percent` from 1 to 100.
    ///
    /// # Errors
    /// Nothing was measured.
    pub fn percentile(&self, percent: usize) -> anyhow::Result<Duration> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = sorted.len().saturating_mul(percent).div_ceil(100);
        let found = sorted.get(rank.saturating_sub(1)).copied();
        found.ok_or_else(|| anyhow::anyhow!("nothing was measured"))
    }

    /// How many there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl FromIterator<Duration> for Samples {
    fn from_iter<T: IntoIterator<Item = Duration>>(samples: T) -> Self {
        Self(samples.into_iter().collect())
    }
}

/// A count as a float. Counts beyond four thousand million do not occur here.
pub fn count(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

/// So many a second.
pub fn rate(n: usize, time: Duration) -> f64 {
    count(n) / time.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(samples: impl IntoIterator<Item = u64>) -> Samples {
        samples.into_iter().map(Duration::from_millis).collect()
    }

    #[test]
    fn percentiles_are_samples_by_nearest_rank_in_whatever_order_they_came() {
        let samples = millis((1..=200).rev());
        assert_eq!(samples.percentile(50).unwrap(), Duration::from_millis(100));
        assert_eq!(samples.percentile(99).unwrap(), Duration::from_millis(198));
        assert_eq!(samples.percentile(100).unwrap(), Duration::from_millis(200));
        assert_eq!(millis([1, 2, 3]).percentile(50).unwrap(), Duration::from_millis(2));
        assert_eq!(millis([7]).percentile(1).unwrap(), Duration::from_millis(7));
    }

    #[test]
    fn one_outlier_in_a_hundred_is_not_the_p99_but_two_are() {
        assert_eq!(millis((0..99).map(|_| 1).chain([50])).percentile(99).unwrap(), Duration::from_millis(1));
        assert_eq!(millis((0..98).map(|_| 1).chain([50, 50])).percentile(99).unwrap(), Duration::from_millis(50));
    }

    #[test]
    fn no_samples_have_no_percentile() {
        assert!(Samples::default().percentile(50).is_err());
    }

    #[test]
    fn a_rate_is_per_second() {
        assert!((rate(500, Duration::from_millis(250)) - 2_000.0).abs() < 1e-9);
    }
}
