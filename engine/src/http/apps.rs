//! `/v1/apps`.

use super::Response;
use super::endpoint::{AskOnce, Opened};
use crate::catalog::message::Ask;
use crate::turn::Address;

/// `GET /v1/apps/{app}/functions`: a bare array (PROTOCOL §10.3).
pub(super) fn functions(app: &str) -> Opened {
    let ask = Ask::Functions { app: app.to_owned() };
    AskOnce::open(Address::catalog(), &ask, |_, functions| Ok(Response::json(200, &functions)))
}
