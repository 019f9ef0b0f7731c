//! JSON text, looked into without being decoded: only the values that are asked for are.
//!
//! All of it takes text that has been found to be JSON once; what is not, is missing.

use super::value::{Text, Value};
use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;
use std::fmt;

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

/// The field `name` of an object; of several with that name the last, as everywhere.
pub(super) fn field<'a>(text: &'a str, name: &str) -> Value<'a> {
    if !text.starts_with('{') {
        return Value::Missing;
    }
    let found = Deserializer::from_str(text).deserialize_map(Find { name });
    found.ok().flatten().map_or(Value::Missing, |raw| value(raw.get()))
}

/// The element of an array at `index`.
pub(super) fn element(text: &str, index: usize) -> Value<'_> {
    if !text.starts_with('[') {
        return Value::Missing;
    }
    let found = Deserializer::from_str(text).deserialize_seq(At { index });
    found.ok().flatten().map_or(Value::Missing, |raw| value(raw.get()))
}

/// How many elements an array, or fields an object, has.
pub(super) fn size(text: &str) -> usize {
    if text.starts_with('[') {
        serde_json::from_str::<Vec<IgnoredAny>>(text).map_or(0, |elements| elements.len())
    } else {
        Deserializer::from_str(text).deserialize_map(Entries).map_or(0, |entries| entries.len())
    }
}

/// The elements of an array.
pub(super) fn elements(text: &str) -> Vec<Value<'_>> {
    let raw: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
    raw.into_iter().map(|raw| value(raw.get())).collect()
}

/// The fields of an object, sorted by name.
pub(super) fn entries(text: &str) -> Vec<(Value<'_>, Value<'_>)> {
    let fields = Deserializer::from_str(text).deserialize_map(Entries).unwrap_or_default();
    fields.into_iter().map(|(name, raw)| (Value::made(name), value(raw.get()))).collect()
}

fn string(text: &str) -> Value<'_> {
    if text.contains('\\') {
        return serde_json::from_str::<String>(text).map_or(Value::Missing, Value::made);
    }
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    inner.map_or(Value::Missing, |inner| Value::String(Text::Borrowed(inner)))
}

/// Finds the value of one field.
struct Find<'n> {
    name: &'n str,
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(Is(self.name))? {
            if is_it {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Whether a key is this one, without a copy of it.
struct Is<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: serde::Deserializer<'de>>(self, input: D) -> Result<bool, D::Error> {
        input.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

/// Finds one element.
struct At {
    index: usize,
}

impl<'de> Visitor<'de> for At {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        for _ in 0..self.index {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = seq.next_element()?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

/// All fields; of several with one name the last.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = std::collections::BTreeMap::new();
        while let Some((name, raw)) = map.next_entry::<String, &RawValue>()? {
            fields.insert(name, raw);
        }
        Ok(fields.into_iter().collect())
    }
}
