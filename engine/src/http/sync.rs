//! `/fn`: apps tell what functions they have, or are asked to.

use super::Response;
use super::endpoint::{AskOnce, Opened, Opening};
use super::response::kind;
use crate::catalog::message::Ask;
use crate::error::{Code, Refusal};
use crate::turn::Address;
use serde::Deserialize;
use serde_json::value::RawValue;

/// `POST /fn/register` (PROTOCOL §1.4, §1.6). What the app says is for the catalog to judge.
pub(super) fn register(opening: &Opening<'_>) -> Opened {
    expected_kind(opening)?;
    let body = object(&opening.request.body)?;
    let ask = Ask::Register { body, deploy_id: opening.request.parameter("deployId") };
    AskOnce::open(Address::catalog(), &ask, |_, answer| Ok(Response::json(200, &answer)))
}

/// `DELETE /fn/remove?url=` (PROTOCOL §10.5).
pub(super) fn remove(opening: &Opening<'_>) -> Opened {
    let Some(url) = opening.request.parameter("url") else {
        return Err(Refusal::new(Code::ParameterInvalid, "say which app: /fn/remove?url=<the app's serve URL>"));
    };
    AskOnce::open(Address::catalog(), &Ask::RemoveUrl { url }, |_, answer| Ok(Response::json(200, &answer)))
}

/// `POST /fn/sync`: the server asks apps to sync, one by its URL, or all, or those whose last sync failed.
pub(super) fn sync(opening: &Opening<'_>) -> Opened {
    let wanted = match opening.request.body.trim_ascii() {
        b"" => Wanted::default(),
        body => serde_json::from_slice(body)
            .map_err(|e| invalid(format!("send {{\"url\"?:string,\"only_failed\"?:boolean}}: {e}")))?,
    };
    let ask = Ask::Sync { url: wanted.url, only_failed: wanted.only_failed };
    AskOnce::open(Address::catalog(), &ask, |_, answer| Ok(Response::json(200, &answer)))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    url: Option<String>,
    only_failed: bool,
}

/// An SDK that expects the other kind of server must not register here (PROTOCOL §1.1, §1.3).
fn expected_kind(opening: &Opening<'_>) -> Result<(), Refusal> {
    let own = kind(opening.settings.cloud);
    match opening.request.header("x-inngest-expected-server-kind") {
        Some(expected) if !expected.is_empty() && expected != own => Err(Refusal::new(
            Code::ServerKindMismatch,
            format!(
                "Expected server kind {expected}, got {own}: the app runs in {expected} mode and this is a {own} server; \
                 set or unset INNGEST_DEV in the app, or start the server the other way"
            ),
        )),
        _ => Ok(()),
    }
}

fn object(body: &[u8]) -> Result<Box<RawValue>, Refusal> {
    let value: Box<RawValue> = serde_json::from_slice(body).map_err(|e| invalid(format!("Invalid request: {e}")))?;
    if value.get().starts_with('{') {
        return Ok(value);
    }
    Err(invalid("Invalid request: the body must be a JSON object".to_owned()))
}

fn invalid(message: String) -> Refusal {
    Refusal::new(Code::BodyInvalid, message)
}
