//! What the catalog is asked. Stands in for `crate::catalog::message::Ask`: replace it by
//! `pub(super) use crate::catalog::message::Ask;`.

use serde::Serialize;
use serde_json::value::RawValue;

#[derive(Debug, Serialize)]
pub(super) enum Ask {
    Register { body: Box<RawValue>, deploy_id: Option<String> },
    RemoveUrl { url: String },
    Overview,
    Functions { app: String },
    Sync { url: Option<String>, only_failed: bool },
}
