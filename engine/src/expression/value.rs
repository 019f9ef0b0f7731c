//! The values of expressions.

use chrono::{DateTime, TimeDelta, Utc};
use std::ops::Deref;
use std::rc::Rc;

/// What an expression, or a part of one, comes to.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    /// A path that leads nowhere; not the same as null.
    Missing,
    /// `null`
    Null,
    /// True or false.
    Bool(bool),
    /// A signed integer; never from JSON, whose numbers are doubles.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A number.
    Double(f64),
    /// Text.
    String(Text<'a>),
    /// Bytes.
    Bytes(Rc<[u8]>),
    /// A moment.
    Timestamp(DateTime<Utc>),
    /// A span.
    Duration(TimeDelta),
    /// A type, by its name.
    Type(&'static str),
    /// A JSON array or object that nobody has looked into yet.
    Json(&'a str),
    /// A list that the expression made or opened.
    List(Rc<Vec<Value<'a>>>),
    /// A map that the expression made.
    Map(Rc<Vec<(Value<'a>, Value<'a>)>>),
}

/// Text that is part of the payload or of the expression, or was made on the way.
#[derive(Clone, Debug)]
pub enum Text<'a> {
    /// A part of the payload or of the expression.
    Borrowed(&'a str),
    /// Made on the way.
    Made(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl<'a> Value<'a> {
    /// A text that was made on the way.
    pub(super) fn made(text: impl Into<Rc<str>>) -> Self {
        Self::String(Text::Made(text.into()))
    }

    /// A list that was made on the way.
    pub(super) fn list(elements: Vec<Value<'a>>) -> Self {
        Self::List(Rc::new(elements))
    }

    /// CEL's name of the value's type.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing => "unknown",
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Uint(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Type(_) => "type",
            Self::Json(text) if text.starts_with('[') => "list",
            Self::List(_) => "list",
            Self::Json(_) | Self::Map(_) => "map",
        }
    }

    /// Whether JavaScript's `||` and `&&` would take the value for true (SERVER §1.10).
    pub(super) fn is_truthy(&self) -> bool {
        match self {
            Self::Missing | Self::Null => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Uint(value) => *value != 0,
            Self::Double(value) => *value != 0.0 && !value.is_nan(),
            Self::String(text) => !text.is_empty(),
            _ => true,
        }
    }

    /// A rough size, to be charged for.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::String(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Json(text) => text.len(),
            Self::List(elements) => elements.len().saturating_mul(BYTES_OF_AN_ELEMENT),
            Self::Map(entries) => entries.len().saturating_mul(BYTES_OF_AN_ELEMENT),
            _ => 0,
        }
    }
}

/// What an element of a list is charged as.
const BYTES_OF_AN_ELEMENT: usize = 64;
