//! JSON text, looked into without being decoded: only the values that are asked for are.
//!
//! All of it takes text that has been found to be JSON once; what is not, is missing.

mod scan;

use super::value::{Text, Value};
use scan::{Elements, Fields, Scanner};
use std::collections::BTreeMap;

/// The value that `text` is; arrays and objects stay text.
pub(super) fn value(text: &str) -> Value<'_> {
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'{' | b'[') => Value::Json(text),
        Some(b'"') => string(text),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') => Value::Null,
        _ => serde_json::from_str(text).map_or(Value::Missing, Value::Double),
    }
}

/// What the path of `fields` leads to in an event, and how many bytes were looked at on the way.
///
/// The event's own fields are the server's, each there once, so that the walk need not go on behind the one it wants.
/// Below them, of several fields with one name the last counts, as everywhere.
pub(super) fn walk<'a>(event: &'a str, fields: &[String]) -> (Value<'a>, usize) {
    let mut place = Scanner::new(event);
    let mut looked_at = 0_usize;
    for (level, name) in fields.iter().enumerate() {
        let mut of_object = Fields::new(place);
        let mut found = None;
        while let Some((key, value)) = of_object.next_key() {
            if is(key, name) {
                found = Some(value);
                if level == 0 {
                    break;
                }
            }
            of_object.step_over();
        }
        looked_at = looked_at.saturating_add(of_object.at().saturating_sub(place.at()));
        let Some(found) = found else { return (Value::Missing, looked_at) };
        place = found;
    }
    let start = place.at();
    let text = place.value().unwrap_or_default();
    (value(text), looked_at.saturating_add(place.at().saturating_sub(start)))
}

/// The field `name` of an object; of several with that name the last.
pub(super) fn field<'a>(text: &'a str, name: &str) -> Value<'a> {
    raw_field(text, name).map_or(Value::Missing, value)
}

/// The field `name` of an object as text; of several with that name the last.
pub(super) fn raw_field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = Fields::new(Scanner::new(text));
    let mut found = None;
    while let Some((key, _)) = fields.next_key() {
        let Some(text) = fields.step_over() else { break };
        if is(key, name) {
            found = Some(text);
        }
    }
    found
}

/// The element of an array at `index`.
pub(super) fn element(text: &str, index: usize) -> Value<'_> {
    Elements::new(text).nth(index).map_or(Value::Missing, value)
}

/// How many elements an array, or fields an object, has.
pub(super) fn size(text: &str) -> usize {
    if text.starts_with('[') { Elements::new(text).count() } else { by_name(text).len() }
}

/// The elements of an array.
pub(super) fn elements(text: &str) -> Vec<Value<'_>> {
    Elements::new(text).map(value).collect()
}

/// The fields of an object, sorted by name.
pub(super) fn entries(text: &str) -> Vec<(Value<'_>, Value<'_>)> {
    by_name(text).into_iter().map(|(name, text)| (Value::made(name), value(text))).collect()
}

fn by_name(text: &str) -> BTreeMap<String, &str> {
    let mut fields = Fields::new(Scanner::new(text));
    let mut by_name = BTreeMap::new();
    while let Some((key, _)) = fields.next_key() {
        let Some(text) = fields.step_over() else { break };
        if let Value::String(name) = string(key) {
            by_name.insert(name.to_string(), text);
        }
    }
    by_name
}

/// Whether `key`, with its quotes, spells `name`.
fn is(key: &str, name: &str) -> bool {
    matches!(string(key), Value::String(text) if *text == *name)
}

fn string(text: &str) -> Value<'_> {
    if text.contains('\\') {
        return serde_json::from_str::<String>(text).map_or(Value::Missing, Value::made);
    }
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.map_or(Value::Missing, |inner| Value::String(Text::Borrowed(inner)))
}

#[cfg(test)]
mod tests;
