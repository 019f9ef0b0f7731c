//! Apps are made known and kept known: those whose URLs were given, those on this machine that are found by looking for
//! them, and again and again those that are known (PROTOCOL §1.9, SERVER §5.3).

mod changes;
mod probe;
mod report;
#[cfg(test)]
mod tests;

pub use probe::Search;
pub use report::{SyncReport, SyncRequest, SyncedApp};

use changes::Changes;
use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;

/// From one look to the next while an app that should be there is not: the time it takes a newcomer to wonder.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// Which apps to keep known, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Serve URLs to sync until each has answered.
    pub sdk_urls: Vec<String>,
    /// Where to look for an app; `None` does not look. Nothing is looked for where URLs are given.
    pub search: Option<Search>,
    /// Known apps are asked again; otherwise only those whose last sync failed.
    pub poll: bool,
    /// From one poll to the next.
    pub poll_interval: Duration,
}

/// Keeps apps known for as long as it is polled; never returns. `sync` performs a `POST /fn/sync`; it fails with a sentence where the server
/// itself could not.
pub async fn keep_synced<S, F>(options: Options, sync: S)
where
    S: Fn(SyncRequest) -> F,
    F: Future<Output = Result<SyncReport, String>>,
{
    let mut keeper = Keeper {
        awaited: options.sdk_urls.iter().cloned().collect(),
        search: options.search.filter(|_| options.sdk_urls.is_empty()),
        sync,
        changes: Changes::default(),
    };
    loop {
        keeper.sync_awaited().await;
        keeper.sync_known(!options.poll).await;
        keeper.look().await;
        tokio::time::sleep(keeper.pause(options.poll_interval)).await;
    }
}

struct Keeper<S> {
    /// URLs that have not answered well yet.
    awaited: BTreeSet<String>,
    /// `None` once an app is known.
    search: Option<Search>,
    sync: S,
    changes: Changes,
}

impl<S, F> Keeper<S>
where
    S: Fn(SyncRequest) -> F,
    F: Future<Output = Result<SyncReport, String>>,
{
    async fn sync_awaited(&mut self) {
        for url in self.awaited.clone() {
            if self.ask(SyncRequest { url: Some(url.clone()), only_failed: false }).await {
                self.awaited.remove(&url);
            }
        }
    }

    async fn sync_known(&mut self, only_failed: bool) {
        if self.ask(SyncRequest { url: None, only_failed }).await {
            self.search = None;
        }
    }

    async fn look(&mut self) {
        let Some(search) = &self.search else { return };
        let Some(url) = search.find_app().await else { return };
        tracing::info!(%url, "found an app");
        if self.ask(SyncRequest { url: Some(url), only_failed: false }).await {
            self.search = None;
        }
    }

    /// Syncs, and says what has changed by it; whether an app is well.
    async fn ask(&mut self, request: SyncRequest) -> bool {
        match (self.sync)(request).await {
            Ok(report) => {
                for app in &report.apps {
                    if let Some(change) = self.changes.note(app) {
                        change.log(app);
                    }
                }
                report.apps.iter().any(|app| app.ok)
            }
            Err(why) => {
                if self.changes.note_failure(&why) {
                    tracing::warn!("apps cannot be asked to sync: {why}");
                }
                false
            }
        }
    }

    fn pause(&self, poll_interval: Duration) -> Duration {
        let waits_for_someone = self.search.is_some() || !self.awaited.is_empty();
        if waits_for_someone { poll_interval.min(IMPATIENCE) } else { poll_interval }
    }
}
