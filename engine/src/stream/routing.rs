//! Which functions an event starts.

use crate::catalog::{Catalog, Function};
use crate::ids::{FunctionId, Millis, uuid_of};
use crate::trigger::{self, Matches};
use serde::Deserialize;
use serde_json::value::RawValue;

const INVOKED: &str = "inngest/function.invoked";

/// The functions that start, each once however many of its triggers match (SERVER §1.4).
pub(super) fn started_by<'a>(catalog: &'a Catalog, name: &str, event: &RawValue, now: Millis) -> Matches<'a> {
    if name == INVOKED {
        return Matches { started: invoked(catalog, event).into_iter().collect(), failed: Vec::new() };
    }
    trigger::started_by(catalog, name, event, now)
}

/// The function that the event names by slug or UUID (PROTOCOL §4.7); its own triggers are not asked (SERVER §1.8).
fn invoked<'a>(catalog: &'a Catalog, event: &RawValue) -> Option<&'a Function> {
    let event: Invoked = serde_json::from_str(event.get()).ok()?;
    let name = event.data.marker.fn_id;
    let slug = catalog.function(&FunctionId(name.clone()));
    let function = slug.or_else(|| catalog.functions.values().find(|function| uuid_of(function.id.as_str()) == name));
    function.filter(|function| !function.archived)
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
