//! CEL with the meaning that triggers, waits and keys give it (SERVER §1.10).
//!
//! The `cel` crate reads the text; what it means is decided here, since in this dialect missing data never fails: a path
//! that leads nowhere is *unknown*, which is neither null nor an error, and each operator says what it makes of that.
//!
//! ```text
//! source text --escape, guard--> cel's parser --lower--> tree --evaluate(bindings)--> value
//! ```
//!
//! Payloads stay the bytes that came: a path is walked in the JSON text, and only the value at its end is decoded.
//! Evaluation is bounded ([`crate::limits::EXPRESSION_STEPS_MAX`]) and has no side effects.

mod access;
mod arithmetic;
mod cache;
mod compare;
mod convert;
mod dates;
mod decode;
mod evaluate;
mod format;
mod functions;
mod guard;
mod index;
mod json;
mod lower;
mod macros;
mod moments;
mod pattern;
mod source;
mod tree;
mod value;

pub use cache::compiled;
pub use index::{Term, key_at};
pub use value::{Text, Value};

use crate::ids::Millis;
use evaluate::{Evaluator, Failure};
use serde_json::value::RawValue;

/// Which variables an expression may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A trigger filter or a key: `event`.
    Trigger,
    /// A wait or a cancellation: `event`, which triggered the run, and `async`, which arrives. What is missing in `event`
    /// counts as null here.
    Wait,
}

/// What the variables stand for.
#[derive(Clone, Copy, Debug)]
pub struct Bindings<'a> {
    /// `event`: the whole event as SDKs are sent it.
    pub event: &'a RawValue,
    /// `async`; missing where there is none.
    pub incoming: Option<&'a RawValue>,
    /// What `now()` answers.
    pub now: Millis,
}

/// Why a text is not an expression; the message is for the person who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// What is wrong, with line and column where that is known.
    pub message: String,
}

/// Why an expression has no answer. The same event will meet the same error again: permanent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// A filter came out as something else than true or false.
    #[error("the expression gave {kind} ({text}) where true or false is needed")]
    NotBoolean {
        /// The type that it gave.
        kind: &'static str,
        /// The beginning of the value.
        text: String,
    },
    /// An operator was given what it has no meaning for.
    #[error("{0}")]
    NoOverload(String),
    /// More work than one evaluation may cause.
    #[error("the expression takes more than {} steps on this event", crate::limits::EXPRESSION_STEPS_MAX)]
    TooCostly,
}

/// A compiled expression.
#[derive(Debug)]
pub struct Expression {
    scope: Scope,
    root: tree::Node,
    /// How many different paths it mentions: each is looked up once per evaluation.
    paths: usize,
}

impl Expression {
    /// Compiles `source`, in which only the variables of `scope` are known.
    ///
    /// # Errors
    /// A text that is too long or too deeply nested, is not CEL, or names a variable or function that does not exist.
    pub fn compile(source: &str, scope: Scope) -> Result<Self, CompileError> {
        let parsed = source::parse(source)?;
        let (root, paths) = lower::lower(parsed, scope)?;
        Ok(Self { scope, root, paths })
    }

    /// What the expression comes to. A value that is unknown as a whole is `false`.
    ///
    /// # Errors
    /// An operator that has no meaning for its operand, or too much work.
    pub fn evaluate<'a>(&'a self, bindings: &Bindings<'a>) -> Result<Value<'a>, EvaluationError> {
        self.measured(bindings).0
    }

    /// Whether the expression holds, as a filter.
    ///
    /// # Errors
    /// As [`Expression::evaluate`]; also a value that is not a boolean.
    pub fn holds(&self, bindings: &Bindings<'_>) -> Result<bool, EvaluationError> {
        match self.evaluate(bindings)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(EvaluationError::NotBoolean { kind: other.kind(), text: format::excerpt(&other) }),
        }
    }

    /// What the expression comes to as a key of flow control: equal keys share a gate. `None` where it has no value, or comes to
    /// `false`.
    #[must_use]
    pub fn key(&self, bindings: &Bindings<'_>) -> Option<String> {
        let mut evaluator = Evaluator::new(*bindings, self.scope, self.paths);
        match evaluator.value(&self.root) {
            Ok(Value::Missing | Value::Bool(false)) | Err(_) => None,
            Ok(value) => format::text(&mut evaluator, &value).ok(),
        }
    }

    /// The value, and the steps that it took.
    fn measured<'a>(&'a self, bindings: &Bindings<'a>) -> (Result<Value<'a>, EvaluationError>, u64) {
        let mut evaluator = Evaluator::new(*bindings, self.scope, self.paths);
        let result = match evaluator.value(&self.root) {
            Ok(Value::Missing) => Ok(Value::Bool(false)),
            Ok(value) => Ok(value),
            Err(Failure::NoOverload(what)) => Err(EvaluationError::NoOverload(what)),
            Err(Failure::TooCostly) => Err(EvaluationError::TooCostly),
        };
        (result, evaluator.steps())
    }
}

/// Whether `source` can be an expression over the variables of `scope` (SERVER §1.6).
///
/// # Errors
/// Why not, for the person who wrote it.
pub fn check(source: &str, scope: Scope) -> Result<(), String> {
    Expression::compile(source, scope).map(drop).map_err(|error| error.message)
}

#[cfg(test)]
mod tests;
