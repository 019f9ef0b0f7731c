//! A lock that knows when it would never open.
//!
//! Spin locks a connection for as long as rows of it are on their way to the guest. A guest that asks something else of it meanwhile waits for
//! itself: in Spin for ever, here until the wait is long enough to be told from a slow reader.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use wasmtime::{Result, format_err};

/// How long whoever reads rows may keep others waiting.
const PATIENCE: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Busy,
    /// By rows that the guest has yet to read.
    Streaming,
}

pub(crate) struct Gate<T> {
    state: Mutex<State>,
    freed: Condvar,
    kept: Mutex<T>,
}

/// What is behind the gate, until dropped.
pub(crate) struct Inside<'a, T> {
    gate: &'a Gate<T>,
    kept: MutexGuard<'a, T>,
}

impl<T> Gate<T> {
    pub(crate) const fn new(kept: T) -> Self {
        Self { state: Mutex::new(State::Free), freed: Condvar::new(), kept: Mutex::new(kept) }
    }

    /// Waits for the others.
    ///
    /// # Errors
    /// Rows have been on their way for too long: `what` would hang Spin.
    pub(crate) fn enter(&self, what: &str) -> Result<Inside<'_, T>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut streaming_since = None;
        while *state != State::Free {
            if *state == State::Streaming {
                let since: &mut Instant = streaming_since.get_or_insert_with(Instant::now);
                if since.elapsed() > PATIENCE {
                    return Err(format_err!(
                        "{what} while rows or keys of the same connection are unread: Spin would hang here"
                    ));
                }
            } else {
                streaming_since = None;
            }
            state = self.freed.wait_timeout(state, PATIENCE).unwrap_or_else(PoisonError::into_inner).0;
        }
        *state = State::Busy;
        drop(state);
        Ok(Inside { gate: self, kept: self.kept.lock().unwrap_or_else(PoisonError::into_inner) })
    }

    fn set(&self, state: State) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = state;
        self.freed.notify_one();
    }
}

impl<T> Inside<'_, T> {
    pub(crate) fn kept(&mut self) -> &mut T {
        &mut self.kept
    }

    /// What is kept, and how to say that from here on it is the guest who decides how long it takes.
    pub(crate) fn parts(&mut self) -> (&mut T, impl Fn() + use<'_, T>) {
        let gate = self.gate;
        (&mut self.kept, || gate.set(State::Streaming))
    }
}

impl<T> Drop for Inside<'_, T> {
    fn drop(&mut self) {
        self.gate.set(State::Free);
    }
}
