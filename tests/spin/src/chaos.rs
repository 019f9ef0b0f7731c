//! Instances that are killed at random.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use wasmtime::{Result, format_err};

const MILLION: u64 = 1_000_000;

/// How often an instance is killed where it calls the host: before the call does anything, or after all is done and nobody told.
pub struct Chaos {
    per_million: u64,
    is_on: AtomicBool,
    state: Mutex<u64>,
}

impl Chaos {
    /// `per_million` of all calls to the host kill; which ones, follows from `seed` and the order of the calls.
    #[must_use]
    pub const fn new(per_million: u32, seed: u64) -> Self {
        #[expect(clippy::as_conversions, reason = "widens; From is not const")]
        let per_million = per_million as u64;
        Self { per_million, is_on: AtomicBool::new(true), state: Mutex::new(seed) }
    }

    /// Begins to kill, or leaves off.
    pub fn flip(&self) {
        self.is_on.fetch_xor(true, Ordering::SeqCst);
    }

    /// A call to the host, which is done in between, or not.
    ///
    /// # Errors
    /// The instance is to be killed.
    pub(crate) fn around<T>(&self, call: impl FnOnce() -> Result<T>) -> Result<T> {
        self.strike()?;
        let answer = call()?;
        self.strike()?;
        Ok(answer)
    }

    /// As [`Chaos::around`], for a call that is waited for.
    ///
    /// # Errors
    /// The instance is to be killed.
    pub(crate) async fn around_async<T>(&self, call: impl Future<Output = Result<T>>) -> Result<T> {
        self.strike()?;
        let answer = call.await?;
        self.strike()?;
        Ok(answer)
    }

    fn strike(&self) -> Result<()> {
        if self.is_on.load(Ordering::SeqCst) && self.per_million > 0 && self.draw() % (2 * MILLION) < self.per_million {
            return Err(format_err!("killed, as --kill-rate asks"));
        }
        Ok(())
    }

    /// Splitmix64.
    fn draw(&self) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn about_as_many_calls_kill_as_were_asked_for_and_the_same_ones_for_the_same_seed() {
        let struck = |seed| {
            let chaos = Chaos::new(100_000, seed);
            (0..20_000).filter(|_| chaos.strike().is_err()).collect::<Vec<_>>()
        };
        let count = struck(1).len();
        // Two strikes a call: half of the rate each.
        assert!((800..1_200).contains(&count), "{count} of 20,000");
        assert_eq!(struck(1), struck(1));
        assert_ne!(struck(1), struck(2));
    }

    #[test]
    fn nothing_kills_where_nothing_was_asked_for() {
        let chaos = Chaos::new(0, 1);
        assert!((0..1_000).all(|_| chaos.strike().is_ok()));
        let chaos = Chaos::new(1_000_000, 1);
        chaos.flip();
        assert!((0..1_000).all(|_| chaos.strike().is_ok()));
    }
}
