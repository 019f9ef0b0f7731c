//! What must hold at the end.

use super::run::Ended;
use super::watch::Watch;
use super::{Invariant, Violation, require};
use crate::app::App;
use crate::app::program::Before;
use crate::app::wire::EventBody;
use crate::home::Home;
use crate::reference::{self, Outcome};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

impl Watch {
    /// Every run that began has ended.
    ///
    /// # Errors
    /// One has not.
    pub fn every_run_has_ended(&self) -> Result<(), Violation> {
        for (run, seen) in &self.runs {
            require(seen.ended.is_some() || seen.rows == 0, Invariant::EverythingEnds, || {
                format!("{run} of {} has not ended", seen.function)
            })?;
        }
        Ok(())
    }

    /// Every run came to what the reference model says, in as many rows, and its code ran as often.
    ///
    /// # Errors
    /// One did not.
    pub fn every_run_is_as_planned(&self, app: &App) -> Result<(), Violation> {
        for (run, seen) in &self.runs {
            let Some(plan) = self.plans.get(&seen.function) else { continue };
            let Some(ended) = &seen.ended else { continue };
            let due = plan.outcome(&seen.memos);
            let met = match ended {
                // Whether it should have been is asked elsewhere.
                Ended::Cancelled | Ended::Skipped => true,
                Ended::Failed => seen.is_doomed || seen.given_up.is_some() || due != Outcome::Completes,
                Ended::Completed(_) => due != Outcome::Fails,
            };
            require(met, Invariant::MeetsTheModel, || {
                format!("{run} of {} is {ended:?}, but {due:?} is due", seen.function)
            })?;
            if let Ended::Completed(output) = ended {
                let fault = plan.compare(output, &seen.memos, self.is_signed);
                require(fault.is_none(), Invariant::MeetsTheModel, || {
                    format!("{run} of {}: {fault:?}", seen.function)
                })?;
            }
            if matches!(ended, Ended::Cancelled | Ended::Skipped) || seen.given_up.is_some() || seen.is_disturbed {
                continue;
            }
            let tries = |id: &str| app.tries.get(&(run.clone(), id.to_owned())).copied().unwrap_or(0);
            let copied = seen.copied();
            let odd = plan.odd_tries(&tries, &seen.memos, &copied);
            require(odd.is_none(), Invariant::RunsAsOftenAsItSays, || format!("{run} of {}: {odd:?}", seen.function))?;
            require(
                plan.allows_rows(seen.rows.saturating_sub(seen.began_at.is_some().into()), &copied),
                Invariant::OneRowPerStep,
                || format!("{run} of {} wrote {} rows; {}", seen.function, seen.rows, plan.rows_told(&copied)),
            )?;
        }
        Ok(())
    }

    /// The stream was told once of the end of every run, and by every run that ended.
    ///
    /// # Errors
    /// It was not.
    pub fn every_end_is_told_once(&self, home: &Home) -> Result<(), Violation> {
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for (name, identity) in stored_events(home) {
            if name.starts_with("inngest/function.") && name != INVOKED {
                let count = told.entry(identity).or_default();
                *count = count.saturating_add(1);
            }
        }
        for (run, seen) in self.runs.iter().filter(|(_, seen)| seen.rows > 0) {
            for name in reference::events_of_end(&seen.event_name, seen.ended.as_ref()) {
                let count = told.remove(&format!("{name} {run}")).unwrap_or(0);
                require(count == 1, Invariant::EndsOnce, || format!("{name} of {run} was told {count} times"))?;
            }
        }
        require(told.is_empty(), Invariant::EndsOnce, || format!("ends were told that did not come: {told:?}"))
    }

    /// Every acknowledged event started each of its functions, nothing was started twice, and nothing by what was refused.
    ///
    /// # Errors
    /// It is not so.
    pub fn every_event_started_its_runs(&self, app: &App, home: &Home) -> Result<(), Violation> {
        let mut started: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for seen in self.runs.values().filter(|seen| seen.rows > 0) {
            let is_known = self.sent.contains_key(&seen.event) || seen.event_name.starts_with("inngest/");
            require(is_known, Invariant::RefusedMeansNothing, || {
                format!("{} of the event {} runs, which nobody sent", seen.function, seen.event)
            })?;
            if seen.again.is_some() {
                continue;
            }
            let count = started.entry((&seen.event, &seen.function)).or_default();
            *count = count.saturating_add(1);
        }
        for ((event, function), count) in &started {
            require(*count == 1, Invariant::StartsOnce, || format!("{event} started {function} {count} times"))?;
        }
        let ends = stored_events(home).into_iter().filter(|(name, _)| name.starts_with("inngest/"));
        let own = self.acknowledged.iter().filter_map(|own| Some((self.sent.get(own)?.name.clone(), own.clone())));
        for (name, event) in own.chain(ends) {
            for program in app.programs.iter().filter(|program| program.triggers.contains(&name)) {
                // What becomes of events that are held back is asked elsewhere.
                let is_held_back = program.flow.before.is_some_and(|before| !matches!(before, Before::Singleton(_)));
                let is_stable = !app.deployed.lacked.contains(&program.name) && !is_held_back;
                let has_started = started.contains_key(&(event.as_str(), program.slug().as_str()));
                require(has_started || !is_stable, Invariant::StartsOnce, || {
                    format!("{event} ({name}) was acknowledged and has not started {}", program.slug())
                })?;
            }
        }
        Ok(())
    }
}

/// The event by which a function is invoked.
pub(super) const INVOKED: &str = "inngest/function.invoked";

/// The name and identity of every stored event; the same identity once, but for what the server makes itself.
pub(super) fn stored_events(home: &Home) -> Vec<(String, String)> {
    #[derive(Deserialize)]
    struct Row<'a> {
        #[serde(borrow)]
        event: &'a RawValue,
    }
    let rows = home.streams().flat_map(|cell| &cell.rows);
    rows.filter(|(key, _)| key.starts_with("event/"))
        .filter_map(|(_, value)| {
            let row: Row<'_> = serde_json::from_slice(value).ok()?;
            let event: EventBody<'_> = serde_json::from_str(row.event.get()).ok()?;
            Some((event.name.clone(), super::watch::identity(&event)))
        })
        .collect()
}
