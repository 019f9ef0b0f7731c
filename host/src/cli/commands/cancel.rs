//! `stepwell cancel <id>`

use crate::cli::client::{Client, encoded};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::config::ClientOptions;
use serde::Serialize;

pub const EXAMPLES: &str = "\
Examples:
  stepwell cancel 01KA9Z2W0M4V9D1S0J8T6R5Q4P

A run that is over already stays as it is, and that is no error.";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's id, as `stepwell runs` lists it
    id: String,
}

#[derive(Serialize)]
struct Cancelled<'a> {
    run_id: &'a str,
    cancelled: bool,
}

pub fn run(args: Args, options: ClientOptions, output: &Output) -> Result<(), Exit> {
    let client = Client::new(options)?;
    client.delete(&format!("/v1/runs/{}", encoded(&args.id))).map_err(|failure| failure.into_exit(&client))?;
    if output.is_json() {
        return output.json(&Cancelled { run_id: &args.id, cancelled: true });
    }
    output.line(&format!("{} is cancelled, unless it was over already", args.id))
}
