//! `/v0/runs`: what an SDK fetches when a call could not carry it (PROTOCOL §3.8). Bare JSON, no envelope.

use super::Response;
use super::endpoint::{AskOnce, Opened};
use super::runs::address;
use crate::run::message::Ask;

/// `GET /v0/runs/{id}/actions`: the memoized steps.
pub(super) fn actions(run: &str) -> Opened {
    AskOnce::open(address(run)?, &Ask::Actions, |_, steps| Ok(Response::json(200, &steps)))
}

/// `GET /v0/runs/{id}/batch`: the triggering events.
pub(super) fn batch(run: &str) -> Opened {
    AskOnce::open(address(run)?, &Ask::Batch, |_, events| Ok(Response::json(200, &events)))
}
