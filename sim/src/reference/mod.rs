//! What should become of things, found without the engine: read the program, top to bottom.
//!
//! A small naive model. It knows nothing of journals, units, generations or homes: a function's stages run one after
//! another, a step throws as often as it says, and what started once starts once. What depends on when others came by (an
//! event, a signal, the end of another run) is judged by [`meet`], from what was recorded of them.

pub mod meet;
mod plan;

pub use plan::{Due, Outcome, Plan};

use crate::invariant::run::Ended;

/// The events that the end of a run causes, by name; none for runs that such events started.
#[must_use]
pub fn events_of_end(started_by: &str, ended: Option<&Ended>) -> &'static [&'static str] {
    if matches!(started_by, "inngest/function.finished" | "inngest/function.failed") {
        return &[];
    }
    match ended {
        None | Some(Ended::Skipped) => &[],
        Some(Ended::Completed(_)) => &["inngest/function.finished"],
        Some(Ended::Failed) => &["inngest/function.finished", "inngest/function.failed"],
        Some(Ended::Cancelled) => &["inngest/function.finished", "inngest/function.cancelled"],
    }
}
