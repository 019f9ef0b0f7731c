//! Reads configuration that users wrote: keys without case, and every fault collected rather than the first returned.

use crate::duration::parse_duration;
use crate::error::Detail;
use crate::expression::{Expression, Scope};
use crate::ids::Millis;
use crate::limits::EXPRESSION_BYTES_MAX;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// The faults of one sync so far.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// What is being read: a function's slug, or where it stands.
    pub(super) subject: String,
    /// In the order of the body.
    pub(super) details: Vec<Detail>,
}

impl Faults {
    pub(super) fn add(&mut self, code: &'static str, field: impl Into<String>, message: impl Into<String>) {
        let (subject, field, message) = (self.subject.clone(), field.into(), message.into());
        self.details.push(Detail { code: code.into(), subject, field, message });
    }
}

/// A JSON object and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Fields<'a> {
    /// The object at the top; its fields are named by their keys alone.
    pub(super) const fn top(map: &'a Map<String, Value>) -> Self {
        Self { map, path: String::new() }
    }

    /// `value` as an object; a fault where it is something else.
    pub(super) fn of(value: &'a Value, path: String, faults: &mut Faults) -> Option<Self> {
        match value {
            Value::Object(map) => Some(Self { map, path }),
            other => {
                faults.add("type_invalid", path, format!("must be an object, not {}", kind(other)));
                None
            }
        }
    }

    /// Where `name` stands, for a fault.
    pub(super) fn path(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Where this object itself stands.
    pub(super) fn own_path(&self) -> String {
        self.path.clone()
    }

    /// The value of `name`: spelt exactly so, or else in any case, as Go would find it (PROTOCOL §1.4). `null` is absent.
    pub(super) fn get(&self, name: &str) -> Option<&'a Value> {
        let any_case = || self.map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        self.map.get(name).or_else(any_case).filter(|value| !value.is_null())
    }

    /// The values of this object, whatever their keys.
    pub(super) fn values(&self) -> impl Iterator<Item = (String, &'a Value)> {
        self.map.iter().map(|(key, value)| (self.path(key), value))
    }

    /// A text; `None` where it is absent or empty.
    pub(super) fn text(&self, name: &str, faults: &mut Faults) -> Option<&'a str> {
        match self.get(name)? {
            Value::String(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
            other => {
                faults.add("type_invalid", self.path(name), format!("must be a text, not {}", kind(other)));
                None
            }
        }
    }

    /// A whole number of at least 0.
    pub(super) fn count(&self, name: &str, faults: &mut Faults) -> Option<u32> {
        count(self.get(name)?, || self.path(name), faults)
    }

    /// An object.
    pub(super) fn object(&self, name: &str, faults: &mut Faults) -> Option<Self> {
        Self::of(self.get(name)?, self.path(name), faults)
    }

    /// The items of a list with where they stand; none where it is absent.
    pub(super) fn list(&self, name: &str, faults: &mut Faults) -> Vec<(String, &'a Value)> {
        match self.get(name) {
            None => Vec::new(),
            Some(Value::Array(items)) => items_of(&self.path(name), items),
            Some(other) => {
                faults.add("type_invalid", self.path(name), format!("must be a list, not {}", kind(other)));
                Vec::new()
            }
        }
    }

    /// A duration within `bounds`; `None` where it is absent or empty (PROTOCOL §7.1).
    pub(super) fn duration(
        &self,
        name: &str,
        code: &'static str,
        bounds: RangeInclusive<Millis>,
        faults: &mut Faults,
    ) -> Option<Millis> {
        let text = self.text(name, faults)?;
        match parse_duration(text) {
            None => {
                faults.add(code, self.path(name), format!("{text:?} is not a duration such as \"30s\" or \"1h30m\""))
            }
            Some(span) if !bounds.contains(&span) => faults.add(
                code,
                self.path(name),
                format!("{text:?} is not between {} ms and {} ms", bounds.start().0, bounds.end().0),
            ),
            Some(span) => return Some(span),
        }
        None
    }

    /// As [`Fields::duration`], and it must be there.
    pub(super) fn required_duration(
        &self,
        name: &str,
        code: &'static str,
        bounds: RangeInclusive<Millis>,
        faults: &mut Faults,
    ) -> Option<Millis> {
        let before = faults.details.len();
        let span = self.duration(name, code, bounds, faults);
        if span.is_none() && faults.details.len() == before {
            faults.add(code, self.path(name), "is missing");
        }
        span
    }

    /// The source of an expression over `event` that compiles; `None` where it is absent or empty.
    pub(super) fn expression(&self, name: &str, code: &'static str, faults: &mut Faults) -> Option<String> {
        self.expression_in(Scope::Trigger, name, code, faults)
    }

    /// As [`Fields::expression`], over the variables of `scope`.
    pub(super) fn expression_in(
        &self,
        scope: Scope,
        name: &str,
        code: &'static str,
        faults: &mut Faults,
    ) -> Option<String> {
        let source = self.text(name, faults)?;
        match expression_fault(source, scope) {
            Some(fault) => {
                faults.add(code, self.path(name), fault);
                None
            }
            None => Some(source.to_owned()),
        }
    }
}

/// The items of a list that stands at `path`.
pub(super) fn items_of<'a>(path: &str, items: &'a [Value]) -> Vec<(String, &'a Value)> {
    items.iter().enumerate().map(|(position, item)| (format!("{path}[{position}]"), item)).collect()
}

/// `value` as a whole number of at least 0.
pub(super) fn count(value: &Value, path: impl FnOnce() -> String, faults: &mut Faults) -> Option<u32> {
    let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
    if number.is_none() {
        let found = if value.is_number() { value.to_string() } else { kind(value).to_owned() };
        faults.add("type_invalid", path(), format!("must be a whole number from 0 to {}, not {found}", u32::MAX));
    }
    number
}

/// What JSON calls it.
pub(super) const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Why `source` cannot be an expression, if it cannot.
fn expression_fault(source: &str, scope: Scope) -> Option<String> {
    if source.len() > EXPRESSION_BYTES_MAX {
        return Some(format!("is longer than {EXPRESSION_BYTES_MAX} bytes"));
    }
    if source.trim().is_empty() {
        return Some("is blank".to_owned());
    }
    Expression::compile(source, scope).err().map(|fault| format!("does not compile: {fault}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_exact_key_is_preferred_to_one_in_another_case() {
        let value = json!({"APPNAME": "loud", "appName": "exact", "sdk": null, "Url": "u"});
        let fields = Fields::of(&value, String::new(), &mut Faults::default()).unwrap();
        assert_eq!(fields.get("appName"), Some(&json!("exact")));
        assert_eq!(fields.get("appname"), Some(&json!("loud")));
        assert_eq!(fields.get("url"), Some(&json!("u")));
        assert_eq!(fields.get("sdk"), None);
    }
}
