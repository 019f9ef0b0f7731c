//! What is worth a log line: changes, not polls.

use super::report::SyncedApp;
use std::collections::BTreeMap;

/// Apps whose standing is remembered; beyond them (the catalog holds fewer) standing is forgotten and told again.
const APPS_REMEMBERED_MAX: usize = 2_000;

/// How each app stood when it was last asked.
#[derive(Debug, Default)]
pub struct Changes {
    apps: BTreeMap<String, Standing>,
    failure: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Well,
    Failed { code: String, message: String },
}

/// What happened to an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It was not known to be well before.
    Appeared,
    /// Its functions are other ones.
    Modified,
    /// Its sync fails, or fails of something else.
    Failed,
    /// Its sync failed and works again.
    Recovered,
}

impl Changes {
    /// Notes how an app stands; what has changed by that, if anything.
    pub fn note(&mut self, app: &SyncedApp) -> Option<Change> {
        self.failure = None;
        let standing = match (&app.error, app.ok) {
            (_, true) => Standing::Well,
            (Some(error), false) => Standing::Failed { code: error.code.clone(), message: error.message.clone() },
            (None, false) => Standing::Failed { code: "sync_failed".to_owned(), message: String::new() },
        };
        if self.apps.len() >= APPS_REMEMBERED_MAX && !self.apps.contains_key(&app.url) {
            self.apps.clear();
        }
        let change = match (self.apps.get(&app.url), &standing) {
            (None, Standing::Well) => Some(Change::Appeared),
            (Some(Standing::Failed { .. }), Standing::Well) => Some(Change::Recovered),
            (Some(Standing::Well), Standing::Well) => (app.modified == Some(true)).then_some(Change::Modified),
            (was, failed) => (was != Some(failed)).then_some(Change::Failed),
        };
        self.apps.insert(app.url.clone(), standing);
        change
    }

    /// Notes that nobody could be asked; whether that is new.
    pub fn note_failure(&mut self, why: &str) -> bool {
        let is_new = self.failure.as_deref() != Some(why);
        self.failure = Some(why.to_owned());
        is_new
    }
}

impl Change {
    /// Says it.
    pub fn log(self, app: &SyncedApp) {
        let name = app.app.as_deref().unwrap_or("an app");
        let (url, functions) = (&app.url, app.function_count);
        match self {
            Self::Appeared => tracing::info!(%url, functions, "{name} is here"),
            Self::Modified => tracing::info!(%url, functions, "{name} has other functions now"),
            Self::Recovered => tracing::info!(%url, functions, "{name} syncs again"),
            Self::Failed => {
                let (code, message) = app.error.as_ref().map_or(("sync_failed", ""), |e| (&e.code, &e.message));
                tracing::warn!(%url, code, "{name} does not sync: {message}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::SyncError;
    use super::*;

    fn well(modified: bool) -> SyncedApp {
        SyncedApp { url: "http://a".to_owned(), ok: true, modified: Some(modified), ..SyncedApp::default() }
    }

    fn failed(code: &str) -> SyncedApp {
        let error = Some(SyncError { code: code.to_owned(), message: String::new() });
        SyncedApp { url: "http://a".to_owned(), error, ..SyncedApp::default() }
    }

    #[test]
    fn only_changes_are_worth_a_line() {
        let mut changes = Changes::default();
        let told: Vec<Option<Change>> = [
            failed("unreachable"),
            failed("unreachable"),
            failed("not_found"),
            well(true),
            well(false),
            well(true),
            failed("unreachable"),
            well(false),
        ]
        .iter()
        .map(|app| changes.note(app))
        .collect();
        assert_eq!(
            told,
            [
                Some(Change::Failed),
                None,
                Some(Change::Failed),
                Some(Change::Recovered),
                None,
                Some(Change::Modified),
                Some(Change::Failed),
                Some(Change::Recovered),
            ]
        );
        assert_eq!(Changes::default().note(&well(true)), Some(Change::Appeared));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut changes = Changes::default();
        for number in 0..APPS_REMEMBERED_MAX * 3 {
            changes.note(&SyncedApp { url: number.to_string(), ok: true, ..SyncedApp::default() });
        }
        assert!(changes.apps.len() <= APPS_REMEMBERED_MAX);
    }
}
