//! An app as of its newest sync.

use crate::ids::{AppId, Millis};
use serde::{Deserialize, Serialize};

/// An app as of its newest sync.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its name.
    pub id: AppId,
    /// Its serve endpoint.
    pub url: String,
    /// `js:v4.24.0`, say.
    pub sdk: String,
    /// `express`, say.
    pub framework: String,
    /// When it last changed.
    pub synced_at: Millis,
    /// Of the payload of the newest sync: the same again changes nothing.
    #[serde(default)]
    pub checksum: String,
    /// The deploy that the newest sync belongs to, as the app named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deploy_id: Option<String>,
    /// Why the newest attempt to sync failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SyncError>,
    /// It was removed; a sync brings it back.
    #[serde(default)]
    pub archived: bool,
}

/// Why a sync failed (PROTOCOL §1.9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncError {
    /// A stable code.
    pub code: String,
    /// The sentence.
    pub message: String,
}

impl SyncError {
    /// An error with this code and sentence.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}
