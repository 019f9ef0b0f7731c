//! The wasmtime host and the stepwell command.
#![allow(dead_code, reason = "the server that uses the rest is not wired here yet")]

mod cli;
mod config;
mod discovery;
mod logging;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(|options| {
        anyhow::bail!("nothing serves yet; asked for {options:?}");
    })
}
