//! Reads what starts a function (SERVER §1.6).

use super::fields::{Faults, Fields};
use super::{Function, Trigger};
use crate::cron::Schedule;
use crate::duration::parse_duration;
use crate::ids::Millis;
use crate::limits::{JITTER_MAX, JITTER_MIN, TRIGGER_NAME_CHARACTERS_MAX, TRIGGERS_PER_FUNCTION_MAX};
use serde::Serialize;

/// The triggers of a function's configuration. None at all is fine: such a function is only invoked.
pub(super) fn read(function: &Fields<'_>, faults: &mut Faults) -> Vec<Trigger> {
    let items = function.list("triggers", faults);
    if items.len() > TRIGGERS_PER_FUNCTION_MAX {
        let message = format!("{} triggers; at most {TRIGGERS_PER_FUNCTION_MAX} are possible", items.len());
        faults.add("trigger_limit", "triggers", message);
    }
    let mut triggers = Vec::new();
    for (path, item) in items.into_iter().take(TRIGGERS_PER_FUNCTION_MAX) {
        let Some(fields) = Fields::of(item, path.clone(), faults) else { continue };
        let Some(trigger) = read_one(&fields, faults) else { continue };
        if triggers.iter().any(|earlier| are_duplicates(earlier, &trigger)) {
            faults.add("trigger_duplicate", path, "is the same as an earlier trigger of this function");
        }
        triggers.push(trigger);
    }
    triggers
}

/// A trigger as SDKs write it and as the API shows it.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum TriggerView<'a> {
    Event {
        event: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        expression: Option<&'a str>,
    },
    Cron {
        cron: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        jitter: Option<&'a str>,
    },
}

impl<'a> TriggerView<'a> {
    pub(super) fn all(function: &'a Function) -> Vec<Self> {
        let view = |trigger: &'a Trigger| match trigger {
            Trigger::Event { name, expression } => Self::Event { event: name, expression: expression.as_deref() },
            Trigger::Cron { schedule, jitter } => Self::Cron { cron: schedule, jitter: jitter.as_deref() },
        };
        function.triggers.iter().map(view).collect()
    }
}

fn read_one(fields: &Fields<'_>, faults: &mut Faults) -> Option<Trigger> {
    let before = faults.details.len();
    let (event, cron) = (fields.text("event", faults), fields.text("cron", faults));
    match (event, cron) {
        (Some(name), None) => read_event(name, fields, faults),
        (None, Some(schedule)) => read_cron(schedule, fields, faults),
        (Some(_), Some(_)) => {
            faults.add("trigger_invalid", fields.own_path(), "has both an event and a cron; it must have one of them");
            None
        }
        (None, None) => {
            if faults.details.len() == before {
                faults.add("trigger_invalid", fields.own_path(), "has neither an event nor a cron");
            }
            None
        }
    }
}

fn read_event(name: &str, fields: &Fields<'_>, faults: &mut Faults) -> Option<Trigger> {
    if name.chars().count() > TRIGGER_NAME_CHARACTERS_MAX {
        let message = format!("is longer than {TRIGGER_NAME_CHARACTERS_MAX} characters");
        faults.add("event_name_invalid", fields.path("event"), message);
    }
    let expression = fields.expression("expression", "expression_invalid", faults);
    Some(Trigger::Event { name: name.to_owned(), expression })
}

fn read_cron(schedule: &str, fields: &Fields<'_>, faults: &mut Faults) -> Option<Trigger> {
    if let Err(fault) = Schedule::parse(schedule) {
        faults.add("schedule_invalid", fields.path("cron"), fault);
    }
    let is_none = |text: &str| text == "0" || parse_duration(text) == Some(Millis(0));
    let jitter = fields.text("jitter", faults).filter(|text| !is_none(text));
    if jitter.is_some() {
        fields.duration("jitter", "duration_invalid", JITTER_MIN..=JITTER_MAX, faults);
    }
    Some(Trigger::Cron { schedule: schedule.to_owned(), jitter: jitter.map(str::to_owned) })
}

/// Two crons on one schedule fire together even where their jitter differs.
fn are_duplicates(one: &Trigger, other: &Trigger) -> bool {
    match (one, other) {
        (Trigger::Cron { schedule: one, .. }, Trigger::Cron { schedule: other, .. }) => one == other,
        _ => one == other,
    }
}
