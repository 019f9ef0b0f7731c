//! Functions that runs defer: each that stands when its run is over runs then, once, and no other does.

use super::run::Seen;
use super::watch::Watch;
use super::{Invariant, Violation, require};
use crate::app::program::Act;
use std::collections::BTreeSet;

/// The event that starts what was deferred (PROTOCOL §7.14).
pub(super) const DEFERRED: &str = "inngest/deferred.schedule";

/// What a row says of a deferral.
#[derive(Clone, Debug)]
pub enum Deferral {
    /// This function is to run.
    Add(String),
    /// It was refused.
    Refuse,
    /// The one that was said under this id is not to.
    Abort(String),
}

impl Seen {
    /// A row says something of a deferral. What was said first stands.
    pub(super) fn defers(&mut self, id: &str, deferral: &Deferral) {
        match deferral {
            Deferral::Add(function) => {
                self.deferred.entry(id.to_owned()).or_insert_with(|| Some(function.clone()));
            }
            Deferral::Refuse => {
                self.deferred.entry(id.to_owned()).or_insert(None);
            }
            Deferral::Abort(of) => {
                if let Some(known) = self.deferred.get_mut(of) {
                    *known = None;
                }
            }
        }
    }
}

impl Watch {
    /// Whatever was deferred has run, once its run was over; and nothing else was started in that way.
    pub(super) fn every_deferral_has_run(&self) -> Result<(), Violation> {
        let started: BTreeSet<(&str, &str)> = self
            .runs
            .values()
            .filter(|seen| seen.event_name == DEFERRED && seen.again.is_none())
            .map(|seen| (seen.event.as_str(), seen.function.as_str()))
            .collect();
        for (run, seen) in self.runs.iter().filter(|(_, seen)| seen.ended.is_some()) {
            for (id, function) in seen.deferred.iter().filter_map(|(id, function)| Some((id, function.as_ref()?))) {
                let has_run = started.contains(&(format!("{run}/{id}").as_str(), function.as_str()));
                require(has_run || self.lacked.contains(function), Invariant::DeferralsRun, || {
                    format!("{run} deferred {function} under {id}, which did not run")
                })?;
            }
            self.has_deferred_what_it_says(run, seen)?;
        }
        for (run, seen) in self.runs.iter().filter(|(_, seen)| seen.event_name == DEFERRED) {
            let parent = seen.event.split_once('/').and_then(|(parent, id)| Some((self.runs.get(parent)?, id)));
            let stands = parent.is_some_and(|(parent, id)| {
                let is_after = parent.ended_at.is_some_and(|at| at <= seen.started_at)
                    || self.has_clock_stepped && parent.ended.is_some();
                is_after && parent.deferred.get(id) == Some(&Some(seen.function.clone()))
            });
            require(stands, Invariant::DeferralsRun, || {
                format!("{run} of {} was started by {}, which does not stand", seen.function, seen.event)
            })?;
        }
        Ok(())
    }

    /// A run that came to its function's end has deferred all that the function defers, and taken back what it takes back.
    fn has_deferred_what_it_says(&self, run: &str, seen: &Seen) -> Result<(), Violation> {
        let is_whole = matches!(seen.ended, Some(super::run::Ended::Completed(_)));
        let Some(program) = self.programs.get(&seen.function).filter(|program| is_whole && !program.wanders) else {
            return Ok(());
        };
        for member in program.members() {
            if let Act::Defer { function, .. } = &member.act {
                let is_taken_back =
                    program.members().any(|other| matches!(&other.act, Act::TakeBack { of } if *of == member.id));
                let due = (!is_taken_back).then(|| format!("app-{function}"));
                let said = seen.deferred.get(&member.id);
                require(said == Some(&due) || is_taken_back && said.is_none(), Invariant::DeferralsRun, || {
                    format!("{run} should have deferred {due:?} under {} and has {said:?}", member.id)
                })?;
            }
        }
        Ok(())
    }
}
