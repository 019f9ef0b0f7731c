//! `stepwell runs`

use crate::cli::client::{Client, Envelope, encoded};
use crate::cli::exit::Exit;
use crate::cli::output::{Output, Paint};
use crate::cli::timeline::{cells, clip, moment, span};
use crate::config::ClientOptions;
use serde::{Deserialize, Serialize};

pub const EXAMPLES: &str = "\
Examples:
  stepwell runs
  stepwell runs --limit 100
  stepwell runs --json | jq -r '.[] | select(.status == \"Failed\") | .run_id'";

/// Rows that the server gives at once.
const PAGE_ROWS_MAX: usize = 100;
const SLUG_CHARACTERS_MAX: usize = 60;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// At most so many, the newest
    #[arg(long, short = 'n', default_value_t = 20, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
}

/// A row of `GET /v1/runs`.
#[derive(Debug, Deserialize, Serialize)]
struct Listed {
    run_id: String,
    function_id: String,
    event_id: Option<String>,
    status: String,
    started_at_ms: u64,
    ended_at_ms: Option<u64>,
}

pub fn run(args: Args, options: ClientOptions, output: &Output) -> Result<(), Exit> {
    let client = Client::new(options)?;
    let wanted = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let mut runs: Vec<Listed> = Vec::new();
    let mut cursor: Option<String> = None;
    while let Some(missing) = wanted.checked_sub(runs.len()).filter(|missing| *missing > 0) {
        let mut path = format!("/v1/runs?limit={}", missing.min(PAGE_ROWS_MAX));
        if let Some(cursor) = &cursor {
            path.push_str(&format!("&cursor={}", encoded(cursor)));
        }
        let page: Envelope<Vec<Listed>> = client.get(&path).map_err(|failure| failure.into_exit(&client))?;
        let was_empty = page.data.is_empty();
        runs.extend(page.data);
        cursor = page.metadata.next_cursor;
        if cursor.is_none() || was_empty {
            break;
        }
    }
    if output.is_json() {
        return output.json(&runs);
    }
    if runs.is_empty() {
        return output.line("no runs yet; `stepwell send <event>` starts those that the event triggers");
    }
    output.lines(table(&runs, output.colors()))
}

fn table(runs: &[Listed], paint: Paint) -> Vec<String> {
    let heading = ["RUN", "STARTED", "STATUS", "TOOK", "FUNCTION"].map(ToOwned::to_owned).to_vec();
    let rows = runs.iter().map(|run| {
        let took = run.ended_at_ms.map(|end| span(end.saturating_sub(run.started_at_ms)));
        vec![
            clip(&run.run_id, SLUG_CHARACTERS_MAX),
            moment(run.started_at_ms),
            clip(&run.status, SLUG_CHARACTERS_MAX),
            took.unwrap_or_default(),
            clip(&run.function_id, SLUG_CHARACTERS_MAX),
        ]
    });
    let lines = cells(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    let statuses = std::iter::once("").chain(runs.iter().map(|run| run.status.as_str()));
    let colored = |(line, status): (String, &str)| match status {
        "" => paint.dim(&line),
        "Failed" => paint.red(&line),
        "Cancelled" | "Skipped" => paint.dim(&line),
        "Completed" => line,
        _ => paint.yellow(&line),
    };
    lines.into_iter().zip(statuses).map(colored).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_stand_in_columns() {
        let run = |id: &str, status: &str, ended_at_ms| Listed {
            run_id: id.to_owned(),
            function_id: "shop-order".to_owned(),
            event_id: None,
            status: status.to_owned(),
            started_at_ms: 1_700_000_000_000,
            ended_at_ms,
        };
        let lines =
            table(&[run("01B", "Running", None), run("01A", "Completed", Some(1_700_000_001_500))], Paint::Plain);
        assert_eq!(
            lines,
            [
                "RUN  STARTED               STATUS     TOOK   FUNCTION",
                "01B  2023-11-14T22:13:20Z  Running           shop-order",
                "01A  2023-11-14T22:13:20Z  Completed  1.5 s  shop-order",
            ]
        );
    }
}
