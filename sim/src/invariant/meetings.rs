//! Runs that wait for others: whoever waited has met whom it waited for, and nothing of it is left.

use super::pauses::By;
use super::watch::{Event, Watch, identity, k_of};
use super::{Invariant, Violation, require};
use crate::app::wire::EventBody;
use crate::home::Home;
use crate::reference::meet::Met;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use stepwell_engine::turn::ActorKind;

impl Watch {
    /// Whoever waited has met whom it waited for.
    ///
    /// # Errors
    /// It has not.
    pub fn everybody_has_met(&self, home: &Home) -> Result<(), Violation> {
        let events = events(home);
        self.every_wait_has_taken_what_it_should(&events)?;
        self.every_signal_has_arrived()?;
        self.every_end_has_reached_its_invoker()?;
        self.every_cancellation_has_arrived(home, &events)?;
        self.every_rerun_has_begun()?;
        self.every_schedule_was_kept()?;
        self.every_deferral_has_run()?;
        self.every_surrender_was_right()?;
        let left = home.of_kind(ActorKind::Waits).find_map(|cell| cell.rows.first_key_value());
        require(left.is_none(), Invariant::NoWaitsRemain, || {
            format!("of a wait there is left: {:?}", left.map(|(key, value)| (key, String::from_utf8_lossy(value))))
        })
    }

    fn every_wait_has_taken_what_it_should(&self, events: &[Met]) -> Result<(), Violation> {
        for (run, seen) in &self.runs {
            let Some(program) = self.programs.get(&seen.function) else { continue };
            for (id, pause) in &seen.pauses {
                let Some(ending) = &pause.ended else { continue };
                match &ending.by {
                    By::Event { id: taken, received_at } => {
                        let is_stored =
                            events.iter().any(|event| event.id == *taken && event.received_at == *received_at);
                        require(is_stored, Invariant::WaitsTakeOne, || {
                            format!("{run}: {id} took the event {taken}, which was not accepted at {received_at}")
                        })?;
                    }
                    By::Time if !self.has_clock_stepped => {
                        let Some(waiting) = seen.waiting(program, self.look_back_ms, id, pause) else { continue };
                        let before = pause.until.min(ending.at);
                        let in_time = |event: &&Met| event.received_at.saturating_add(self.slack_ms()) < before;
                        let missed = events.iter().filter(in_time).find(|event| waiting.is_met_by(event));
                        require(missed.is_none(), Invariant::WaitsMissNothing, || {
                            format!("{run}: {id} waited from {} to {before} and missed {missed:?}", waiting.since)
                        })?;
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Runs that the server gave up: where it had a reason to.
    fn every_surrender_was_right(&self) -> Result<(), Violation> {
        for (run, seen) in &self.runs {
            let Some(code) = &seen.given_up else { continue };
            let is_right = match code.as_str() {
                "signal_conflict" => self.has_rival(seen) || self.has_clock_stepped,
                _ => self.lacked.contains(&seen.function) || seen.is_doomed,
            };
            require(is_right, Invariant::MeetsTheModel, || format!("{run} of {} was given up: {code}", seen.function))?;
        }
        Ok(())
    }
}

/// An event as those who wait see it; it carries what was sent.
pub(super) fn met(sent: &BTreeMap<String, Event>, id: &str, received_at: u64, whole: &str) -> Result<Met, Violation> {
    let event: EventBody<'_> = serde_json::from_str(whole)
        .map_err(|e| Violation { invariant: Invariant::NoFault, what: format!("an event that a wait took: {e}") })?;
    let as_sent = sent.get(&identity(&event));
    require(as_sent.is_none_or(|sent| sent.data == event.data.get()), Invariant::PayloadsAreOpaque, || {
        format!("{as_sent:?} arrives as {whole}")
    })?;
    Ok(Met { id: id.to_owned(), name: event.name, received_at, k: k_of(event.data) })
}

/// All events that were accepted; what came again is the one that it is the same as.
fn events(home: &Home) -> Vec<Met> {
    #[derive(Deserialize)]
    struct Row<'a> {
        name: String,
        received_at: u64,
        #[serde(default)]
        same_as: Option<String>,
        #[serde(borrow)]
        event: &'a RawValue,
    }
    let rows = home.streams().flat_map(|cell| &cell.rows);
    let event = |(key, value): (&String, &std::rc::Rc<[u8]>)| {
        let row: Row<'_> = serde_json::from_slice(value).ok()?;
        let event: EventBody<'_> = serde_json::from_str(row.event.get()).ok()?;
        let id = row.same_as.unwrap_or(key.strip_prefix("event/")?.to_owned());
        Some(Met { id, name: row.name, received_at: row.received_at, k: k_of(event.data) })
    };
    rows.filter_map(event).collect()
}
