//! Samples and what is said of them.

use std::time::Duration;

/// Times, or other quantities, in the order of their size.
#[derive(Clone, Debug)]
pub(crate) struct Samples(Vec<f64>);

impl Samples {
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// Of times, in milliseconds.
    pub(crate) fn of_times(times: impl IntoIterator<Item = Duration>) -> Self {
        Self::new(times.into_iter().map(milliseconds).collect())
    }

    /// The value that so many hundredths of the samples do not exceed; not a number where there are none.
    pub(crate) fn percentile(&self, hundredths: usize) -> f64 {
        let last = self.0.len().saturating_sub(1);
        let rank = self.0.len().saturating_mul(hundredths).div_ceil(100).saturating_sub(1).min(last);
        self.0.get(rank).copied().unwrap_or(f64::NAN)
    }

    pub(crate) fn p50(&self) -> f64 {
        self.percentile(50)
    }

    pub(crate) fn p99(&self) -> f64 {
        self.percentile(99)
    }
}

pub(crate) fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// So many in that time, as a number a second.
pub(crate) fn rate(count: u64, time: Duration) -> f64 {
    number(count) / time.as_secs_f64()
}

/// A count as a quantity. Counts beyond 2^32 do not come up here.
pub(crate) fn number(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::NAN, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_the_value_that_so_many_do_not_exceed() {
        let samples = Samples::new((1..=100).rev().map(f64::from).collect());
        assert_eq!((samples.p50(), samples.p99(), samples.percentile(100)), (50.0, 99.0, 100.0));
        assert_eq!(Samples::new(vec![7.0]).p99(), 7.0);
        assert!(Samples::new(Vec::new()).p50().is_nan());
    }
}
