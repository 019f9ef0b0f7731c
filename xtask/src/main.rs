//! Builds, tests, demonstrates and measures Stepwell: `cargo xtask --help`.

mod bench;
mod build;
mod demo;
mod fuzz;
mod harness;
mod mutants;
mod packages;
mod process;
mod progress;
mod sim;
mod spin;
mod test;
mod worker;
mod workspace;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::process::ExitCode;
use workspace::Workspace;

#[derive(Parser)]
#[command(about, bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Builds the engine's three components and the `stepwell` binary
    Build(build::Arguments),
    /// Measures what Stepwell costs beside what the machine costs; fails when a bar does not hold
    Bench(bench::Arguments),
    /// Starts the server and an example app, and shows a run as it happens
    Demo(demo::Arguments),
    /// Looks for an expression that is answered wrongly, for as long as you like
    Fuzz(fuzz::Arguments),
    /// Changes the engine in small ways and sees whether a test notices
    Mutants(mutants::Arguments),
    /// Simulates whole clusters from seeds, under every fault
    Sim(sim::Arguments),
    /// Builds the application for Spin
    Spin(spin::Arguments),
    /// Runs every check and every test
    Test(test::Arguments),
    /// Builds, serves or deploys the Cloudflare Worker
    Worker(worker::Arguments),
}

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            process::leave_if_interrupted();
            progress::failure(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    process::stop_all_on_interrupt()?;
    let workspace = Workspace::find()?;
    match arguments.command {
        Command::Bench(arguments) => bench::run(&workspace, &arguments),
        Command::Build(arguments) => build::run(&workspace, &arguments).map(|()| ExitCode::SUCCESS),
        Command::Demo(arguments) => demo::run(&workspace, &arguments),
        Command::Fuzz(arguments) => fuzz::run(&workspace, &arguments),
        Command::Mutants(arguments) => mutants::run(&workspace, &arguments),
        Command::Sim(arguments) => sim::run(&workspace, &arguments),
        Command::Spin(arguments) => spin::run(&workspace, &arguments),
        Command::Test(arguments) => test::run(&workspace, &arguments),
        Command::Worker(arguments) => worker::run(&workspace, &arguments),
    }
}
