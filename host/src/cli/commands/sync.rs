//! `stepwell sync <url>`

use crate::cli::client::{Client, encoded};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::config::{ClientOptions, http_url};
use crate::discovery::{SyncReport, SyncRequest, SyncedApp};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;

pub const EXAMPLES: &str = "\
Examples:
  stepwell sync http://localhost:3000/api/inngest
  stepwell sync https://app.example.com/api/inngest --server https://stepwell.example.com

The server asks the app at this address what functions it has; do so after each deploy. `stepwell dev` does it by itself.";

/// How long the server may take to ask the app (SERVER §5.3 gives a ping 10 s, and a first compilation may take longer).
const APP_TIME_MAX: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The app's serve URL
    url: String,
}

#[derive(Deserialize)]
struct Function {
    name: Option<String>,
    slug: Option<String>,
}

pub fn run(args: Args, options: ClientOptions, output: &Output) -> Result<(), Exit> {
    let url = http_url("the URL", &args.url)?;
    let client = Client::new(options)?;
    let body = serde_json::to_vec(&SyncRequest { url: Some(url.clone()), only_failed: false })
        .map_err(|e| Exit::failed(format!("no request can be made of it: {e}")))?;
    let answer: Box<RawValue> =
        client.post("/fn/sync", body, APP_TIME_MAX).map_err(|failure| failure.into_exit(&client))?;
    let report: SyncReport = serde_json::from_str(answer.get())
        .map_err(|e| Exit::failed(format!("{} answered something else than expected: {e}", client.server())))?;
    if output.is_json() {
        output.json(&answer)?;
    }
    match report.apps.iter().find(|app| !app.ok) {
        Some(failed) => Err(refused(failed, &url)),
        None if report.apps.is_empty() => Err(Exit::failed(format!("the server did not ask {url}"))),
        None if output.is_json() => Ok(()),
        None => report.apps.iter().try_for_each(|app| show(app, &client, output)),
    }
}

fn show(app: &SyncedApp, client: &Client, output: &Output) -> Result<(), Exit> {
    let paint = output.colors();
    let name = app.app.as_deref().unwrap_or("the app");
    let news = if app.modified == Some(false) { "nothing new" } else { "new or changed" };
    output.line(&format!("{} {name} is synced from {} ({news})", paint.green("✓"), app.url))?;
    // What it has is a courtesy; that the sync worked is known without.
    let functions: Vec<Function> = app
        .app
        .as_deref()
        .and_then(|app| client.get(&format!("/v1/apps/{}/functions", encoded(app))).ok())
        .unwrap_or_default();
    output.lines(functions.iter().filter_map(|function| {
        let slug = function.slug.as_deref()?;
        let name = function.name.as_deref().filter(|name| *name != slug);
        Some(name.map_or_else(|| format!("  {slug}"), |name| format!("  {slug}  {}", paint.dim(name))))
    }))
}

fn refused(app: &SyncedApp, url: &str) -> Exit {
    let (code, message) = app.error.as_ref().map_or(("sync_failed", ""), |error| (&error.code, &error.message));
    let hint = match code {
        "unreachable" => Some(format!("is the app running, and can the server reach {url}?")),
        "url_not_found" => {
            Some("the app answers, but serves no functions there; the path is often /api/inngest".to_owned())
        }
        _ => None,
    };
    Exit::Failed { message: format!("{url} was not synced: {code}: {message}"), hint }
}
