//! Which functions an event starts.

use crate::catalog::{Catalog, Function, Trigger};
use crate::ids::{FunctionId, uuid_of};
use serde::Deserialize;
use serde_json::value::RawValue;

const INVOKED: &str = "inngest/function.invoked";

/// The functions that start, each once however many of its triggers match (SERVER §1.4).
pub(super) fn started_by<'a>(catalog: &'a Catalog, name: &str, event: &RawValue) -> Vec<&'a Function> {
    if name == INVOKED {
        return invoked(catalog, event).into_iter().collect();
    }
    triggered_by(catalog, name)
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

/// Stands in for `crate::trigger`, which also asks the expressions: names and wildcards only (SERVER §1.5).
fn triggered_by<'a>(catalog: &'a Catalog, name: &str) -> Vec<&'a Function> {
    let matches = |pattern: &str| {
        let prefix = pattern.strip_suffix("/*").map(|prefix| (prefix, '/'));
        let prefix = prefix.or_else(|| pattern.strip_suffix(".*").map(|prefix| (prefix, '.')));
        pattern == name
            || prefix.is_some_and(|(prefix, separator)| {
                name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(separator))
            })
    };
    let starts = |function: &&Function| {
        !function.archived
            && function.triggers.iter().any(|trigger| matches!(trigger, Trigger::Event { name, .. } if matches(name)))
    };
    catalog.functions.values().filter(starts).collect()
}
