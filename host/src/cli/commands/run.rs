//! `stepwell run <id>`

use super::follow;
use crate::cli::client::{Client, Envelope, encoded};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::timeline::{Timeline, draw};
use crate::config::ClientOptions;
use serde_json::value::RawValue;

pub const EXAMPLES: &str = "\
Examples:
  stepwell run 01KA9Z2W0M4V9D1S0J8T6R5Q4P
  stepwell run 01KA9Z2W0M4V9D1S0J8T6R5Q4P --follow    tell what happens as it happens; 3 when it did not complete
  stepwell run 01KA9Z2W0M4V9D1S0J8T6R5Q4P --json      everything there is";

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's id, as `stepwell runs` lists it
    id: String,
    /// Stay until the run is over; it need not have started yet
    #[arg(long, short)]
    follow: bool,
}

pub fn run(args: Args, options: ClientOptions, output: &Output) -> Result<(), Exit> {
    let client = Client::new(options)?;
    if args.follow {
        return follow::to_the_end(&client, &args.id, output);
    }
    let path = format!("/v1/runs/{}/timeline", encoded(&args.id));
    let answer: Envelope<Box<RawValue>> = client.get(&path).map_err(|failure| failure.into_exit(&client))?;
    if output.is_json() {
        return output.json(&answer.data);
    }
    let timeline: Timeline = follow::read(&answer.data)?;
    output.lines(draw(&timeline, output.colors()))
}
