//! What `POST /fn/sync` takes and answers.

use serde::{Deserialize, Serialize};

/// Which apps are to say what functions they have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SyncRequest {
    /// The one at this URL, known or not; every known app where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Of the known apps, only those whose last sync failed.
    pub only_failed: bool,
}

/// What became of it, app by app.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SyncReport {
    /// Those that were asked.
    pub apps: Vec<SyncedApp>,
}

/// What became of one app's sync.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SyncedApp {
    /// Its serve URL.
    pub url: String,
    /// Its name, where it is known.
    pub app: Option<String>,
    /// It said what it has, and that is valid.
    pub ok: bool,
    /// Something is new; unknown where the sync failed.
    pub modified: Option<bool>,
    /// How many functions it has, where the server says so.
    #[serde(default)]
    pub function_count: Option<u64>,
    /// Why the sync failed.
    pub error: Option<SyncError>,
}

/// Why a sync failed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct SyncError {
    /// Stable (SERVER §5.3).
    pub code: String,
    /// The sentence.
    pub message: String,
}
