//! Actors as documents in a key-value store: every decision of the home under Spin.
//!
//! A key-value store with atomics has no order, no transactions and no timers, and many instances are at it at once, any of which
//! may vanish between two steps. The protocol that holds all the same is that of the simulator's third home (`sim/src/home/kv`):
//!
//! - [`document`]: rows under a name, changed by compare-and-swap; how one comes to be, and where many rows go.
//! - [`due`]: what is due, in documents of its own; claims.
//! - `actor`: a turn: read, decide, see to the alarm, swap, and only then let effects out.
//! - `ring`: ticks, and the sleeper that makes them less needed.
//! - `chain`, `call`: what follows from a turn: calls under leases, letters until they are confirmed.
//! - `requests`, `door`: what the world asks, and what the parts ask of each other.
//! - [`probe`]: a store that cannot do this is refused.
//!
//! Nothing here knows Spin: a shell gives it a [`store::Store`], an [`engine::Engine`] and an [`outside::Outside`]. What is tested
//! here with a store in memory, which has Spin's measured traps, runs under Spin as it is.

mod actor;
mod bytes;
mod call;
mod catalog;
mod chain;
mod concurrent;
pub mod document;
mod door;
pub mod due;
pub mod engine;
mod home;
pub mod limits;
pub mod outside;
pub mod probe;
mod requests;
mod ring;
pub mod setup;
pub mod store;
pub mod types;
mod wire;

pub use concurrent::within;
pub use door::refused;
pub use home::{Failure, Home};
