//! What a person reads when the server is up.

use super::output;
use crate::config::{Config, Data};
use crate::wit::ServerKind;
use std::io::IsTerminal as _;

/// Tells where the server is and what to do next; only to people.
pub fn show(config: &Config, url: &str, quiet: bool) {
    if !quiet && std::io::stdout().is_terminal() {
        output::line(&text(config, url));
    }
}

fn text(config: &Config, url: &str) -> String {
    let kept = match &config.data {
        Data::Memory => "in memory: gone when this stops".to_owned(),
        Data::Folder(folder) => format!("in {}", folder.join("stepwell.db").display()),
    };
    let apps = match (config.sdk_urls.as_slice(), config.discovery) {
        ([], true) => "looking for them on this machine".to_owned(),
        ([], false) => "none named; give -u <URL of your app>/api/inngest".to_owned(),
        (urls, _) => urls.join(", "),
    };
    let next = if config.kind == ServerKind::Dev {
        format!("INNGEST_DEV={url} <start your app>")
    } else {
        format!("INNGEST_BASE_URL={url} INNGEST_SIGNING_KEY=… INNGEST_EVENT_KEY=… <start your app>")
    };
    format!(
        "\n  stepwell {version}   {url}\n\n  apps    {apps}\n  data    {kept}\n  next    {next}\n          stepwell send <event> --wait\n\n  Ctrl-C stops it; what was acknowledged is kept.\n",
        version = env!("CARGO_PKG_VERSION"),
    )
}
