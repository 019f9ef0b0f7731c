//! The `stepwell` command: the wasmtime host, and a client for it.
//!
//! ```text
//! requests ─ server ─┐                                 ┌─ store (one SQLite file each)
//!                    ├─ partitions: turns, one commit ─┤
//! apps ────── calls ─┘                                 └─ parts (three wasm components: every decision)
//! ```
//!
//! The host decides nothing. It knows only `wit/`, never the engine's crate.
//!
//! What is strict here: **durable before visible.** No effect of a turn leaves a partition before the rows of that turn
//! are committed (`partition/turns.rs`).
#![cfg_attr(
    test,
    allow(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::cast_possible_truncation, reason = "tests")
)]
#![allow(unreachable_pub, reason = "a program has no outside: `pub` means for other modules")]

/// The system's allocator takes a tenth of the server's CPU time; this one takes a third of that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod calls;
mod catalog_cell;
mod cli;
mod clock;
mod config;
mod discovery;
mod hub;
mod limits;
mod logging;
mod partition;
mod parts;
mod place;
mod serve;
mod server;
mod shutdown;
mod store;
mod wit;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(serve::until_told)
}
