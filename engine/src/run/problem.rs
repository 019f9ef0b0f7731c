//! Errors as runs keep them: what an app threw, or what the server found wrong.

use crate::error::Code;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An error of a step, a call or a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// The error's class, `Error` where nothing else is known.
    pub name: String,
    /// What it says.
    pub message: String,
    /// Where it was thrown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// The server's code, where the server found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What the thrower attached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
    /// What it was thrown because of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Box<RawValue>>,
}

impl Problem {
    /// A problem that the server found.
    pub fn found(code: Code, message: impl Into<String>) -> Self {
        Self::named(code, code.as_str(), message)
    }

    /// A problem that the server found and that users know under `name`.
    pub fn named(code: Code, name: &str, message: impl Into<String>) -> Self {
        Self { name: name.to_owned(), message: message.into(), stack: None, code: Some(code), data: None, cause: None }
    }

    /// Reads an error as SDKs serialise it (PROTOCOL §4.1, §4.4), forgiving whatever is missing or of another type.
    #[must_use]
    pub fn read(error: &RawValue) -> Self {
        let wire: Wire<'_> = serde_json::from_str(error.get()).unwrap_or_default();
        let text = |raw: Option<&RawValue>| raw.and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
        let whole = || serde_json::from_str::<String>(error.get()).unwrap_or_else(|_| error.get().to_owned());
        Self {
            name: text(wire.name).unwrap_or_else(|| "Error".to_owned()),
            message: text(wire.message).unwrap_or_else(whole),
            stack: text(wire.stack),
            code: None,
            data: wire.data.map(ToOwned::to_owned),
            cause: wire.cause.map(ToOwned::to_owned),
        }
    }

    /// The form that SDKs are given back under `error`: without the server's code, keys sorted (PROTOCOL §3.9).
    #[must_use]
    pub fn as_memo(&self) -> Memo<'_> {
        Memo {
            cause: self.cause.as_deref(),
            data: self.data.as_deref(),
            message: &self.message,
            name: &self.name,
            stack: self.stack.as_deref(),
        }
    }
}

#[derive(Default, Deserialize)]
struct Wire<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<&'a RawValue>,
    #[serde(borrow, default)]
    stack: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    cause: Option<&'a RawValue>,
}

/// A [`Problem`] as SDKs read it.
#[derive(Debug, Serialize)]
pub struct Memo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a RawValue>,
    message: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stack: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Problem {
        Problem::read(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn an_sdk_error_keeps_what_matters_and_drops_what_is_private() {
        let problem =
            read(r#"{"__serialized":true,"name":"MyErr","message":"m","stack":"s","code":"x","cause":{"a":1}}"#);
        let memo = serde_json::to_string(&problem.as_memo()).unwrap();
        assert_eq!(memo, r#"{"cause":{"a":1},"message":"m","name":"MyErr","stack":"s"}"#);
    }

    #[test]
    fn anything_can_be_an_error() {
        assert_eq!(read(r#""plain""#).message, "plain");
        assert_eq!(read("17").message, "17");
        assert_eq!(read(r#"{"name":5,"message":null}"#).name, "Error");
    }
}
