//! Waiting for a condition, never for a guessed time.

use std::time::{Duration, Instant};

/// How long any single condition may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Polls `condition` until it gives something.
///
/// # Panics
/// When nothing came within a minute; says what was waited for.
pub fn until<T>(what: &str, condition: impl FnMut() -> Option<T>) -> T {
    within(PATIENCE, what, condition)
}

/// As [`until`], with a deadline of its own.
///
/// # Panics
/// When nothing came in time; says what was waited for.
pub fn within<T>(patience: Duration, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = condition() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {patience:?} in vain: {what}");
        std::thread::sleep(PAUSE);
    }
}
