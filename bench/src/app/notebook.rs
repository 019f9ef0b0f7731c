//! What the app saw and when, by the key that the bench put into the run's event.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::sync::oneshot;

/// One call of a run.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// Its head was read.
    pub(crate) arrived: Instant,
    /// The answer was about to be written.
    pub(crate) answered: Instant,
    /// Results that came with it.
    pub(crate) memoized: usize,
    pub(crate) body_bytes: usize,
}

/// A run that is over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) run_id: String,
    pub(crate) calls: Vec<Call>,
}

#[derive(Default)]
pub(crate) struct Notebook {
    awaited: Mutex<HashMap<u64, Awaited>>,
    calls: AtomicU64,
    steps: AtomicU64,
    keys: AtomicU64,
}

struct Awaited {
    record: Record,
    tell: oneshot::Sender<Record>,
}

impl Notebook {
    /// A key that no other run has, and the run's record once it is over.
    pub(crate) fn expect(&self) -> (u64, oneshot::Receiver<Record>) {
        let key = self.keys.fetch_add(1, Ordering::Relaxed);
        let (tell, told) = oneshot::channel();
        self.awaited().insert(key, Awaited { record: Record::default(), tell });
        (key, told)
    }

    /// Calls so far, of all runs.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    /// Steps run so far, of all runs.
    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    pub(super) fn note(&self, key: u64, run_id: &str, call: Call, is_last: bool) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        if !is_last {
            self.steps.fetch_add(1, Ordering::Relaxed);
        }
        let mut awaited = self.awaited();
        let Some(run) = awaited.get_mut(&key) else { return };
        run.record.calls.push(call);
        if is_last && let Some(mut over) = awaited.remove(&key) {
            run_id.clone_into(&mut over.record.run_id);
            // Whoever awaited it may have given up.
            let _ = over.tell.send(over.record);
        }
    }

    fn awaited(&self) -> MutexGuard<'_, HashMap<u64, Awaited>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
