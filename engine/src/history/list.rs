//! Pages of runs, the newest first.

use super::row::RunRow;
use crate::error::{Fault, Refusal};
use crate::ids::{EventId, FunctionId, Millis, RunId};
use crate::limits::PAGE_ROWS_MAX;
use crate::run::message::Status;
use crate::turn::{Done, Outcome, Range, Turn};
use serde::Serialize;

/// Answers a page.
pub(super) fn runs(turn: &Turn<'_>, token: u64, limit: u32, before: Option<RunId>) -> Result<Outcome, Fault> {
    let limit = limit.min(PAGE_ROWS_MAX);
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    // A run has at most two rows, so the first `limit` runs are whole in twice as many rows.
    let range = before_range(before, limit.saturating_mul(2));
    let Some(rows) = turn.supplied.get(&range) else { return Ok(Outcome::Needs(vec![range])) };
    let rows = rows.iter().map(RunRow::decode).collect::<Result<Vec<_>, _>>()?;
    let listed: Vec<Listed> = rows.chunk_by(|(a, _), (b, _)| a == b).filter_map(Listed::of).take(wanted).collect();
    let mut done = Done::default();
    done.reply(token, &Ok::<_, Refusal>(&listed))?;
    Ok(Outcome::Done(done))
}

fn before_range(before: Option<RunId>, limit: u32) -> Range {
    let end = before.map_or_else(|| "run0".to_owned(), |run| format!("run/{run}"));
    Range { start: "run/".to_owned(), end, limit, descending: true }
}

/// A run in a list.
#[derive(Serialize)]
struct Listed {
    run_id: RunId,
    function_id: FunctionId,
    event_id: EventId,
    status: Status,
    started_at_ms: Millis,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at_ms: Option<Millis>,
}

impl Listed {
    /// From the rows of one run.
    fn of(rows: &[(RunId, RunRow)]) -> Option<Self> {
        let ended = rows.iter().find_map(|(_, row)| if let RunRow::Ended(ended) = row { Some(ended) } else { None });
        let (run, first) = rows.first()?;
        let began = match first {
            RunRow::Started(began) => began,
            RunRow::Ended(ended) => &ended.began,
        };
        Some(Self {
            run_id: *run,
            function_id: began.function.clone(),
            event_id: began.event,
            status: ended.map_or(Status::Running, |ended| ended.status),
            started_at_ms: began.at,
            ended_at_ms: ended.map(|ended| ended.at),
        })
    }
}
