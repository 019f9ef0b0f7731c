//! A store around one instance: how much memory it may take, how long a call into it may last.

use crate::limits;
use wasmtime::{Engine, ResourceLimiter, Store};

/// Counts and bounds what an instance takes.
pub struct Bounds {
    memory_bytes_max: usize,
    /// What its memory has grown to; wasm memories never shrink.
    pub memory_bytes: usize,
}

/// A store whose instance may take `memory_bytes_max`.
pub fn store(engine: &Engine, memory_bytes_max: usize) -> Store<Bounds> {
    let mut store = Store::new(engine, Bounds { memory_bytes_max, memory_bytes: 0 });
    store.limiter(|bounds| bounds);
    store
}

/// To be called before each call into the instance: its time begins now.
pub fn start_time(store: &mut Store<Bounds>) {
    let ticks = limits::TURN_TIME_MAX.as_secs().checked_div(limits::EPOCH_TICK.as_secs()).unwrap_or(1);
    store.set_epoch_deadline(ticks.saturating_add(1));
}

/// The whole story of a trap, in one line per cause.
pub fn describe(trap: &wasmtime::Error) -> String {
    format!("{trap:#}")
}

impl ResourceLimiter for Bounds {
    fn memory_growing(&mut self, _now: usize, desired: usize, _declared: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= self.memory_bytes_max;
        if allowed {
            self.memory_bytes = desired;
        }
        Ok(allowed)
    }

    fn table_growing(&mut self, _now: usize, desired: usize, _declared: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= limits::TABLE_ELEMENTS_MAX)
    }
}
