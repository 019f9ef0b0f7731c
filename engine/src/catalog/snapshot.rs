//! The read-only snapshot that turns decide by.

use super::Function;
use crate::error::Fault;
use crate::ids::{AppId, FunctionId, Millis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

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
}

/// All apps and functions, at one version.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// 0 before the first sync.
    pub version: u64,
    /// Apps by name.
    pub apps: BTreeMap<AppId, App>,
    /// Functions by slug, archived ones among them.
    pub functions: BTreeMap<FunctionId, Function>,
}

impl Catalog {
    /// Reads what [`Catalog::encode`] wrote.
    ///
    /// # Errors
    /// Anything else.
    pub fn decode(snapshot: &[u8]) -> Result<Self, Fault> {
        serde_json::from_slice(snapshot).map_err(|e| Fault::new("catalog snapshot", e))
    }

    /// The snapshot as bytes.
    ///
    /// # Errors
    /// None in practice; JSON's in principle.
    pub fn encode(&self) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(self).map_err(|e| Fault::new("catalog snapshot", e))
    }

    /// The function with this slug, archived or not.
    #[must_use]
    pub fn function(&self, id: &FunctionId) -> Option<&Function> {
        self.functions.get(id)
    }
}
