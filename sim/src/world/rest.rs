//! What must hold when nothing happens any more.

use super::World;
use crate::home;
use crate::invariant::{Invariant, Violation, require};

impl World {
    /// Nothing is left to happen, but what users may still begin.
    pub(super) fn everything_has_ended(&self) -> Result<(), Violation> {
        self.watch.every_run_has_ended()?;
        home::owes_nothing(self)
    }

    /// Nothing is left to happen.
    pub(super) fn at_rest(&self) -> Result<(), Violation> {
        require(self.users.are_done(), Invariant::EverythingEnds, || "a user waits for ever".to_owned())?;
        self.watch.every_run_is_as_planned(&self.app)?;
        self.watch.every_end_is_told_once(&self.home)?;
        self.watch.every_event_started_its_runs(&self.app, &self.home)?;
        self.watch.flow_was_controlled(&self.app, &self.home)?;
        self.watch.everybody_has_met(&self.home)
    }
}
