//! Forms, as an object of lists of strings (SERVER §1.2).

use super::body::invalid;
use crate::error::Refusal;
use crate::limits::FORM_FIELDS_MAX;
use std::collections::BTreeMap;

/// A form's fields in the shape that events are checked in.
#[derive(Default)]
pub(super) struct Fields {
    values: BTreeMap<String, Vec<String>>,
    count: usize,
}

impl Fields {
    /// One more value of a field.
    pub(super) fn add(&mut self, name: String, value: String) -> Result<(), Refusal> {
        self.count = self.count.saturating_add(1);
        if self.count > FORM_FIELDS_MAX {
            return Err(invalid(format!("the form has more than {FORM_FIELDS_MAX} fields")));
        }
        self.values.entry(name).or_default().push(value);
        Ok(())
    }

    /// `{"name":["a/b"],…}`.
    pub(super) fn json(&self) -> Result<String, Refusal> {
        serde_json::to_string(&self.values).map_err(|e| invalid(e.to_string()))
    }
}

/// Reads `application/x-www-form-urlencoded`.
pub(super) fn from_urlencoded(body: &[u8]) -> Result<String, Refusal> {
    let mut fields = Fields::default();
    for (name, value) in form_urlencoded::parse(body) {
        fields.add(name.into_owned(), value.into_owned())?;
    }
    fields.json()
}
