//! `stepwell sync`

use super::client::ServerFlags;
use super::{Ended, Global, output};
use clap::Args;
use serde_json::json;

/// Asks an app for its functions, now.
#[derive(Args)]
pub struct Sync {
    /// Where the app serves its functions, such as http://localhost:3000/api/inngest
    url: String,
    #[command(flatten)]
    server: ServerFlags,
}

impl Sync {
    /// Asks the server to sync.
    ///
    /// # Errors
    /// No server, or an app that cannot be synced.
    pub async fn execute(self, global: &Global) -> anyhow::Result<Ended> {
        let url = if self.url.contains("://") { self.url } else { format!("http://{}", self.url) };
        let answer = self.server.client().ask("POST", "/fn/sync", &json!({ "url": url }).to_string()).await?;
        output::line(&if global.json { answer.to_string() } else { format!("synced {url}") });
        Ok(Ended::Well)
    }
}
