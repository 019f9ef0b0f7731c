//! What a ledger promises: by example, at its bounds, and against a model.

#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows fails, as it should")]

mod alarms;
mod bounds;
mod calls;
mod driver;
mod letters;
mod property;
