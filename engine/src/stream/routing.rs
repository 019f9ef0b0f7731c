//! Which functions an event starts.

use crate::catalog::Catalog;
use crate::error::Fault;
use crate::ids::{FunctionId, Millis, uuid_of};
use crate::run::invoke::{self, INVOKED};
use crate::run::message::Returned;
use crate::trigger::{self, Matches};
use crate::turn::Done;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The functions that start, each once however many of its triggers match (SERVER §1.4).
pub(super) fn started_by<'a>(catalog: &'a Catalog, name: &str, event: &RawValue, now: Millis) -> Matches<'a> {
    if name == INVOKED {
        return invoked(catalog, event);
    }
    trigger::started_by(catalog, name, event, now)
}

/// The function that the event names by slug or UUID (PROTOCOL §4.7); its own triggers are not asked (SERVER §1.8).
fn invoked<'a>(catalog: &'a Catalog, event: &RawValue) -> Matches<'a> {
    let Ok(Invoked { data: Data { marker: Marker { fn_id } } }) = serde_json::from_str(event.get()) else {
        return Matches::default();
    };
    let fn_id = FunctionId(fn_id);
    let by_uuid = || catalog.functions.values().find(|function| uuid_of(function.id.as_str()) == fn_id.as_str());
    match catalog.function(&fn_id).or_else(by_uuid).filter(|function| !function.archived) {
        Some(function) => Matches { started: vec![function], failed: Vec::new() },
        None => {
            let reason = format!("could not find function with ID: {fn_id}");
            Matches { started: Vec::new(), failed: vec![(fn_id, reason)] }
        }
    }
}

/// The function whose schedule came due, unless it is gone since.
pub(super) fn scheduled<'a>(catalog: &'a Catalog, function: &FunctionId) -> Matches<'a> {
    match catalog.function(function).filter(|function| !function.archived) {
        Some(function) => Matches { started: vec![function], failed: Vec::new() },
        None => {
            let reason = "the function is no longer registered".to_owned();
            Matches { started: Vec::new(), failed: vec![(function.clone(), reason)] }
        }
    }
}

/// Tells whoever invoked a function that there is none to start: it would wait for nothing (PROTOCOL §7.4).
pub(super) fn answer_invoker(event: &RawValue, failed: &[(FunctionId, String)], done: &mut Done) -> Result<(), Fault> {
    let Some((_, message)) = failed.first() else { return Ok(()) };
    let error = NotFound { message, name: "Error" };
    let error = serde_json::value::to_raw_value(&error).map_err(|e| Fault::new("answer to an invoker", e))?;
    invoke::answer(event, None, Returned::Error(error), done)
}

#[derive(Serialize)]
struct NotFound<'a> {
    message: &'a str,
    name: &'a str,
}

#[derive(Deserialize)]
struct Invoked {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "_inngest")]
    marker: Marker,
}

#[derive(Deserialize)]
struct Marker {
    fn_id: String,
}
