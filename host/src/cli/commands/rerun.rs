//! `stepwell rerun <id>`

use super::follow;
use crate::cli::client::{Client, Envelope, encoded};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::config::ClientOptions;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::time::Duration;

pub const EXAMPLES: &str = "\
Examples:
  stepwell rerun 01KA9Z2W0M4V9D1S0J8T6R5Q4P                          the same events, from the beginning
  stepwell rerun 01KA9Z2W0M4V9D1S0J8T6R5Q4P --from-step charge       steps that had ended before it keep their results
  stepwell rerun 01KA9Z2W0M4V9D1S0J8T6R5Q4P --from-step charge --input '[{\"amount\": 5}]' --follow

The old run stays as it is. The new one uses the function as it is now.";

/// How long the server may take to copy a run's journal.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The run's id, as `stepwell runs` lists it
    id: String,
    /// The step to begin with: its name, or its id where several steps have that name
    #[arg(long, value_name = "STEP")]
    from_step: Option<String>,
    /// Other arguments for that step: a JSON array
    #[arg(long, value_name = "JSON", requires = "from_step")]
    input: Option<String>,
    /// Stay until the new run is over
    #[arg(long, short)]
    follow: bool,
}

#[derive(Serialize)]
struct Wanted {
    #[serde(rename = "fromStep", skip_serializing_if = "Option::is_none")]
    from_step: Option<FromStep>,
}

#[derive(Serialize)]
struct FromStep {
    #[serde(rename = "stepId")]
    step_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<Box<RawValue>>,
}

#[derive(Deserialize, Serialize)]
struct Reran {
    run_id: String,
}

pub fn run(args: Args, options: ClientOptions, output: &Output) -> Result<(), Exit> {
    let input = args.input.map(RawValue::from_string).transpose();
    let input = input.map_err(|e| Exit::failed(format!("--input is not JSON: {e}")))?;
    let wanted = Wanted { from_step: args.from_step.map(|step_id| FromStep { step_id, input }) };
    let body = serde_json::to_vec(&wanted).map_err(|e| Exit::failed(format!("no request can be made of it: {e}")))?;
    let client = Client::new(options)?;
    let path = format!("/v1/runs/{}/rerun", encoded(&args.id));
    let answer: Envelope<Reran> =
        client.post(&path, body, ANSWER_TIME_MAX).map_err(|failure| failure.into_exit(&client))?;
    if args.follow {
        return follow::to_the_end(&client, &answer.data.run_id, output);
    }
    if output.is_json() {
        return output.json(&answer.data);
    }
    output
        .line(&format!("{} repeats {}; see it with: stepwell run {}", answer.data.run_id, args.id, answer.data.run_id))
}
