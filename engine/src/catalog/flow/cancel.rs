//! Events that cancel a run (SERVER §2.10).

use crate::catalog::fields::{Faults, Fields};
use crate::duration::{parse_date, parse_duration};
use crate::expression::Scope;
use crate::ids::Millis;
use crate::limits::{CANCELS_PER_FUNCTION_MAX, TRIGGER_NAME_CHARACTERS_MAX};
use serde::{Deserialize, Serialize};

/// An event that cancels a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cancel {
    /// Its exact name.
    pub event: String,
    /// CEL over `event` (the run's) and `async` (the cancelling one).
    #[serde(default, rename = "if", skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// For how long it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<CancelUntil>,
}

/// When an event ceases to cancel a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelUntil {
    /// So long after the run began.
    After(Millis),
    /// At this moment.
    At(Millis),
}

/// The `cancel` list of a function.
pub(super) fn read(function: &Fields<'_>, faults: &mut Faults) -> Vec<Cancel> {
    let items = function.list("cancel", faults);
    if items.len() > CANCELS_PER_FUNCTION_MAX {
        let message = format!("{} events cancel it; at most {CANCELS_PER_FUNCTION_MAX} may", items.len());
        faults.add("cancel_limit", "cancel", message);
    }
    let items = items.into_iter().take(CANCELS_PER_FUNCTION_MAX);
    items.filter_map(|(path, item)| read_one(&Fields::of(item, path, faults)?, faults)).collect()
}

fn read_one(fields: &Fields<'_>, faults: &mut Faults) -> Option<Cancel> {
    let event = fields.text("event", faults);
    match event {
        None => faults.add("event_name_invalid", fields.path("event"), "a cancellation needs the name of an event"),
        Some(name) if name.chars().count() > TRIGGER_NAME_CHARACTERS_MAX => {
            let message = format!("is longer than {TRIGGER_NAME_CHARACTERS_MAX} characters");
            faults.add("event_name_invalid", fields.path("event"), message);
        }
        Some(_) => {}
    }
    let condition = fields.expression_in(Scope::Wait, "if", "expression_invalid", faults);
    let until = fields.text("timeout", faults).and_then(|text| {
        let until = parse_duration(text).map(CancelUntil::After).or_else(|| parse_date(text).map(CancelUntil::At));
        if until.is_none() {
            let message = format!("{text:?} is neither a duration such as \"1h\" nor a date");
            faults.add("duration_invalid", fields.path("timeout"), message);
        }
        until
    });
    Some(Cancel { event: event?.to_owned(), condition, until })
}
