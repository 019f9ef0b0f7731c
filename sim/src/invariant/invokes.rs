//! Functions that invoke functions: each starts the other one once, and hears of its end.

use super::pauses::{By, Pause};
use super::run::{Ended, Seen};
use super::watch::Watch;
use super::{Invariant, Violation, require};
use crate::app::program::Act;
use std::collections::BTreeMap;

impl Watch {
    /// Every invocation has started its function, and was told of its end.
    pub(super) fn every_end_has_reached_its_invoker(&self) -> Result<(), Violation> {
        let invoked: BTreeMap<(&str, &str), (&String, &Seen)> = self
            .runs
            .iter()
            .filter(|(_, seen)| seen.event_name == super::ends::INVOKED && seen.again.is_none())
            .map(|(run, seen)| ((seen.event.as_str(), seen.function.as_str()), (run, seen)))
            .collect();
        for (run, seen) in &self.runs {
            let Some(program) = self.programs.get(&seen.function) else { continue };
            for (id, pause) in &seen.pauses {
                let Some(Act::Invoke { function, .. }) = program.member(id).map(|member| &member.act) else { continue };
                let (mark, slug) = (format!("{run}/{id}"), format!("app-{function}"));
                let child = invoked.get(&(mark.as_str(), slug.as_str())).copied();
                let is_held_back = self.programs.get(&slug).is_some_and(|program| program.flow.before.is_some());
                let may_lack = self.lacked.contains(&slug) || is_held_back;
                require(child.is_some() || may_lack, Invariant::StartsOnce, || {
                    format!("{mark} has not started {slug}")
                })?;
                let fault = self.fault_of(pause, child, may_lack);
                require(fault.is_none(), Invariant::FinishesReachInvokers, || {
                    format!("{mark}: {fault:?}; {pause:?}, {:?}", child.map(|(run, seen)| (run, &seen.ended)))
                })?;
            }
        }
        Ok(())
    }

    fn fault_of(&self, pause: &Pause, child: Option<(&String, &Seen)>, may_lack: bool) -> Option<&'static str> {
        let ending = pause.ended.as_ref()?;
        match (&ending.by, child) {
            (By::Return { run, value }, Some((child, seen))) => {
                let ended = seen
                    .ended
                    .as_ref()
                    .map(|ended| if let Ended::Completed(value) = ended { Some(value) } else { None });
                let is_told = run.as_ref() == Some(child) && ended == Some(value.as_ref());
                // The function was not there, and came back.
                let never_began = run.is_none() && value.is_none() && may_lack;
                (!is_told && !never_began).then_some("it was told of another end")
            }
            (By::Return { run, value }, None) => (run.is_some() || value.is_some()).then_some("nobody ended"),
            (By::Time, Some((_, seen))) => {
                let before = pause.until.min(ending.at);
                let is_late = seen.ended_at.is_none_or(|at| at.saturating_add(self.slack_ms()) >= before);
                (!is_late && !self.has_clock_stepped).then_some("it was not told of an end")
            }
            (By::Time, None) => None,
            _ => Some("it waited for nothing else"),
        }
    }
}
