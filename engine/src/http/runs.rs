//! `/v1/runs`, but for what waits (see `watch`): lists, journals, cancelling.

use super::Response;
use super::endpoint::{AskOnce, Opened, Opening, read};
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
    AskOnce::open(Address::history(), &ask, move |now, runs| {
        let listed: Vec<Listed<'_>> = read(runs)?;
        let full = u32::try_from(listed.len()).is_ok_and(|count| count >= limit);
        let next = listed.last().filter(|_| full).map(|last| last.run_id.to_owned());
        Ok(Response::page(now, &runs, next))
    })
}

/// `GET /v1/runs/{id}/journal`: every entry, as it is stored.
pub(super) fn journal(run: &str) -> Opened {
    AskOnce::open(address(run)?, &Ask::Journal, |now, journal: &RawValue| Ok(Response::data(now, &journal)))
}

/// `POST /v1/runs/{id}/rerun {"fromStep"?:{"stepId","input"?:[…]}}`: answers `{"run_id"}` (SERVER §3.6, §4.4).
pub(super) fn rerun(opening: &Opening<'_>, run: &str) -> Opened {
    let to = address(run)?;
    let body = opening.request.body.trim_ascii();
    let wanted: Wanted = if body.is_empty() { Ok(Wanted::default()) } else { serde_json::from_slice(body) }
        .map_err(|e| Refusal::new(Code::BodyInvalid, format!("the body does not say from where to run again: {e}")))?;
    let ask = Ask::Rerun {
        run: RunId::new(opening.now, opening.entropy.0),
        from: wanted.from_step.map(|from| FromStep { step: from.step_id, input: from.input }),
    };
    AskOnce::open(to, &ask, |now, run| Ok(Response::data(now, &Reran { run_id: read(run)? })))
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
struct Listed<'a> {
    run_id: &'a str,
}
