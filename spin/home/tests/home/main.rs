//! The home with the engine linked in, in a world of one thread whose every interleaving and every death comes from a seed.

#![allow(
    missing_docs,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong should panic where it does"
)]

mod app;
mod crashes;
mod documents;
mod engine;
mod memory;
mod runs;
mod time;
mod world;
