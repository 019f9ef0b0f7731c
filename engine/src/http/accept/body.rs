//! From a request's body to the events in it, each still as it came.

use super::{form, multipart};
use crate::error::{Code, Refusal};
use crate::http::Request;
use crate::limits::EVENTS_PER_REQUEST_MAX;
use serde::Deserializer as _;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

const EXPECTED: &str = "Request body must contain an event object or an array of event objects";

/// The body as JSON text: what begins as JSON is, whatever the content type; forms become an object of lists of strings.
pub(super) fn json(request: &Request) -> Result<Cow<'_, str>, Refusal> {
    let text = std::str::from_utf8(&request.body);
    if let Ok(text) = text
        && text.trim_start().starts_with(['{', '['])
    {
        return Ok(Cow::Borrowed(text));
    }
    let content_type = request.header("content-type").unwrap_or_default();
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    match kind.trim().to_ascii_lowercase().as_str() {
        "application/x-www-form-urlencoded" => form::from_urlencoded(&request.body).map(Cow::Owned),
        "multipart/form-data" => multipart::read(parameters, &request.body).map(Cow::Owned),
        _ if request.body.trim_ascii().is_empty() => Err(invalid(format!("{EXPECTED}, and it is empty"))),
        _ if text.is_err() => Err(invalid(format!("{EXPECTED}, and it is not UTF-8"))),
        _ => Err(invalid(EXPECTED.to_owned())),
    }
}

/// The events of a body that is one event or an array of them.
pub(super) fn events(json: &str) -> Result<Vec<&RawValue>, Refusal> {
    if !json.trim_start().starts_with('[') {
        return one(json).map(|event| vec![event]);
    }
    let mut reader = serde_json::Deserializer::from_str(json);
    let listed = reader.deserialize_seq(Listed).and_then(|listed| reader.end().map(|()| listed));
    let (events, count) = listed.map_err(|e| invalid(format!("the body is not JSON: {e}")))?;
    if count > EVENTS_PER_REQUEST_MAX {
        let message =
            format!("{count} events in one request; at most {EVENTS_PER_REQUEST_MAX} are taken, and none was");
        return Err(Refusal::new(Code::TooManyEvents, message));
    }
    Ok(events)
}

/// A body that is one value.
pub(super) fn one(json: &str) -> Result<&RawValue, Refusal> {
    serde_json::from_str(json).map_err(|e| invalid(format!("the body is not JSON: {e}")))
}

pub(super) fn invalid(message: String) -> Refusal {
    Refusal::new(Code::BodyInvalid, message)
}

/// Keeps as many elements as are allowed and counts them all.
struct Listed;

impl<'de> Visitor<'de> for Listed {
    type Value = (Vec<&'de RawValue>, usize);

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut events = Vec::new();
        while events.len() < EVENTS_PER_REQUEST_MAX {
            let Some(event) = elements.next_element()? else { break };
            events.push(event);
        }
        let mut count = events.len();
        while elements.next_element::<IgnoredAny>()?.is_some() {
            count = count.saturating_add(1);
        }
        Ok((events, count))
    }
}
