//! `/health` and `/dev`: whether the server is well, and what it knows.

use super::Response;
use super::endpoint::{AskOnce, Opened, Opening, Respond, read};
use crate::catalog::message::Ask;
use crate::error::{Code, Refusal};
use crate::turn::Address;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// `GET /health` (PROTOCOL §8.1).
pub(super) fn health() -> Opened {
    Ok(Box::new(Respond(Response::json(200, &Health { status: 200, message: "OK" }))))
}

/// `GET /dev` (PROTOCOL §10.5, SERVER §4.1): the catalog's overview, and how the server was started.
pub(super) fn dev(opening: &Opening<'_>) -> Opened {
    let settings = opening.settings;
    let server = Server {
        version: settings.version.clone(),
        authed: settings.cloud && !settings.signing_keys.is_empty(),
        is_single_node_service: true,
        is_missing_signing_key: settings.cloud && settings.signing_keys.is_empty(),
        is_missing_event_keys: settings.cloud && settings.event_keys.is_empty(),
        start_options: BTreeMap::new(),
        features: BTreeMap::new(),
    };
    AskOnce::open(Address::catalog(), &Ask::Overview, move |_, overview| {
        let mut members: BTreeMap<String, Box<RawValue>> = read(overview)?;
        members.extend(server.members()?);
        Ok(Response::json(200, &members))
    })
}

#[derive(Serialize)]
struct Health {
    status: u16,
    message: &'static str,
}

#[derive(Serialize)]
struct Server {
    version: String,
    authed: bool,
    #[serde(rename = "isSingleNodeService")]
    is_single_node_service: bool,
    #[serde(rename = "isMissingSigningKey")]
    is_missing_signing_key: bool,
    #[serde(rename = "isMissingEventKeys")]
    is_missing_event_keys: bool,
    #[serde(rename = "startOpts")]
    start_options: BTreeMap<String, String>,
    features: BTreeMap<String, bool>,
}

impl Server {
    fn members(&self) -> Result<BTreeMap<String, Box<RawValue>>, Refusal> {
        let whole = to_raw_value(self)
            .map_err(|e| Refusal::new(Code::EngineFault, format!("the settings cannot be told: {e}")))?;
        read(&whole)
    }
}
