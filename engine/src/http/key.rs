//! Who may ask: signing keys for the API, event keys for events (PROTOCOL §2.4, §2.6, SERVER §4.0).

use super::endpoint::Opening;
use crate::error::{Code, Refusal};
use crate::signing::bearer_matches;
use subtle::ConstantTimeEq;

/// Needs a signing key, where the server has any and is not a dev server.
pub(super) fn signing(opening: &Opening<'_>) -> Result<(), Refusal> {
    let open = !opening.settings.cloud || opening.settings.signing_keys.is_empty();
    if open || bearer_matches(&opening.settings.signing_keys, opening.request.header("authorization")) {
        return Ok(());
    }
    Err(Refusal::new(
        Code::AuthenticationFailed,
        "Authentication failed: send `Authorization: Bearer <signing key, or its hash>`; the SDK does so with the key in \
         INNGEST_SIGNING_KEY, which must be one of this server's",
    ))
}

/// Needs one of the server's event keys, or any key where it has none.
pub(super) fn event(opening: &Opening<'_>, key: &str) -> Result<(), Refusal> {
    let keys = &opening.settings.event_keys;
    let known = if keys.is_empty() {
        !key.is_empty()
    } else {
        // Every key is compared, so that the time tells nothing.
        keys.iter().fold(false, |known, held| known | bool::from(held.as_bytes().ct_eq(key.as_bytes())))
    };
    if known {
        return Ok(());
    }
    Err(Refusal::new(
        Code::EventKeyUnknown,
        "post to /e/<event key>, with one of this server's event keys; SDKs take it from INNGEST_EVENT_KEY",
    ))
}
