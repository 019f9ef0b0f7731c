//! The world's time and chance: the two things that the engine is given and never takes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
#[must_use]
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// How long it is from now to `at_ms`; zero where that has passed.
#[must_use]
pub fn until(at_ms: u64) -> Duration {
    Duration::from_millis(at_ms.saturating_sub(now_ms()))
}

/// 128 fresh random bits.
///
/// # Errors
/// An operating system that has no randomness to give: nothing may be decided then, since ids would collide.
pub fn entropy() -> Result<(u64, u64), getrandom::Error> {
    Ok((getrandom::u64()?, getrandom::u64()?))
}
