//! A request as the shell read it, and how its parts are taken out.

use crate::error::{Code, Refusal};
use crate::ids::Millis;
use crate::limits;
use percent_encoding::percent_decode_str;
use std::str::FromStr;

/// A request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// In capitals.
    pub method: String,
    /// Without query, percent-encoded as it came.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// At most [`RequestLimits::body_bytes_max`].
    pub body: Vec<u8>,
}

/// What a shell enforces while it reads a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Beyond it: `refuse("body_too_large")`.
    pub body_bytes_max: usize,
    /// Beyond it: `refuse("body_timeout")`.
    pub body_time_max: Millis,
}

/// What a shell enforces while it reads a request, before the engine sees it.
#[must_use]
pub const fn request_limits() -> RequestLimits {
    RequestLimits { body_bytes_max: limits::REQUEST_BODY_BYTES_MAX, body_time_max: limits::REQUEST_BODY_TIME_MAX }
}

impl Request {
    /// The path's segments, decoded. Empty ones at the end do not count: `/health/` is `/health`.
    pub(super) fn segments(&self) -> Result<Vec<String>, Refusal> {
        let path = self.path.trim_matches('/');
        if path.is_empty() {
            return Ok(Vec::new());
        }
        let decoded = path.split('/').map(|segment| percent_decode_str(segment).decode_utf8().map(String::from));
        decoded.collect::<Result<_, _>>().map_err(|_| {
            Refusal::new(Code::ParameterInvalid, "the path is not UTF-8 once its percent signs are decoded")
        })
    }

    /// The header's value; of several, the first.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
    }

    /// The query parameter's value where it is given and not empty; of several, the first.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.query.as_bytes())
            .find(|(held, _)| held == name)
            .map(|(_, value)| value.into_owned())
            .filter(|value| !value.is_empty())
    }

    /// The query parameter as a whole number.
    pub(super) fn number<T: FromStr>(&self, name: &str) -> Result<Option<T>, Refusal> {
        let Some(text) = self.parameter(name) else { return Ok(None) };
        let number = text.parse();
        number
            .map(Some)
            .map_err(|_| Refusal::new(Code::ParameterInvalid, format!("`{name}` must be a whole number, not {text:?}")))
    }
}

/// Reads an id out of a path or a query.
pub(super) fn id<T>(text: &str, what: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Refusal> {
    parse(text).ok_or_else(|| {
        Refusal::new(Code::ParameterInvalid, format!("{text:?} is not {what} id, which is a ULID of 26 characters"))
    })
}
