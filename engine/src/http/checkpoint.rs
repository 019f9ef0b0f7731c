//! `/v1/checkpoint`: an app tells of steps while its call is still running (PROTOCOL §7.12).

use super::Response;
use super::endpoint::{AskOnce, Opened, Opening};
use super::runs::address;
use crate::error::{Code, Refusal};
use crate::run::message::Ask;
use serde_json::value::RawValue;

/// `POST /v1/checkpoint/{id}/async`. The 200 has no body, and says that the steps are durable.
pub(super) fn background(opening: &Opening<'_>, run: &str) -> Opened {
    let to = address(run)?;
    let body: Box<RawValue> = serde_json::from_slice(&opening.request.body)
        .map_err(|e| Refusal::new(Code::BodyInvalid, format!("the checkpoint is not JSON: {e}")))?;
    AskOnce::open(to, &Ask::Checkpoint(body), |_, _| Ok(Response::empty(200)))
}
