//! `stepwell dev`

use super::{Ended, Global, banner};
use crate::config::{Config, DevFlags, Layers, ServeFlags};
use crate::serve;
use crate::wit::ServerKind;
use clap::Args;
use std::future::Future;

/// Serves apps on this machine: no keys needed, apps are found by themselves.
///
/// Point your app at it with INNGEST_DEV=1, or INNGEST_DEV=http://127.0.0.1:8288. What is stored lies in .stepwell/ and
/// survives restarts; --in-memory stores nothing.
#[derive(Args)]
pub struct Dev {
    #[command(flatten)]
    serve: ServeFlags,
    #[command(flatten)]
    dev: DevFlags,
}

impl Dev {
    /// Serves until it is told to stop.
    pub fn execute(self, global: &Global) -> impl Future<Output = anyhow::Result<Ended>> + Send + 'static {
        let quiet = global.json;
        async move {
            let layers = Layers::of_process(self.serve.config.as_deref())?;
            let config = Config::resolve(ServerKind::Dev, self.serve, self.dev, &layers)?;
            let shown = config.clone();
            serve::run(config, move |url| banner::show(&shown, url, quiet)).await?;
            Ok(Ended::Well)
        }
    }
}
