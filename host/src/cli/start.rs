//! `stepwell start`

use super::{Ended, Global, banner};
use crate::config::{Config, DevFlags, Layers, ServeFlags};
use crate::serve;
use crate::wit::ServerKind;
use clap::Args;
use std::future::Future;

/// Serves apps in production: a signing key and at least one event key are required.
///
/// Listens on every interface (0.0.0.0) and on exactly the port that was asked for. Start your app with the same
/// INNGEST_SIGNING_KEY, an INNGEST_EVENT_KEY and INNGEST_BASE_URL=http://<this machine>:8288.
#[derive(Args)]
pub struct Start {
    #[command(flatten)]
    serve: ServeFlags,
}

impl Start {
    /// Serves until it is told to stop.
    pub fn execute(self, global: &Global) -> impl Future<Output = anyhow::Result<Ended>> + Send + 'static {
        let quiet = global.json;
        async move {
            let layers = Layers::of_process(self.serve.config.as_deref())?;
            let config = Config::resolve(ServerKind::Cloud, self.serve, DevFlags::default(), &layers)?;
            let shown = config.clone();
            serve::run(config, move |url| banner::show(&shown, url, quiet)).await?;
            Ok(Ended::Well)
        }
    }
}
