//! The request that asks an app to sync.

use crate::error::Fault;
use crate::limits::{ANSWER_BYTES_MAX, SYNC_REDIRECTS_MAX, SYNC_TIME_MAX};
use crate::signing::{self, SIGNATURE_HEADER};
use crate::turn::{AppCall, CallKind, Turn};
use serde_json::json;

/// A `PUT` of the app's own address (PROTOCOL §1.3), in-band and signed where there is a key (PROTOCOL §1.10).
///
/// # Errors
/// None in practice; those of signing in principle.
pub(in crate::catalog) fn call(turn: &Turn<'_>, id: String, url: &str) -> Result<AppCall, Fault> {
    let body = signing::canonical(json!({ "url": url }).to_string().as_bytes())?;
    let signing_key = turn.settings.signing_keys.first();
    let server_kind = if turn.settings.cloud { "cloud" } else { "dev" };
    let sync_kind = if signing_key.is_some() { "in_band" } else { "out_of_band" };
    let mut headers = vec![
        ("content-type".into(), "application/json".to_owned()),
        ("user-agent".into(), "Inngest".to_owned()),
        ("x-inngest-server-kind".into(), server_kind.to_owned()),
        ("x-inngest-sync-kind".into(), sync_kind.to_owned()),
    ];
    if let Some(key) = signing_key {
        headers.push((SIGNATURE_HEADER.into(), signing::sign(key, &body, turn.now)?));
    }
    Ok(AppCall {
        id,
        kind: CallKind::App,
        method: "PUT".into(),
        url: url.to_owned(),
        headers,
        body,
        time_max: SYNC_TIME_MAX,
        answer_bytes_max: ANSWER_BYTES_MAX,
        redirects_max: SYNC_REDIRECTS_MAX,
    })
}
