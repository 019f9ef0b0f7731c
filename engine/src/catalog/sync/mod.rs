//! Asking apps to sync (PROTOCOL §1.9, §1.10).
//!
//! In-band, where the server has a signing key: the answer to the request carries the app's functions. Out-of-band
//! otherwise, or where the app prefers it: the app registers by a request of its own while ours is still open, and that is
//! an earlier turn of the catalog than the one that takes the answer in.
//!
//! What is waited for lives in hot memory only. A restart loses it together with whoever asked: nothing is owed then.

mod call;
mod outcome;

pub(super) use call::call;
pub(super) use outcome::{Verdict, judge};

use super::SyncError;
use super::serve_url::comparable;
use crate::ids::AppId;
use serde::Serialize;

/// The answer to [`super::message::Ask::Sync`].
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) apps: Vec<AppReport>,
}

/// How it went with one address.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AppReport {
    pub(super) url: String,
    pub(super) app: Option<AppId>,
    pub(super) ok: bool,
    pub(super) modified: Option<bool>,
    pub(super) error: Option<SyncError>,
}

impl AppReport {
    pub(super) const fn failed(url: String, app: Option<AppId>, error: SyncError) -> Self {
        Self { url, app, ok: false, modified: None, error: Some(error) }
    }
}

/// The asks that wait for apps to answer.
#[derive(Debug, Default)]
pub(super) struct Waiting(Vec<Sync>);

/// One ask.
#[derive(Debug)]
pub(super) struct Sync {
    pub(super) token: u64,
    pub(super) targets: Vec<Target>,
}

/// One address that was asked.
#[derive(Debug)]
pub(super) struct Target {
    /// The id of the call to it.
    pub(super) call: String,
    pub(super) url: String,
    /// Why its register call was refused, where it was: the app relays less than that.
    pub(super) refused: Option<SyncError>,
    pub(super) report: Option<AppReport>,
}

impl Waiting {
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn push(&mut self, sync: Sync) {
        self.0.push(sync);
    }

    /// Whether the call with this id is waited for, by any ask.
    pub(super) fn target(&self, call: &str) -> Option<&Target> {
        self.0.iter().flat_map(|sync| &sync.targets).find(|target| target.call == call && target.report.is_none())
    }

    /// Notes that an app at `url` was refused, for when its answer to our request comes.
    pub(super) fn note_refusal(&mut self, url: &str, error: &SyncError) {
        let url = comparable(url);
        for target in self.0.iter_mut().flat_map(|sync| &mut sync.targets) {
            if comparable(&target.url) == url {
                target.refused = Some(error.clone());
            }
        }
    }

    /// Takes the outcome of a call; the token and the answer of the ask that this completes, if it does.
    pub(super) fn settle(&mut self, call: &str, report: AppReport) -> Option<(u64, Report)> {
        let position = self.0.iter().position(|sync| sync.targets.iter().any(|target| target.call == call))?;
        let sync = self.0.get_mut(position)?;
        sync.targets.iter_mut().find(|target| target.call == call)?.report = Some(report);
        let apps: Option<Vec<_>> = sync.targets.iter().map(|target| target.report.clone()).collect();
        let apps = apps?;
        Some((self.0.remove(position).token, Report { apps }))
    }
}
