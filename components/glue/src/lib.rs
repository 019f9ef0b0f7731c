//! The engine's parts behind the worlds of `wit/`.
//!
//! [`House`] gives any [`stepwell_engine::actor::Part`] the shape of the interface `actors`. What is written here once is
//! what the three components have in common: translating between the generated types and the engine's own, and holding
//! what a component instance knows (its settings, the newest catalog).
//!
//! Nothing here decides anything, and nothing is imported: no WASI, no callbacks.

pub mod bindings;

mod actors;
mod instance;
mod translate;

pub use actors::House;
pub use instance::{Knowledge, knowledge};
pub use translate::entropy;
