//! Which part of a list a request wants: `limit` and `cursor`.

use super::Request;
use super::request::id;
use crate::error::{Code, Refusal};
use crate::limits::{PAGE_ROWS_DEFAULT, PAGE_ROWS_MAX};

/// At most so many rows.
pub(super) fn limit(request: &Request) -> Result<u32, Refusal> {
    match request.number("limit")?.unwrap_or(PAGE_ROWS_DEFAULT) {
        limit @ 1..=PAGE_ROWS_MAX => Ok(limit),
        limit => {
            Err(Refusal::new(Code::ParameterInvalid, format!("`limit` must be from 1 to {PAGE_ROWS_MAX}, not {limit}")))
        }
    }
}

/// Only rows that are older than the one with this id.
pub(super) fn cursor<T>(
    request: &Request,
    what: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    request.parameter("cursor").map(|text| id(&text, what, parse)).transpose()
}
