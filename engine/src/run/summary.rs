//! The run object of `GET /v1/runs/{id}` (PROTOCOL §10.3).

use super::message::Status;
use super::problem;
use super::state::State;
use crate::cron;
use crate::gate::slots::is_gated;
use crate::ids::{ENVIRONMENT_ID, EventId, FunctionId, RunId, uuid_of};
use crate::turn::Turn;
use serde::Serialize;
use serde_json::value::RawValue;

/// A run, as the API shows it.
#[derive(Debug, Serialize)]
pub struct Summary<'a> {
    run_id: RunId,
    run_started_at: String,
    function_id: String,
    function_slug: &'a FunctionId,
    function_version: u32,
    environment_id: &'static str,
    event_id: Option<EventId>,
    /// Every event of a batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    event_ids: Option<&'a [EventId]>,
    /// The first run of the line, where this one repeats another.
    #[serde(skip_serializing_if = "Option::is_none")]
    original_run_id: Option<RunId>,
    /// The schedule that started it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    cron: Option<String>,
    status: Status,
    /// Why it never began.
    #[serde(skip_serializing_if = "Option::is_none")]
    skip_reason: Option<String>,
    ended_at: Option<String>,
    /// The result, or the error; null while it runs.
    output: Option<Output<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Output<'a> {
    Returned(&'a RawValue),
    Threw(problem::Memo<'a>),
}

/// The run object of `state` as of now.
#[must_use]
pub fn of<'a>(state: &'a State, turn: &Turn<'_>) -> Summary<'a> {
    let start = &state.start;
    Summary {
        run_id: start.run,
        run_started_at: state.started_at.rfc3339(),
        function_id: uuid_of(start.function.as_str()),
        function_slug: &start.function,
        function_version: start.function_version,
        environment_id: ENVIRONMENT_ID,
        event_id: start.event_ids.first().copied(),
        event_ids: start.is_batch.then_some(&start.event_ids),
        original_run_id: start.rerun.as_ref().map(|rerun| rerun.original),
        cron: Some(state.trigger()).filter(|_| start.event_name == cron::SCHEDULED).and_then(cron::schedule_of),
        status: state.status_at(turn.now, turn.catalog.function(&start.function).is_some_and(is_gated)),
        skip_reason: state.skipped.as_ref().map(ToString::to_string),
        ended_at: state.end.as_ref().map(|end| end.at.rfc3339()),
        output: state.end.as_ref().and_then(|end| match &end.result {
            Ok(output) => Some(Output::Returned(output)),
            Err(problem) => problem.as_ref().map(|problem| Output::Threw(problem.as_memo())),
        }),
    }
}
