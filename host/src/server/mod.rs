//! The HTTP server: bytes in, a request to the engine, bytes out.

mod body;
mod gateway;
mod listener;
mod pool;

pub use gateway::Gateway;
pub use listener::{bind, serve};
pub use pool::Pool;
