//! `stepwell run`

use super::client::{ServerClient, ServerFlags};
use super::timeline::{Paint, Timeline};
use super::{Ended, Global, color, output};
use crate::clock;
use clap::Args;
use serde_json::Value;
use std::io::IsTerminal as _;

/// How long one request waits for news.
const WAIT_MS: u64 = 20_000;

/// Shows a run as it went: its steps, their attempts, retries, sleeps, and its result.
#[derive(Args)]
pub struct Run {
    /// The run's id
    run: String,

    /// Draw it as it happens, until it is over; the exit code is 1 where it did not complete
    #[arg(short, long)]
    follow: bool,

    #[command(flatten)]
    server: ServerFlags,
}

impl Run {
    /// Shows the run.
    ///
    /// # Errors
    /// No server, no such run.
    pub async fn execute(self, global: &Global) -> anyhow::Result<Ended> {
        let client = self.server.client();
        if self.follow {
            return follow(&client, &self.run, color(global), global.json).await;
        }
        let answer = client.ask("GET", &format!("/v1/runs/{}/timeline", self.run), "").await?;
        if global.json {
            output::line(&answer.to_string());
        } else {
            output::part(&Timeline::of(&answer).draw(Paint(color(global)), clock::now_ms()));
        }
        Ok(Ended::Well)
    }
}

/// Draws a run until it is over. On a terminal the drawing is renewed in place; elsewhere each state is told line by line.
///
/// # Errors
/// No server, no such run.
pub async fn follow(client: &ServerClient, run: &str, colored: bool, json: bool) -> anyhow::Result<Ended> {
    let renew = !json && std::io::stdout().is_terminal();
    let mut path = format!("/v1/runs/{run}/timeline");
    let mut drawn_lines = 0;
    loop {
        let answer: Value = client.ask("GET", &path, "").await?;
        let timeline = Timeline::of(&answer);
        let is_over = timeline.is_over();
        if renew {
            let drawing = timeline.draw(Paint(colored), clock::now_ms());
            output::part(&format!("{}{drawing}", up_and_clear(drawn_lines)));
            drawn_lines = drawing.lines().count();
        } else if json {
            output::line(&answer.to_string());
        } else if is_over {
            output::part(&timeline.draw(Paint(colored), clock::now_ms()));
        }
        if is_over {
            return Ok(if timeline.is_completed() { Ended::Well } else { Ended::Badly });
        }
        path = format!("/v1/runs/{run}/timeline?after={}&wait_ms={WAIT_MS}", timeline.journal_rows);
    }
}

/// Back to the first line of the last drawing, which is wiped.
fn up_and_clear(lines: usize) -> String {
    if lines == 0 { String::new() } else { format!("\x1b[{lines}A\x1b[J") }
}
