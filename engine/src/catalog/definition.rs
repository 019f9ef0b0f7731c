//! Reads a function's configuration, and says all that is wrong with it (PROTOCOL §1.5, §1.6; SERVER §1.6).

use super::fields::{Faults, Fields, kind};
use super::serve_url::url_fault;
use super::{Derived, Flow, Function, triggers};
use crate::ids::AppId;
use crate::limits::{NAME_BYTES_MAX, RETRIES_DEFAULT, RETRIES_MAX};
use serde_json::Value;

/// The function that `value`, at `position` in the list of the app's functions, describes. Its version is still 0.
///
/// `None` only where a fault was added; a function may be read with faults.
pub(super) fn read(app: &AppId, position: usize, value: &Value, faults: &mut Faults) -> Option<Function> {
    faults.subject = format!("functions[{position}]");
    let Value::Object(map) = value else {
        faults.add("type_invalid", "functions", format!("a function must be an object, not {}", kind(value)));
        return None;
    };
    let fields = Fields::top(map);
    let id = name(&fields, "id", faults);
    if let Some(id) = id {
        id.clone_into(&mut faults.subject);
    }
    let name = name(&fields, "name", faults);
    let triggers = triggers::read(&fields, faults);
    let step = read_step(&fields, faults);
    let flow = Flow::read(&fields, faults);
    let (url, retries) = step?;
    Some(Function {
        id: id?.into(),
        app: app.clone(),
        name: name?.to_owned(),
        url,
        retries,
        triggers,
        version: 0,
        archived: false,
        paused: None,
        flow,
        app_calls_max: None,
        callee: Derived::default(),
    })
}

fn name<'a>(fields: &Fields<'a>, field: &str, faults: &mut Faults) -> Option<&'a str> {
    let before = faults.details.len();
    let text = fields.text(field, faults).filter(|text| !text.trim().is_empty());
    match text {
        None if faults.details.len() == before => faults.add("function_name_missing", field, "is missing"),
        Some(text) if text.len() > NAME_BYTES_MAX => {
            faults.add("function_name_invalid", field, format!("is longer than {NAME_BYTES_MAX} bytes"));
        }
        _ => {}
    }
    text
}

/// The one step of a function: its address and its retries.
fn read_step(function: &Fields<'_>, faults: &mut Faults) -> Option<(String, u32)> {
    let before = faults.details.len();
    let steps: Vec<_> = function.object("steps", faults).map_or_else(Vec::new, |steps| steps.values().collect());
    let count = steps.len();
    let Some((path, step)) = steps.into_iter().next().filter(|_| count == 1) else {
        if faults.details.len() == before {
            faults.add("step_count_invalid", "steps", format!("a function has exactly one step; this one has {count}"));
        }
        return None;
    };
    let step = Fields::of(step, path, faults)?;
    let retries = step.object("retries", faults).map_or(RETRIES_DEFAULT, |retries| read_retries(&retries, faults));
    let before = faults.details.len();
    let Some(runtime) = step.object("runtime", faults) else {
        if faults.details.len() == before {
            faults.add("url_invalid", step.path("runtime"), "is missing");
        }
        return None;
    };
    let url = runtime.text("url", faults).unwrap_or_default();
    if let Some(fault) = url_fault(url) {
        faults.add("url_invalid", runtime.path("url"), fault);
    }
    Some((url.to_owned(), retries))
}

/// Too many and too few are not refused but clamped (SERVER §3.2).
fn read_retries(retries: &Fields<'_>, faults: &mut Faults) -> u32 {
    match retries.get("attempts") {
        None => RETRIES_DEFAULT,
        Some(value) if value.as_i64().is_some_and(|attempts| attempts < 0) => 0,
        Some(Value::Number(number)) if number.is_u64() => {
            number.as_u64().and_then(|attempts| u32::try_from(attempts).ok()).unwrap_or(RETRIES_MAX).min(RETRIES_MAX)
        }
        Some(other) => {
            faults.add(
                "type_invalid",
                retries.path("attempts"),
                format!("must be a whole number, not {}", kind(other)),
            );
            RETRIES_DEFAULT
        }
    }
}
