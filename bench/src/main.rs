//! What Stepwell costs, beside what the machine costs: one table, in one run.
//!
//! A raw HTTP app in this process speaks the protocol, so that no SDK is measured. Every bar is a ratio to a floor of the
//! same run, or a bound that a person notices. `cargo xtask bench` builds what is needed and runs this.

mod app;
mod client;
mod floor;
mod measure;
mod process;
mod server;
mod statistics;
mod table;

use anyhow::{Context, Result};
use app::App;
use clap::Parser;
use client::Client;
use measure::Bench;
use std::path::PathBuf;
use std::process::ExitCode;
use table::Table;

/// As many as the machine that the bars are for has cores.
const IO_THREADS: usize = 2;

#[derive(Parser)]
#[command(about, bin_name = "cargo xtask bench")]
struct Arguments {
    /// The stepwell binary to measure
    #[arg(long)]
    stepwell: PathBuf,
    /// Where data is written; it should be the disk that counts
    #[arg(long)]
    folder: PathBuf,
    /// Shorter, and less certain
    #[arg(long)]
    quick: bool,
    /// The table as JSON, on standard output
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            anstream::eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// True where every bar holds.
fn run(arguments: &Arguments) -> Result<bool> {
    std::fs::create_dir_all(&arguments.folder).with_context(|| arguments.folder.display().to_string())?;
    let folder = tempfile::tempdir_in(&arguments.folder)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(IO_THREADS).enable_all().build().context("tokio")?;
    let mut table = Table::default();
    runtime.block_on(async {
        let bench = Bench {
            app: App::start().await?,
            client: Client::default(),
            binary: arguments.stepwell.clone(),
            folder: folder.path().to_owned(),
            quick: arguments.quick,
        };
        measure::all(&bench, &mut table).await
    })?;
    if arguments.json {
        println!("{}", table.json()?);
    } else {
        anstream::print!("{}", table.text());
    }
    Ok(table.holds())
}
