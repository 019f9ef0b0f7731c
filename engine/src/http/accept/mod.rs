//! `/e` and `/invoke`: events in (PROTOCOL §8, SERVER §1.1, §1.2), all of a request or none of it.

mod body;
mod check;
mod dispatch;
mod form;
mod multipart;
mod payload;
mod seed;
mod sessions;

use super::Response;
use super::endpoint::{Opened, Opening};
use crate::error::{Code, Refusal};
use crate::ids::{FunctionId, uuid_of};
use crate::limits::EVENT_BYTES_MAX;
use crate::stream::message::NewEvent;
use check::{Fault, Source};
pub(crate) use payload::{Members, readable};
use seed::Ids;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
pub(crate) use sessions::merged as merged_sessions;

/// `POST /e/{key}`: one event, or an array of them.
pub(super) fn events(opening: &Opening<'_>) -> Opened {
    let ids = Ids::of(opening);
    let body = body::json(opening.request)?;
    let events = body::events(&body)?;
    let mut accepted = Vec::with_capacity(events.len());
    let mut faults = Vec::new();
    for (position, event) in (0_u32..).zip(&events) {
        // SERVER §1.1: the seed's count begins at 1.
        match checked(event, &ids, position.saturating_add(1), Source::Client) {
            Ok(event) => accepted.push(event),
            Err(fault) => faults.push((position, fault)),
        }
    }
    if !faults.is_empty() {
        return Err(check::refusal(faults, events.len()));
    }
    dispatch::open(opening, accepted, posted)
}

/// `POST /invoke/{slug}`: starts one function, whatever its triggers (PROTOCOL §8.4).
pub(super) fn invoke(opening: &Opening<'_>, function: &str) -> Opened {
    let Some(slug) = slug(opening, function) else {
        let message = format!("no app has synced a function {function:?}; /dev lists those that are known");
        return Err(Refusal::new(Code::FunctionUnknown, message));
    };
    let ids = Ids::of(opening);
    let body = if opening.request.body.trim_ascii().is_empty() { "{}".into() } else { body::json(opening.request)? };
    let event: &RawValue = body::one(&body)?;
    let event =
        checked(event, &ids, 0, Source::Invoke(slug.as_str())).map_err(|fault| check::refusal(vec![(0, fault)], 1))?;
    dispatch::open(opening, vec![event], invoked)
}

/// Checks an event and gives it its id.
fn checked(event: &RawValue, ids: &Ids, count: u32, source: Source<'_>) -> Result<NewEvent, Fault> {
    let bytes = event.get().len();
    if bytes > EVENT_BYTES_MAX {
        let message = format!("Event is over the max size: Max {EVENT_BYTES_MAX} bytes / Size {bytes} bytes");
        return Err(Fault::new(Code::EventTooLarge, "", message));
    }
    check::event(event, ids, count, source)
}

/// The function that a path names by slug or by UUID.
fn slug<'a>(opening: &Opening<'a>, name: &str) -> Option<&'a FunctionId> {
    let functions = &opening.catalog.functions;
    let known = functions.get(&FunctionId::from(name));
    let known = known.or_else(|| functions.values().find(|function| uuid_of(function.id.as_str()) == name));
    known.filter(|function| !function.archived).map(|function| &function.id)
}

fn posted(ids: &[String]) -> Response {
    Response::json(200, &Posted { ids, status: 200 }).with("access-control-allow-origin", "*")
}

fn invoked(ids: &[String]) -> Response {
    let id = ids.first().map_or("", String::as_str);
    Response::json(200, &Invoked { id, status: 200 }).with("access-control-allow-origin", "*")
}

#[derive(Deserialize)]
struct Accepted {
    ids: Vec<String>,
}

#[derive(Serialize)]
struct Posted<'a> {
    ids: &'a [String],
    status: u16,
}

#[derive(Serialize)]
struct Invoked<'a> {
    id: &'a str,
    status: u16,
}
