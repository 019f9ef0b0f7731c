//! Every decision of Stepwell, as pure functions.
//!
//! The engine is a set of *actors*. An actor is made from its rows and asked for one *turn* at a time:
//!
//! ```text
//! turn(actor, now, entropy, catalog, message) -> rows to write, effects to perform, when to wake
//! ```
//!
//! What is absent: clocks, randomness, I/O, threads, async. Time and entropy come in as arguments; everything that must
//! happen in the world goes out as an [`turn::Effect`]. A *shell* (host, worker, spin, or the simulator) makes the rows
//! durable and only then performs the effects.
//!
//! The one strict contract, for every actor: **state is the fold of its rows.** A turn first decides, then applies what
//! it decided exactly as a reload from the rows would, so an actor may be dropped and made again between any two turns.
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::as_conversions))]

pub mod actor;
pub mod catalog;
pub mod cron;
pub mod duration;
pub mod error;
pub mod expression;
pub mod gate;
pub mod history;
pub mod http;
pub mod ids;
pub mod limits;
pub mod run;
pub mod shard;
pub mod signing;
pub mod stream;
pub mod trigger;
pub mod turn;
pub mod waits;
