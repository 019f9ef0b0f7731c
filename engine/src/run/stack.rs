//! The finished steps in the order in which they ended (PROTOCOL §5.8).

use crate::error::Fault;
use crate::ids::StepId;
use std::fmt::Write as _;

/// Their ids, as the JSON that every call carries: it grows by one id a step, and is copied, not serialized, into a call.
#[derive(Clone, Debug, Default)]
pub struct Stack {
    len: usize,
    json: String,
}

impl Stack {
    /// Adds the step whose id, as JSON, is `id`.
    pub fn push(&mut self, id: &str) {
        if self.len > 0 {
            self.json.push(',');
        }
        self.json.push_str(id);
        self.len = self.len.saturating_add(1);
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.len
    }

    /// The ids.
    ///
    /// # Errors
    /// None in practice: they were written here.
    pub fn ids(&self) -> Result<Vec<StepId>, Fault> {
        serde_json::from_str(&format!("[{}]", self.json)).map_err(|e| Fault::new("stack", e))
    }

    /// Writes `{"current":…,"stack":[…]}`.
    pub fn write(&self, current: usize, to: &mut String) {
        // Writing to a string does not fail.
        let _ = write!(to, "{{\"current\":{current},\"stack\":[");
        to.push_str(&self.json);
        to.push_str("]}");
    }

    /// Its size as JSON, in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.json.len()
    }
}
