//! What cancels runs: whoever should be cancelled is, and nobody else.

use super::journal::Canceller;
use super::run::{Ended, Seen};
use super::watch::Watch;
use super::{Invariant, Violation, require};
use crate::home::Home;
use crate::reference::meet::{Met, Waiting, moment_of};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A bulk cancellation, as it is stored.
#[derive(Debug, Deserialize)]
struct Bulk {
    id: String,
    created_at: u64,
    function: String,
    started_after: Option<u64>,
    started_before: u64,
    r#if: Option<String>,
}

impl Bulk {
    /// Whether it is about this run: its function, the moment of its event, and the number in it.
    fn concerns(&self, run: &str, seen: &Seen) -> bool {
        let at = moment_of(run);
        let k = self.r#if.as_deref().map(|text| text.trim_start_matches("event.data.k == ").parse().ok());
        self.function == seen.function
            && at <= self.started_before
            && self.started_after.is_none_or(|after| at >= after)
            && k.is_none_or(|k| k.is_some() && k == seen.k)
    }
}

impl Watch {
    /// Every run that was cancelled should have been, and every one that should have been was.
    pub(super) fn every_cancellation_has_arrived(&self, home: &Home, events: &[Met]) -> Result<(), Violation> {
        let kept = bulk(home);
        for (run, seen) in self.runs.iter().filter(|(_, seen)| seen.rows > 0) {
            let watches = self.watches(seen);
            if let Some(by) = &seen.cancelled_by {
                let is_right = match by {
                    Canceller::Request => self.to_be_cancelled.contains(run),
                    Canceller::Event(id) => {
                        let mut came = events.iter().filter(|event| event.id == *id);
                        came.any(|event| watches.iter().any(|watch| watch.is_met_by(event)))
                    }
                    Canceller::Bulk(id) => kept.get(id).is_some_and(|bulk| bulk.concerns(run, seen)),
                    // Those are checked as they are written.
                    Canceller::Singleton => self.is_singleton(&seen.function),
                    Canceller::StartTimeout | Canceller::FinishTimeout => true,
                };
                require(is_right, Invariant::MeetsTheModel, || {
                    format!("{run} of {} is cancelled: {by:?}", seen.function)
                })?;
            }
            if seen.ended == Some(Ended::Cancelled) || self.has_clock_stepped || self.lacked.contains(&seen.function) {
                continue;
            }
            let over = seen.ended_at.unwrap_or(u64::MAX);
            let slack = self.slack_ms();
            let event = events.iter().find(|event| {
                let in_time = |watch: &Waiting<'_>| event.received_at.saturating_add(slack) < watch.until.min(over);
                watches.iter().any(|watch| watch.is_met_by(event) && in_time(watch))
            });
            require(event.is_none(), Invariant::CancellationsArrive, || {
                format!("{run} of {} was to be cancelled by {event:?} and ended at {over}", seen.function)
            })?;
            let told = |bulk: &&Bulk| bulk.created_at.max(seen.started_at).saturating_add(slack.max(BULK_MS)) < over;
            let missed = kept.values().filter(told).find(|bulk| bulk.concerns(run, seen));
            require(missed.is_none(), Invariant::CancellationsArrive, || {
                format!("{run} of {} was to be cancelled by {missed:?} and ended at {over}", seen.function)
            })?;
        }
        Ok(())
    }

    /// The events that cancel a run.
    fn watches<'a>(&'a self, seen: &'a Seen) -> Vec<Waiting<'a>> {
        let program = self.programs.get(&seen.function);
        let watch = |on: &'a crate::app::program::CancelOn| Waiting {
            event: &on.event,
            condition: on.condition,
            own: seen.k,
            since: seen.received_at,
            after: seen.event_ids.first().map(String::as_str),
            until: on
                .timeout_s
                .map_or(u64::MAX, |seconds| seen.started_at.saturating_add(seconds.saturating_mul(1_000))),
            without: seen.event_ids.iter().map(String::as_str).collect(),
        };
        program.into_iter().flat_map(|program| program.cancel_on.iter().map(watch)).collect()
    }
}

/// How long runs may take to hear of a bulk cancellation: it goes from page to page by alarms, which may come late.
const BULK_MS: u64 = 15 * 60_000;

/// All that are kept.
fn bulk(home: &Home) -> BTreeMap<String, Bulk> {
    #[derive(Deserialize)]
    struct Row {
        cancellation: Bulk,
    }
    let rows = home.cells.values().flat_map(|cell| &cell.rows).filter(|(key, _)| key.starts_with("cancel/"));
    let rows = rows.filter_map(|(_, value)| serde_json::from_slice::<Row>(value).ok());
    rows.map(|row| (row.cancellation.id.clone(), row.cancellation)).collect()
}
