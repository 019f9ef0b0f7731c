//! Measures a `stepwell` server against the floor of the machine that it runs on, in one run, and prints one table.
//!
//! The app is this crate's own code and speaks the protocol directly (`app/`), so that no SDK is measured. The client that
//! sends events, and the raw calls of the floor, is `client.rs`. Each file of `phases/` measures one thing and adds its
//! rows to the report; a row may carry a bar, a bound that is nearly always a ratio to the floor of the same run.

mod app;
mod args;
mod bench;
mod client;
mod events;
mod floor;
mod phases;
mod process;
mod report;
mod samples;
mod scale;
mod server;
mod spin;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = args::Args::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            anstream::eprintln!("error: no runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(bench::run_until_stopped(&args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
