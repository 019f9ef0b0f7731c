//! `/v1/runs`, but for what waits (see `watch`): lists, journals, cancelling.

use super::Response;
use super::endpoint::{AskAll, AskOnce, Opened, Opening, read};
use super::page;
use super::request::id;
use crate::error::{Code, Refusal};
use crate::history;
use crate::ids::RunId;
use crate::run::message::Ask;
use crate::run::rerun::FromStep;
use crate::turn::Address;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// `GET /v1/runs?limit&cursor`: the newest first; the cursor is a run's id.
pub(super) fn list(opening: &Opening<'_>) -> Opened {
    let limit = page::limit(opening.request)?;
    let before = page::cursor(opening.request, "a run", RunId::parse)?;
    let ask = history::message::Ask::Runs { limit, before };
    AskAll::open(Address::histories(opening.settings.shards), &ask, move |now, answers| {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut runs: Vec<(RunId, Box<RawValue>)> = Vec::new();
        for answer in answers {
            let listed: Vec<Box<RawValue>> = read(&answer?)?;
            for run in listed {
                runs.push((read::<Listed>(&run)?.run_id, run));
            }
        }
        runs.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        runs.truncate(limit);
        let next = runs.last().filter(|_| runs.len() >= limit).map(|(id, _)| id.to_string());
        let runs: Vec<_> = runs.into_iter().map(|(_, run)| run).collect();
        Ok(Response::page(now, &runs, next))
    })
}

/// `GET /v1/runs/{id}/journal`: every entry, as it is stored.
pub(super) fn journal(run: &str) -> Opened {
    AskOnce::open(address(run)?, &Ask::Journal, |now, journal: &RawValue| Ok(Response::data(now, &journal)))
}

/// `POST /v1/runs/{id}/rerun {"fromStep"?:{"stepId","input"?:[…]}}`: answers `{"run_id"}` (SERVER §3.6, §4.4).
pub(super) fn rerun(opening: &Opening<'_>, run: &str) -> Opened {
    let earlier = id(run, "a run", RunId::parse)?;
    let body = opening.request.body.trim_ascii();
    let wanted: Wanted = if body.is_empty() { Ok(Wanted::default()) } else { serde_json::from_slice(body) }
        .map_err(|e| Refusal::new(Code::BodyInvalid, format!("the body does not say from where to run again: {e}")))?;
    let ask = Ask::Rerun {
        run: RunId::repeating(earlier, opening.now, opening.entropy.0),
        from: wanted.from_step.map(|from| FromStep { step: from.step_id, input: from.input }),
    };
    AskOnce::open(Address::run(earlier), &ask, |now, run| Ok(Response::data(now, &Reran { run_id: read(run)? })))
}

/// `DELETE /v1/runs/{id}` and `DELETE /v0/runs/{id}`, which differ in the status of success (PROTOCOL §10.3).
pub(super) fn cancel(run: &str, status: u16) -> Opened {
    AskOnce::open(address(run)?, &Ask::Cancel, move |_, _| Ok(Response::empty(status)))
}

/// The actor of the run that a path names.
pub(super) fn address(run: &str) -> Result<Address, Refusal> {
    Ok(Address::run(id(run, "a run", RunId::parse)?))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    #[serde(rename = "fromStep")]
    from_step: Option<From>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    #[serde(rename = "stepId")]
    step_id: String,
    input: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Reran {
    run_id: RunId,
}

#[derive(Deserialize)]
struct Listed {
    run_id: RunId,
}
