//! The engine's parts behind the worlds of `wit/`.
//!
//! A component is one of these parts and nothing else: `House` gives any [`stepwell_engine::actor::Part`] the shape of
//! the interface `actors`, [`Desk`] gives the engine's HTTP side the shape of the interface `http`. What is written here
//! once is what the three components have in common: translating between the generated types and the engine's own, and
//! holding what a component instance knows (its settings, the newest catalog).
//!
//! Nothing here decides anything, and nothing is imported: no WASI, no callbacks.

pub mod bindings;

mod actors;
mod http;
mod instance;
mod translate;

pub use actors::House;
pub use http::Desk;
