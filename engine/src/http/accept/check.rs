//! What makes an event an event (PROTOCOL §8.2, SERVER §1.1).

use super::payload::{Members, kind, readable};
use super::seed::Ids;
use super::sessions;
use crate::error::{Code, Detail, Refusal};
use crate::ids::Millis;
use crate::limits::{
    EVENT_DEPTH_MAX, EVENT_FAULTS_TOLD_MAX, EVENT_NAME_CHARACTERS_MAX, EVENT_TIME_MAX, EVENT_TIME_MIN,
    EVENT_USER_ID_BYTES_MAX,
};
use crate::stream::message::NewEvent;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

/// Who made the event.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// A client, who must name it.
    Client,
    /// `/invoke`, for the function with this slug.
    Invoke(&'a str),
}

/// What is wrong with one event.
#[derive(Debug)]
pub(crate) struct Fault {
    code: Code,
    field: &'static str,
    message: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.message)
    }
}

impl Fault {
    pub(super) fn new(code: Code, field: &'static str, message: impl Into<String>) -> Self {
        Self { code, field, message: message.into() }
    }

    fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::new(Code::EventInvalid, field, message)
    }
}

/// Checks the event and composes what is stored. Its id is the one with this count; payloads stay as they came.
pub(super) fn event(json: &RawValue, ids: &Ids, count: u32, source: Source<'_>) -> Result<NewEvent, Fault> {
    if !json.get().starts_with('{') {
        return Err(Fault::new(Code::BodyInvalid, "", format!("an event must be an object, not {}", kind(json))));
    }
    readable(json, EVENT_DEPTH_MAX).map_err(|e| Fault::invalid("", format!("the event cannot be read: {e}")))?;
    let sent: Sent<'_> =
        serde_json::from_str(json.get()).map_err(|e| Fault::invalid("", format!("the event cannot be read: {e}")))?;
    let name = match source {
        Source::Client => name(sent.name)?,
        Source::Invoke(_) => "inngest/function.invoked".to_owned(),
    };
    let data = data(sent.data, source)?;
    let user_id = user_id(sent.id)?;
    let ts = ts(sent.ts, ids.now)?;
    let meta = object("meta", sent.meta)?.map(sessions::merged).transpose()?.flatten();
    let version = string("v", sent.v)?.filter(|version| !version.is_empty());
    let (id, seeded) = ids.get(count);
    let composed = Composed {
        data: &data,
        id: user_id.clone().unwrap_or_else(|| id.to_string()),
        meta,
        name: &name,
        ts: ts.0,
        user: object("user", sent.user)?.map_or(User::None {}, User::Sent),
        v: version,
    };
    let event = to_raw_value(&composed).map_err(|e| Fault::invalid("", e.to_string()))?;
    Ok(NewEvent { id, seeded, user_id, name, ts, event })
}

/// One refusal for all the faults of a request with `count` events.
pub(super) fn refusal(faults: Vec<(u32, Fault)>, count: usize) -> Refusal {
    let code = faults.first().map_or(Code::EventInvalid, |(_, fault)| fault.code);
    let message = match faults.first() {
        Some((position, fault)) if count > 1 => {
            let faulty = faults.len();
            format!(
                "event {position} (counted from 0): {}; {faulty} of {count} events are invalid, and none was accepted",
                fault.message
            )
        }
        Some((_, fault)) => fault.message.clone(),
        None => String::new(),
    };
    let details = faults.into_iter().take(EVENT_FAULTS_TOLD_MAX).map(|(position, fault)| Detail {
        code: fault.code.as_str().into(),
        subject: position.to_string(),
        field: fault.field.to_owned(),
        message: fault.message,
    });
    Refusal { code, message, details: details.collect() }
}

fn name(sent: Option<&RawValue>) -> Result<String, Fault> {
    let Some(name) = string("name", sent)?.filter(|name| !name.is_empty()) else {
        return Err(Fault::new(Code::EventNameMissing, "name", "event name is empty"));
    };
    let characters = name.chars().count();
    if characters > EVENT_NAME_CHARACTERS_MAX {
        let message =
            format!("event name has {characters} characters; at most {EVENT_NAME_CHARACTERS_MAX} are allowed");
        return Err(Fault::new(Code::EventNameTooLong, "name", message));
    }
    let prefix: String = name.chars().take("inngest/".len()).collect();
    if prefix.eq_ignore_ascii_case("inngest/") {
        let message = format!("event name is reserved for internal use: {name}");
        return Err(Fault::new(Code::EventNameReserved, "name", message));
    }
    Ok(name)
}

/// The payload as it came, but for `_inngest`: that member is how the server tells of invocations.
fn data(sent: Option<&RawValue>, source: Source<'_>) -> Result<Box<RawValue>, Fault> {
    let unreadable = |e: serde_json::Error| Fault::invalid("data", e.to_string());
    let sent = object("data", sent)?;
    let mut members = match sent {
        Some(data) => serde_json::from_str::<Members<'_>>(data.get()).map_err(unreadable)?,
        None => Members(Vec::new()),
    };
    let had = members.0.len();
    members.0.retain(|(key, _)| key != "_inngest");
    let marker = match source {
        Source::Client => None,
        Source::Invoke(fn_id) => Some(to_raw_value(&Invocation { fn_id }).map_err(unreadable)?),
    };
    if let Some(marker) = &marker {
        members.0.push(("_inngest".to_owned(), marker));
    }
    match sent {
        Some(data) if had == members.0.len() && marker.is_none() => Ok(data.to_owned()),
        _ => to_raw_value(&members).map_err(unreadable),
    }
}

fn user_id(sent: Option<&RawValue>) -> Result<Option<String>, Fault> {
    let id = string("id", sent)?.filter(|id| !id.is_empty());
    match id {
        Some(id) if id.len() > EVENT_USER_ID_BYTES_MAX => {
            let bytes = id.len();
            Err(Fault::invalid("id", format!("`id` has {bytes} bytes; at most {EVENT_USER_ID_BYTES_MAX} are allowed")))
        }
        id => Ok(id),
    }
}

/// Milliseconds since 1970; now, where it is absent or 0. It may lie in the future.
fn ts(sent: Option<&RawValue>, now: Millis) -> Result<Millis, Fault> {
    let Some(sent) = sent else { return Ok(now) };
    let text = sent.get();
    if kind(sent) != "a number" || text.contains(['.', 'e', 'E']) {
        let message = format!("`ts` must be a whole number of milliseconds since 1970, not {}", kind(sent));
        return Err(Fault::invalid("ts", message));
    }
    if text == "0" || text == "-0" {
        return Ok(now);
    }
    if text.starts_with('-') {
        return Err(Fault::new(Code::EventTimeInvalid, "ts", "timestamp is before Jan 1, 1980"));
    }
    // A number that no u64 holds is late, too.
    match text.parse().map_or(Millis(u64::MAX), Millis) {
        ts if ts < EVENT_TIME_MIN => Err(Fault::new(Code::EventTimeInvalid, "ts", "timestamp is before Jan 1, 1980")),
        ts if ts > EVENT_TIME_MAX => Err(Fault::new(Code::EventTimeInvalid, "ts", "timestamp is after Jan 1, 2100")),
        ts => Ok(ts),
    }
}

fn string(field: &'static str, sent: Option<&RawValue>) -> Result<Option<String>, Fault> {
    let Some(sent) = sent else { return Ok(None) };
    let text = serde_json::from_str(sent.get());
    text.map(Some).map_err(|_| Fault::invalid(field, format!("`{field}` must be a string, not {}", kind(sent))))
}

fn object<'a>(field: &'static str, sent: Option<&'a RawValue>) -> Result<Option<&'a RawValue>, Fault> {
    match sent {
        Some(sent) if !sent.get().starts_with('{') => {
            Err(Fault::invalid(field, format!("`{field}` must be an object, not {}", kind(sent))))
        }
        sent => Ok(sent),
    }
}

/// What is read of an event; other members are ignored, and `null` is as good as absent.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    ts: Option<&'a RawValue>,
    #[serde(borrow, default)]
    v: Option<&'a RawValue>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
}

/// An event as SDKs are sent it; its fields in the order of their names.
#[derive(Serialize)]
struct Composed<'a> {
    data: &'a RawValue,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<Box<RawValue>>,
    name: &'a str,
    ts: u64,
    user: User<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    v: Option<String>,
}

/// Always an object (PROTOCOL §8.2).
#[derive(Serialize)]
#[serde(untagged)]
enum User<'a> {
    Sent(&'a RawValue),
    None {},
}

#[derive(Serialize)]
struct Invocation<'a> {
    fn_id: &'a str,
}
