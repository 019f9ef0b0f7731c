//! A function as it was registered (PROTOCOL §1.5).

use super::{Callee, Derived, Flow};
use crate::duration::parse_duration;
use crate::ids::{AppId, FunctionId, Millis};
use serde::{Deserialize, Serialize};

/// A registered function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// The slug.
    pub id: FunctionId,
    /// Whose it is.
    pub app: AppId,
    /// For people.
    pub name: String,
    /// Where calls go, with `fnId` and `stepId` in its query.
    pub url: String,
    /// Retries, not attempts: already clamped, the default filled in.
    pub retries: u32,
    /// What starts it.
    pub triggers: Vec<Trigger>,
    /// Counts the syncs that changed it, from 1.
    pub version: u32,
    /// No longer in its app's newest sync: starts no runs, finishes those it has.
    #[serde(default)]
    pub archived: bool,
    /// It is paused until it is resumed; syncs leave that as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// When its runs start, and how many at once.
    #[serde(default, skip_serializing_if = "Flow::is_none")]
    pub flow: Flow,
    /// So many calls of its app may be under way at once: what the settings say of every function ([`super::Catalog::under`]).
    #[serde(skip)]
    pub app_calls_max: Option<u32>,
    /// What [`Function::callee`] gives.
    #[serde(skip)]
    pub callee: Derived<Callee>,
}

impl Function {
    /// The function as calls name it.
    #[must_use]
    pub fn callee(&self) -> &Callee {
        self.callee.get_or_make(|| Callee::new(&self.id, &self.url))
    }

    /// Its runs make no calls.
    #[must_use]
    pub fn holds_calls(&self) -> bool {
        self.paused.is_some_and(Pause::holds_calls)
    }

    /// The schedules that start it, each with its jitter; none where it is archived.
    pub fn schedules(&self) -> impl Iterator<Item = (&str, Option<Millis>)> {
        let live = self.triggers.iter().filter(|_| !self.archived);
        live.filter_map(|trigger| match trigger {
            Trigger::Cron { schedule, jitter } => Some((schedule.as_str(), jitter.as_deref().and_then(parse_duration))),
            Trigger::Event { .. } => None,
        })
    }
}

/// What becomes of the runs of a function while it is paused, and of the events that would start it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Pause {
    /// Their runs wait to begin.
    #[default]
    Keep,
    /// Their runs are recorded, and never begin.
    Skip,
    /// As with `Skip`; but the runs that there are go on, until there are none.
    Drain,
}

impl Pause {
    /// The runs that there are make no calls.
    #[must_use]
    pub const fn holds_calls(self) -> bool {
        matches!(self, Self::Keep | Self::Skip)
    }
}

/// What starts a function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trigger {
    /// An event by name or wildcard, where the expression (if any) holds.
    Event {
        /// A name, `prefix/*` or `prefix.*`.
        name: String,
        /// CEL over `event`.
        expression: Option<String>,
    },
    /// A schedule.
    Cron {
        /// Five fields, perhaps with a `TZ=` before them.
        schedule: String,
        /// As it was written.
        jitter: Option<String>,
    },
}
