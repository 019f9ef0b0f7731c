//! `stepwell cancel`

use super::client::ServerFlags;
use super::{Ended, Global, output};
use clap::Args;

/// Stops a run; steps that are at work in the app end there, but nothing follows them.
#[derive(Args)]
pub struct Cancel {
    /// The run's id
    run: String,
    #[command(flatten)]
    server: ServerFlags,
}

impl Cancel {
    /// Asks the server to cancel.
    ///
    /// # Errors
    /// No server, no such run.
    pub async fn execute(self, global: &Global) -> anyhow::Result<Ended> {
        self.server.client().ask("DELETE", &format!("/v1/runs/{}", self.run), "").await?;
        output::line(&if global.json {
            serde_json::json!({ "cancelled": self.run }).to_string()
        } else {
            format!("cancelled {}", self.run)
        });
        Ok(Ended::Well)
    }
}
