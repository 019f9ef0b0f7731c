//! `meta.sessions` (PROTOCOL §8.3, SERVER §1.1): what the sender sets wins over what the SDK propagated.

use super::check::Fault;
use super::payload::{Members, kind};
use crate::error::Code;
use crate::limits::{SESSION_ID_BYTES_MAX, SESSION_KEY_BYTES_MAX, SESSIONS_PER_EVENT_MAX};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// `meta` with both layers of sessions merged into `sessions`; `None` where nothing is left. Without sessions it is as it came.
pub(crate) fn merged(meta: &RawValue) -> Result<Option<Box<RawValue>>, Fault> {
    let mut members: Members<'_> = serde_json::from_str(meta.get()).map_err(|e| invalid(e.to_string()))?;
    let is_layer = |key: &str| key == "sessions" || key == "propagated_sessions";
    if members.0.is_empty() {
        return Ok(None);
    }
    if !members.0.iter().any(|(key, _)| is_layer(key)) {
        return Ok(Some(meta.to_owned()));
    }
    let layer = |name: &str| members.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| *value);
    let sessions = sessions(layer("sessions"), layer("propagated_sessions"))?;
    members.0.retain(|(key, _)| !is_layer(key));
    let told = to_raw_value(&sessions).map_err(|e| invalid(e.to_string()))?;
    if !sessions.is_empty() {
        members.0.push(("sessions".to_owned(), &told));
    }
    if members.0.is_empty() {
        return Ok(None);
    }
    members.0.sort_by(|(a, _), (b, _)| a.cmp(b));
    to_raw_value(&members).map(Some).map_err(|e| invalid(e.to_string()))
}

/// `null` for one key, or for the whole field, cuts what would be inherited.
fn sessions(set: Option<&RawValue>, inherited: Option<&RawValue>) -> Result<BTreeMap<String, String>, Fault> {
    let set = match set {
        Some(set) if kind(set) == "null" => return Ok(BTreeMap::new()),
        Some(set) => layer("meta.sessions", set)?,
        None => BTreeMap::new(),
    };
    let mut sessions: BTreeMap<String, String> =
        set.iter().filter_map(|(key, value)| value.clone().map(|value| (key.clone(), value))).collect();
    if sessions.len() > SESSIONS_PER_EVENT_MAX {
        return Err(invalid(format!("event sessions can include at most {SESSIONS_PER_EVENT_MAX} entries")));
    }
    let inherited = match inherited {
        Some(inherited) if kind(inherited) != "null" => layer("meta.propagated_sessions", inherited)?,
        _ => BTreeMap::new(),
    };
    for (key, value) in inherited {
        if sessions.len() < SESSIONS_PER_EVENT_MAX
            && !set.contains_key(&key)
            && let Some(value) = value
        {
            sessions.insert(key, value);
        }
    }
    Ok(sessions)
}

fn layer(field: &str, layer: &RawValue) -> Result<BTreeMap<String, Option<String>>, Fault> {
    let members: Members<'_> = serde_json::from_str(layer.get())
        .map_err(|_| invalid(format!("`{field}` must be an object, not {}", kind(layer))))?;
    let mut sessions = BTreeMap::new();
    for (key, value) in members.0 {
        let id = match kind(value) {
            "null" => None,
            "a number" => Some(value.get().to_owned()),
            _ => Some(
                serde_json::from_str(value.get())
                    .map_err(|_| invalid(format!("event session {key:?} must be a string, number, or null")))?,
            ),
        };
        if key.len() > SESSION_KEY_BYTES_MAX || id.as_ref().is_some_and(|id: &String| id.len() > SESSION_ID_BYTES_MAX) {
            return Err(invalid(format!(
                "a session's key has at most {SESSION_KEY_BYTES_MAX} bytes and its id at most {SESSION_ID_BYTES_MAX}"
            )));
        }
        sessions.insert(key, id);
    }
    Ok(sessions)
}

fn invalid(message: String) -> Fault {
    Fault::new(Code::EventInvalid, "meta", message)
}
