//! `stepwell runs`

use super::client::{ServerClient, ServerFlags};
use super::timeline::{Paint, ago, span};
use super::{Ended, Global, color, output};
use crate::clock;
use clap::Args;
use serde_json::Value;
use std::time::Duration;

/// How often --watch asks again.
const WATCH_INTERVAL: Duration = Duration::from_secs(1);

/// Lists runs, the newest first.
#[derive(Args)]
pub struct Runs {
    /// At most so many, up to 100
    #[arg(short = 'n', long, default_value_t = 20)]
    limit: u32,

    /// Draw the list anew each second
    #[arg(short, long)]
    watch: bool,

    #[command(flatten)]
    server: ServerFlags,
}

impl Runs {
    /// Lists the runs.
    ///
    /// # Errors
    /// No server, a refusal.
    pub async fn execute(self, global: &Global) -> anyhow::Result<Ended> {
        let client = self.server.clone().client();
        loop {
            let answer = self.list(&client).await?;
            if global.json {
                output::line(&answer.to_string());
            } else {
                let clear = if self.watch { "\x1b[2J\x1b[H" } else { "" };
                output::line(&format!("{clear}{}", table(&answer, Paint(color(global)), clock::now_ms())));
            }
            if !self.watch {
                return Ok(Ended::Well);
            }
            tokio::time::sleep(WATCH_INTERVAL).await;
        }
    }

    async fn list(&self, client: &ServerClient) -> anyhow::Result<Value> {
        client.ask("GET", &format!("/v1/runs?limit={}", self.limit), "").await
    }
}

fn table(answer: &Value, paint: Paint, now_ms: u64) -> String {
    let runs = answer.get("data").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if runs.is_empty() {
        return "no runs yet; `stepwell send <event>` starts one".to_owned();
    }
    let text = |run: &Value, name: &str| run.get(name).and_then(Value::as_str).unwrap_or("?").to_owned();
    let number = |run: &Value, name: &str| run.get(name).and_then(Value::as_u64);
    let wide = runs.iter().map(|run| text(run, "function_id").chars().count()).max().unwrap_or(0);
    let lines = runs.iter().map(|run| {
        let began = number(run, "started_at_ms");
        let took = began.map(|began| span(number(run, "ended_at_ms").unwrap_or(now_ms).saturating_sub(began)));
        format!(
            "{}  {}  {:wide$}  {}  {}",
            paint.dim(&format!("{:>14}", began.map_or_else(String::new, |began| ago(began, now_ms)))),
            text(run, "run_id"),
            text(run, "function_id"),
            paint.status(&format!("{:9}", text(run, "status"))),
            took.unwrap_or_default(),
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_run_is_a_line_with_its_function_status_and_time() {
        let answer = json!({ "data": [
            { "run_id": "01B", "function_id": "shop-pay", "status": "Running", "started_at_ms": 1_000 },
            { "run_id": "01A", "function_id": "shop-a", "status": "Completed", "started_at_ms": 0, "ended_at_ms": 1_500 },
        ]});
        let table = table(&answer, Paint(false), 3_000);
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.len(), 2);
        assert!(lines[0].contains("01B  shop-pay  Running    2.0 s"), "{table}");
        assert!(lines[1].contains("01A  shop-a    Completed  1.5 s"), "{table}");
    }

    #[test]
    fn no_runs_say_what_to_do() {
        assert!(table(&json!({ "data": [] }), Paint(true), 0).contains("stepwell send"));
    }
}
