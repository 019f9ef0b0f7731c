//! `stepwell send`

use super::client::{ServerClient, ServerFlags};
use super::{Ended, Global, color, output, run};
use crate::config::ConfigError;
use anyhow::Context as _;
use clap::Args;
use serde_json::{Map, Value, json};
use std::io::Read as _;
use std::time::{Duration, Instant};

/// How long --wait waits for the event to start a run.
const START_TIME_MAX: Duration = Duration::from_secs(10);
/// How often it looks: events have no news to wait for.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// Sends an event, and says which runs came of it where it is asked to wait.
#[derive(Args)]
pub struct Send {
    /// The event's name, such as shop/order.placed
    event: String,

    /// Its data: a JSON object, @FILE, or - for standard input
    #[arg(short, long, default_value = "{}", value_name = "JSON")]
    data: String,

    /// The user it is about: a JSON object
    #[arg(long, value_name = "JSON")]
    user: Option<String>,

    /// Its own id: an event that comes twice with the same id within a day starts nothing the second time
    #[arg(long)]
    id: Option<String>,

    /// The event key, where the server wants one
    #[arg(long, env = "STEPWELL_EVENT_KEY", default_value = "dev", hide_env_values = true, value_name = "KEY")]
    event_key: String,

    /// Follow the runs that it starts until they are over
    #[arg(short, long)]
    wait: bool,

    #[command(flatten)]
    server: ServerFlags,
}

impl Send {
    /// Sends the event.
    ///
    /// # Errors
    /// Data that is no object, no server, a refusal.
    pub async fn execute(self, global: &Global) -> anyhow::Result<Ended> {
        let mut event = Map::new();
        event.insert("name".to_owned(), json!(self.event));
        event.insert("data".to_owned(), object("--data", &text(&self.data)?)?);
        if let Some(user) = &self.user {
            event.insert("user".to_owned(), object("--user", user)?);
        }
        if let Some(id) = self.id {
            event.insert("id".to_owned(), json!(id));
        }
        let client = self.server.client();
        let answer = client.ask("POST", &format!("/e/{}", self.event_key), &Value::Object(event).to_string()).await?;
        let id = answer.pointer("/ids/0").and_then(Value::as_str).context("the server's answer has no event id")?;
        if !self.wait {
            output::line(&if global.json { answer.to_string() } else { format!("sent {id}") });
            return Ok(Ended::Well);
        }
        if !global.json {
            output::line(&format!("sent {id}"));
        }
        follow_runs(&client, id, global).await
    }
}

async fn follow_runs(client: &ServerClient, event: &str, global: &Global) -> anyhow::Result<Ended> {
    let runs = started(client, event).await?;
    if runs.is_empty() {
        anyhow::bail!(
            "no function was started within {} s: no app has one for this event, or its `if` said no",
            START_TIME_MAX.as_secs()
        );
    }
    let mut ended = Ended::Well;
    for run in &runs {
        if run::follow(client, run, color(global), global.json).await? == Ended::Badly {
            ended = Ended::Badly;
        }
    }
    Ok(ended)
}

async fn started(client: &ServerClient, event: &str) -> anyhow::Result<Vec<String>> {
    let began = Instant::now();
    loop {
        let answer = client.ask("GET", &format!("/v1/events/{event}/runs"), "").await?;
        let runs: Vec<String> = answer
            .get("data")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|run| run.get("run_id").unwrap_or(run).as_str().map(str::to_owned))
            .collect();
        if !runs.is_empty() || began.elapsed() > START_TIME_MAX {
            return Ok(runs);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
    }
}

fn text(data: &str) -> anyhow::Result<String> {
    if data == "-" {
        let mut read = String::new();
        std::io::stdin().read_to_string(&mut read).context("cannot read standard input")?;
        return Ok(read);
    }
    match data.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).with_context(|| format!("cannot read {path}")),
        None => Ok(data.to_owned()),
    }
}

fn object(flag: &str, text: &str) -> anyhow::Result<Value> {
    match serde_json::from_str(text) {
        Ok(Value::Object(members)) => Ok(Value::Object(members)),
        Ok(_) => Err(ConfigError(format!("{flag} must be a JSON object, such as {{\"id\":7}}")).into()),
        Err(cause) => Err(ConfigError(format!("{flag} is not JSON: {cause}")).into()),
    }
}
