//! How many starts in a time (SERVER §2.3): the generic cell rate algorithm, over one number per value of the key.
//!
//! `limit + burst` starts may come at once after a quiet time, then one in each `period / limit`. The number is the moment at which
//! all starts so far are made up for; a start is due once that is no further ahead than the burst allows.

use crate::catalog::flow::Throttle;
use crate::ids::Millis;

const NS_PER_MS: u64 = 1_000_000;

/// The moment of evenness after one more start at `now`.
#[must_use]
pub fn after_start(throttle: &Throttle, even_at_ns: u64, now: Millis) -> u64 {
    even_at_ns.max(ns(now)).saturating_add(interval_ns(throttle))
}

/// The first millisecond in which a start is due.
#[must_use]
pub fn free_at(throttle: &Throttle, even_at_ns: u64) -> Millis {
    let at_once = u64::from(throttle.limit).saturating_add(u64::from(throttle.burst));
    let ahead = interval_ns(throttle).saturating_mul(at_once.saturating_sub(1));
    even(even_at_ns.saturating_sub(ahead))
}

/// The first millisecond at which a key is as if it had never been used.
#[must_use]
pub fn even(even_at_ns: u64) -> Millis {
    Millis(even_at_ns.div_ceil(NS_PER_MS))
}

/// By how much one start moves the moment of evenness.
fn interval_ns(throttle: &Throttle) -> u64 {
    ns(throttle.period).checked_div(u64::from(throttle.limit)).unwrap_or(u64::MAX)
}

const fn ns(at: Millis) -> u64 {
    at.0.saturating_mul(NS_PER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn throttle(limit: u32, period: u64, burst: u32) -> Throttle {
        Throttle { limit, period: Millis(period), burst, key: None }
    }

    /// The moments of `count` starts that are made as early as they may be.
    fn starts(throttle: &Throttle, count: usize) -> Vec<u64> {
        let (mut now, mut even_at) = (Millis(1_000_000), 0);
        let mut made = Vec::new();
        for _ in 0..count {
            now = now.max(free_at(throttle, even_at));
            even_at = after_start(throttle, even_at, now);
            made.push(now.0 - 1_000_000);
        }
        made
    }

    #[test]
    fn so_many_at_once_and_then_one_in_each_interval() {
        // As recorded of the known server (SERVER §2.3).
        assert_eq!(starts(&throttle(3, 9_000, 0), 5), [0, 0, 0, 3_000, 6_000]);
        assert_eq!(starts(&throttle(3, 9_000, 1), 6), [0, 0, 0, 0, 3_000, 6_000]);
        assert_eq!(starts(&throttle(1, 3_000, 3), 6), [0, 0, 0, 0, 3_000, 6_000]);
        assert_eq!(starts(&throttle(1, 1_000, 0), 3), [0, 1_000, 2_000]);
    }

    #[test]
    fn an_interval_that_is_no_whole_number_of_milliseconds_is_kept_over_time_and_never_early() {
        let made = starts(&throttle(7, 1_000, 0), 7 * 50 + 7);
        assert_eq!(made.last(), Some(&50_000));
        assert_eq!(made[7], 143, "142.857 is not reached before");
    }

    #[test]
    fn a_quiet_time_gives_no_more_than_the_burst() {
        let throttle = throttle(2, 1_000, 0);
        let even_at = after_start(&throttle, 0, Millis(10));
        assert_eq!(free_at(&throttle, even_at), Millis(10));
        let later = after_start(&throttle, even_at, Millis(1_000_000));
        let later = after_start(&throttle, later, Millis(1_000_000));
        assert_eq!(free_at(&throttle, later), Millis(1_000_500));
    }
}
