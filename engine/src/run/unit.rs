//! A unit of work of a run: one thing that the app is to be called for, retried with its own budget (PROTOCOL §4.3).

use super::errand::Errand;
use crate::ids::{Millis, StepId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// Which unit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UnitId {
    /// The n-th request of this run that asks "what is next?"; the first is 0.
    Discovery(u32),
    /// The request to run exactly this planned step.
    Step(StepId),
}

impl UnitId {
    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':')? {
            ("discovery", number) => number.parse().ok().map(Self::Discovery),
            ("step", id) => Some(Self::Step(id.into())),
            _ => None,
        }
    }

    /// What goes into the `stepId` of the call's query (PROTOCOL §3.1).
    #[must_use]
    pub fn step_id(&self) -> &str {
        match self {
            Self::Discovery(_) => "step",
            Self::Step(id) => id.as_str(),
        }
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Discovery(number) => write!(out, "discovery:{number}"),
            Self::Step(id) => write!(out, "step:{id}"),
        }
    }
}

impl Serialize for UnitId {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UnitId {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a unit of work"))
    }
}

/// Where a unit stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Failed attempts so far, since the last success.
    pub attempt: u32,
    /// Counts dispatches; an answer or a checkpoint of an earlier one is stale (law 8).
    pub generation: u32,
    /// Not to be sent before this moment.
    pub due: Millis,
    /// The 1-based place in the stack of the step that caused this unit; 0 at the start (PROTOCOL §5.8).
    pub cause: usize,
    /// What had been said of deferrals when this dispatch came to be owed: its call tells at least that much.
    pub deferrals: u32,
    /// The server does this itself, rather than call the app.
    pub errand: Option<Arc<Errand>>,
}

impl Unit {
    /// A unit that may be sent at `due`.
    #[must_use]
    pub const fn new(due: Millis, cause: usize, deferrals: u32) -> Self {
        Self { attempt: 0, generation: 1, due, cause, deferrals, errand: None }
    }

    /// The next dispatch of it.
    pub const fn dispatch_again(&mut self, deferrals: u32) {
        self.generation = self.generation.saturating_add(1);
        self.deferrals = deferrals;
    }
}

/// The identity of one call: derived, so that a shell recognises what it has in flight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId {
    /// The unit that is tried.
    pub unit: UnitId,
    /// Which dispatch of it.
    pub generation: u32,
}

impl CallId {
    /// The call's id within a whole server.
    #[must_use]
    pub fn in_run(&self, run: crate::ids::RunId) -> String {
        format!("{run}/{}/{}", self.unit, self.generation)
    }

    /// Reads what [`CallId::in_run`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (_run, rest) = text.split_once('/')?;
        let (unit, generation) = rest.rsplit_once('/')?;
        Some(Self { unit: UnitId::parse(unit)?, generation: generation.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{EventId, RunId};

    #[test]
    fn call_ids_read_back_whatever_a_step_is_called() {
        let run = RunId::derived(EventId::new(Millis(1), 2), &"f".into());
        for unit in [UnitId::Discovery(7), UnitId::Step("a/b:c/3".into())] {
            let id = CallId { unit, generation: 4 };
            assert_eq!(CallId::parse(&id.in_run(run)), Some(id));
        }
        assert_eq!(CallId::parse("nonsense"), None);
    }

    #[test]
    fn a_unit_reads_back_what_it_is_written_as_and_nothing_else() {
        for (text, unit, step) in
            [("discovery:7", UnitId::Discovery(7), "step"), ("step:a:b", UnitId::Step("a:b".into()), "a:b")]
        {
            assert_eq!(
                (UnitId::parse(text), unit.to_string().as_str(), unit.step_id()),
                (Some(unit.clone()), text, step)
            );
            assert_eq!(serde_json::from_str::<UnitId>(&serde_json::to_string(&unit).unwrap()).unwrap(), unit);
        }
        for text in ["discovery", "discovery:x", "other:1", ""] {
            assert_eq!(UnitId::parse(text), None);
            assert!(serde_json::from_value::<UnitId>(text.into()).is_err());
        }
    }

    #[test]
    fn what_is_no_call_id_is_none() {
        for text in ["r/step:a", "r/step:a/x", "r/other:a/1", "step:a/1"] {
            assert_eq!(CallId::parse(text), None, "{text}");
        }
    }
}
