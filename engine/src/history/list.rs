//! Pages of runs, the newest first.

use super::row::{Ended, RunRow, Started};
use crate::error::{Fault, Refusal};
use crate::ids::{EventId, FunctionId, Millis, RunId};
use crate::limits::PAGE_ROWS_MAX;
use crate::run::message::Status;
use crate::turn::{Done, Outcome, Range, Turn};
use serde::Serialize;

/// Answers a page. A run of which only the end is known yet, because messages overtook each other, is left out.
pub(super) fn runs(turn: &Turn<'_>, token: u64, limit: u32, before: Option<RunId>) -> Result<Outcome, Fault> {
    let limit = limit.min(PAGE_ROWS_MAX);
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    // A run has at most two rows, so the first `limit` runs are whole in twice as many rows.
    let read = limit.saturating_mul(2);
    let mut listed = Vec::new();
    let mut last = before;
    loop {
        let range = before_range(last, read);
        let Some(rows) = turn.supplied.get(&range) else { return Ok(Outcome::Needs(vec![range])) };
        let rows = rows.iter().map(RunRow::decode).collect::<Result<Vec<_>, _>>()?;
        let mut runs = rows.chunk_by(|(a, _), (b, _)| a == b);
        for rows in runs.by_ref().take(wanted) {
            last = rows.first().map(|(run, _)| *run);
            listed.extend(Listed::of(rows));
            if listed.len() >= wanted {
                break;
            }
        }
        let at_end = rows.len() < usize::try_from(read).unwrap_or(usize::MAX) && runs.next().is_none();
        if at_end || listed.len() >= wanted {
            break;
        }
    }
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
    fn of(rows: &[(RunId, RunRow)]) -> Option<Self> {
        let mut started: Option<(RunId, &Started)> = None;
        let mut ended: Option<&Ended> = None;
        for (run, row) in rows {
            match row {
                RunRow::Started(row) => started = Some((*run, row)),
                RunRow::Ended(row) => ended = Some(row),
            }
        }
        let (run_id, started) = started?;
        Some(Self {
            run_id,
            function_id: started.function.clone(),
            event_id: started.event,
            status: ended.map_or(Status::Running, |ended| ended.status),
            started_at_ms: started.at,
            ended_at_ms: ended.map(|ended| ended.at),
        })
    }
}
