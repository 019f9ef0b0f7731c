//! Whether and when a failed attempt is tried again (PROTOCOL §4.2, §4.5).

use crate::ids::Millis;
use crate::limits::{RETRY_AFTER_MAX, RETRY_AFTER_MIN};
use crate::turn::Turn;

/// The delay before each retry, from the first; the last one goes on for ever.
const BACK_OFF: [Millis; 10] = [
    Millis(15_000),
    Millis(30_000),
    Millis(60_000),
    Millis(120_000),
    Millis(300_000),
    Millis(600_000),
    Millis(1_200_000),
    Millis(2_400_000),
    Millis(3_600_000),
    Millis(7_200_000),
];
/// Added at random, so that what failed together does not come back together.
const JITTER_MS_MAX: u64 = 30_000;

/// What the answer says about trying again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// `x-inngest-no-retry`, where present.
    pub no_retry: bool,
    /// `retry-after`, as a delay, where present and readable.
    pub retry_after: Option<Millis>,
}

/// When to try again after the failure of `attempt` (from 0) out of `attempts_max`; `None` where it was the last.
#[must_use]
pub fn next_try(turn: &Turn<'_>, attempt: u32, attempts_max: u32, advice: Advice) -> Option<Millis> {
    if advice.no_retry || attempt.saturating_add(1) >= attempts_max {
        return None;
    }
    let delay = match (advice.retry_after, turn.settings.retry_interval) {
        (Some(asked), _) => asked.clamp(RETRY_AFTER_MIN, RETRY_AFTER_MAX),
        (None, Some(constant)) => constant,
        (None, None) => back_off(attempt).plus(Millis(turn.entropy.below(JITTER_MS_MAX))),
    };
    Some(turn.now.plus(delay))
}

fn back_off(attempt: u32) -> Millis {
    let place = usize::try_from(attempt).unwrap_or(usize::MAX);
    BACK_OFF.get(place).or(BACK_OFF.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::ids::Entropy;
    use crate::turn::{Settings, Supplied};

    fn delay(settings: &Settings, entropy: u128, attempt: u32, max: u32, advice: Advice) -> Option<u64> {
        let (catalog, supplied) = (Catalog::default(), Supplied::default());
        let now = Millis(1_000_000);
        let turn = Turn { now, entropy: Entropy(entropy), catalog: &catalog, settings, supplied: &supplied };
        next_try(&turn, attempt, max, advice).map(|at| at.since(now).0)
    }

    #[test]
    fn the_back_off_table_is_the_documented_one() {
        let seconds = [15, 30, 60, 120, 300, 600, 1_200, 2_400, 3_600, 7_200, 7_200];
        for (attempt, expected) in (0..).zip(seconds) {
            assert_eq!(delay(&Settings::default(), 0, attempt, 21, Advice::default()), Some(expected * 1_000));
        }
    }

    #[test]
    fn jitter_stays_below_thirty_seconds() {
        for entropy in [1, 29_999, 30_000, u128::MAX, 0x1234_5678_9abc] {
            let ms = delay(&Settings::default(), entropy, 0, 5, Advice::default()).unwrap();
            assert!((15_000..45_000).contains(&ms), "{ms}");
        }
    }

    #[test]
    fn the_last_attempt_and_no_retry_are_final() {
        let settings = Settings::default();
        assert_eq!(delay(&settings, 0, 4, 5, Advice::default()), None);
        assert_eq!(delay(&settings, 0, 0, 1, Advice::default()), None);
        assert_eq!(delay(&settings, 0, 0, 5, Advice { no_retry: true, retry_after: Some(Millis(1)) }), None);
    }

    #[test]
    fn retry_after_is_clamped_and_beats_the_constant() {
        let settings = Settings { retry_interval: Some(Millis(50)), ..Settings::default() };
        let asked = |ms| Advice { no_retry: false, retry_after: Some(Millis(ms)) };
        assert_eq!(delay(&settings, 9, 0, 5, Advice::default()), Some(50));
        assert_eq!(delay(&settings, 9, 0, 5, asked(2_000)), Some(2_000));
        assert_eq!(delay(&settings, 9, 0, 5, asked(1)), Some(1_000));
        assert_eq!(delay(&settings, 9, 0, 5, asked(u64::MAX)), Some(86_400_000));
    }
}
