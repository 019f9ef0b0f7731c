//! What the shells under Spin have in common: input and output around the engine's parts. They decide nothing: that is for
//! `stepwell-spin-home`.
#![cfg(target_family = "wasm")]

mod bindings;
mod key_value;
mod parts;
mod service;
mod sqlite;
mod stores;
mod translate;
mod world;

pub use service::{Answered, event_api, executor, scheduler};
