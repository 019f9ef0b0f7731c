//! What a finished step is remembered as: the value under its id in `steps` (PROTOCOL §3.9).

use super::journal::{Arrival, What};
use super::message::Returned;
use crate::error::Fault;
use crate::ids::StepId;
use crate::signing;
use serde_json::value::RawValue;
use std::cell::OnceCell;
use std::fmt;

/// A memo, as the JSON text that SDKs are sent.
#[derive(Clone)]
pub struct Memo {
    /// The id of its step, as JSON.
    id: Box<str>,
    json: Box<str>,
    canonical: OnceCell<Box<str>>,
}

impl fmt::Debug for Memo {
    /// Only what was stored: the canonical form is a memory of it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.json)
    }
}

impl Memo {
    /// The memo of a sleep that is over, or of a wait that timed out.
    #[must_use]
    pub fn null() -> Self {
        Self::from_json("null")
    }

    /// The memo that a step's end leaves; `None` where the step has not ended.
    #[must_use]
    pub fn of(what: &What) -> Option<Self> {
        match what {
            What::Ran { data, .. } => Some(Self::from_json(format!("{{\"data\":{}}}", data.get()))),
            What::Stored { memo } => Some(Self::from_json(memo.get())),
            What::Failed { problem } => {
                let error = serde_json::to_string(&problem.as_memo()).ok()?;
                Some(Self::from_json(format!("{{\"error\":{error}}}")))
            }
            What::Planned { .. }
            | What::Asked { .. }
            | What::Slept { .. }
            | What::Waited { .. }
            | What::AwaitedSignal { .. }
            | What::Invoked { .. }
            | What::Deferred(_)
            | What::Discovery => None,
        }
    }

    /// The memo that a wait leaves which ended before its time. An awaited event is not wrapped (PROTOCOL §3.9).
    #[must_use]
    pub fn of_arrival(arrival: &Arrival) -> Self {
        match arrival {
            Arrival::Event { event, .. } => Self::of_raw(event),
            Arrival::Signal { signal, data } => {
                let signal = serde_json::Value::from(signal.as_str());
                Self::from_json(format!("{{\"data\":{{\"data\":{},\"signal\":{signal}}}}}", data.get()))
            }
            Arrival::Return { returned: Returned::Value(value), .. } => {
                Self::from_json(format!("{{\"data\":{}}}", value.get()))
            }
            Arrival::Return { returned: Returned::Error(error), .. } => {
                Self::from_json(format!("{{\"error\":{}}}", error.get()))
            }
        }
    }

    /// What stands in for the memo of a step that is to run with these arguments (PROTOCOL §3.9).
    #[must_use]
    pub fn of_input(input: &RawValue) -> Self {
        Self::from_json(format!("{{\"input\":{}}}", input.get()))
    }

    /// A memo that is always the same.
    #[must_use]
    pub fn of_text(json: &'static str) -> Self {
        Self::from_json(json)
    }

    /// An event, or any other JSON that travels beside memos.
    #[must_use]
    pub fn of_raw(json: &RawValue) -> Self {
        Self::from_json(json.get())
    }

    /// The memo as that of the step `id`.
    #[must_use]
    pub fn of_step(self, id: &StepId) -> Self {
        Self { id: serde_json::Value::from(id.as_str()).to_string().into(), ..self }
    }

    /// The id of its step, as JSON.
    #[must_use]
    pub fn id_json(&self) -> &str {
        &self.id
    }

    fn from_json(json: impl Into<Box<str>>) -> Self {
        Self { id: Box::default(), json: json.into(), canonical: OnceCell::new() }
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size_bytes(&self) -> usize {
        self.json.len()
    }

    /// As it came.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }

    /// In canonical form, computed once: bodies that are signed are made of these (PROTOCOL §2.2).
    ///
    /// # Errors
    /// JSON that has no canonical form (a lone surrogate).
    pub fn canonical(&self) -> Result<&str, Fault> {
        if let Some(canonical) = self.canonical.get() {
            return Ok(canonical);
        }
        let bytes = signing::canonical(self.json.as_bytes())?;
        let text = String::from_utf8(bytes).map_err(|e| Fault::new("canonical JSON", e))?;
        Ok(self.canonical.get_or_init(|| text.into_boxed_str()))
    }
}
