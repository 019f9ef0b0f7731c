//! Runs the component files of a Spin application as Spin 4.1 does, for tests where no `spin` is on the machine.
//!
//! What of Spin was seen to lose, to hang or to fail does so here as well; what would hang Spin traps here, and says so. State is in
//! the files that Spin would have in its state directory, so that a killed process finds it again.
//!
//! - [`manifest`] reads `spin.toml`; [`variables`], [`route`] and [`outbound`] are what it says about values, paths and calls.
//! - [`app`] holds the components; `handler` keeps instances of one and gives them requests.
//! - `key_value`, `sqlite` and `instance` are what an instance may call; [`chaos`] kills it there at random.
//! - [`server`] listens.
//!
//! What it is not: it speaks no TLS, so that a call to `https` fails and is told in the log; of the time-outs of a call only the one of the first byte
//! is kept (spin-sdk sets none); a manifest that names more than Stepwell uses (`dependencies`, `files`, other triggers) is refused when it is
//! read, and so are lists and networks in `allowed_outbound_hosts`. The engine is composed at build time, so that no dependency is left to be named.

pub mod app;
mod bindings;
pub mod chaos;
pub mod compiled;
mod gate;
mod handler;
mod headers;
mod instance;
mod key_value;
pub mod manifest;
pub mod outbound;
mod outgoing;
pub mod route;
pub mod server;
mod sqlite;
mod streamed;
pub mod variables;

pub use handler::Reuse;
