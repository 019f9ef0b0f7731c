//! `/v1/cancellations`: many runs stopped by one request (PROTOCOL §10.3, SERVER §3.7).

use super::Response;
use super::endpoint::{AskAll, Opened, Opening, read};
use super::request::id;
use crate::duration::parse_date;
use crate::error::{Code, Refusal};
use crate::expression::{self, Scope};
use crate::history::Cancellation;
use crate::history::message::Ask;
use crate::ids::{ENVIRONMENT_ID, EventId, FunctionId, Millis, uuid_of};
use crate::turn::{Address, Answer};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How far ahead of the server's clock the end of the span may lie.
const AHEAD_MAX: Millis = Millis(5_000);

/// `POST /v1/cancellations {"app_id","function_id","started_after"?,"started_before","if"?}`.
pub(super) fn create(opening: &Opening<'_>) -> Opened {
    let wanted: Wanted = serde_json::from_slice(&opening.request.body)
        .map_err(|e| Refusal::new(Code::BodyInvalid, format!("the body is no cancellation: {e}")))?;
    let cancellation = wanted.check(opening)?;
    let histories = Address::histories(opening.settings.shards);
    AskAll::open(histories, &Ask::Cancel(cancellation.clone()), move |now, kept| {
        kept.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(Response::data(now, &View::of(&cancellation)))
    })
}

/// `GET /v1/cancellations`: the newest first.
pub(super) fn list(opening: &Opening<'_>) -> Opened {
    AskAll::open(Address::histories(opening.settings.shards), &Ask::Cancellations, |now, answers| {
        // Each shard keeps all of them, but for one that a failed request has left in some.
        let mut kept: BTreeMap<Reverse<String>, Cancellation> = BTreeMap::new();
        for answer in answers {
            let of_shard: Vec<Cancellation> = read(&answer?)?;
            kept.extend(of_shard.into_iter().map(|cancellation| (Reverse(cancellation.id.clone()), cancellation)));
        }
        Ok(Response::data(now, &kept.values().map(View::of).collect::<Vec<_>>()))
    })
}

/// `DELETE /v1/cancellations/{id}`: no further run is stopped because of it.
pub(super) fn forget(opening: &Opening<'_>, cancellation: &str) -> Opened {
    let cancellation = id(cancellation, "a cancellation", EventId::parse)?.to_string();
    let histories = Address::histories(opening.settings.shards);
    AskAll::open(histories, &Ask::ForgetCancellation(cancellation), |now, answers| {
        let unknown = |answer: &Answer| matches!(answer, Err(refusal) if refusal.code == Code::CancellationUnknown);
        // One shard that knew it is enough to say that it is gone; where none did, that is what is told.
        let is_known = answers.iter().any(Result::is_ok);
        answers.into_iter().filter(|answer| !is_known || !unknown(answer)).collect::<Result<Vec<_>, _>>()?;
        Ok(Response::data(now, &Gone { ok: true }))
    })
}

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    app_id: String,
    #[serde(default)]
    function_id: String,
    started_after: Option<String>,
    started_before: Option<String>,
    #[serde(rename = "if")]
    condition: Option<String>,
}

impl Wanted {
    /// Every fault at once, a line each.
    fn check(self, opening: &Opening<'_>) -> Result<Cancellation, Refusal> {
        let mut faults = Vec::new();
        if self.app_id.is_empty() {
            faults.push("app_id is required".to_owned());
        }
        if self.function_id.is_empty() {
            faults.push("function_id is required".to_owned());
        }
        let mut moment = |field: &str, text: Option<&str>| {
            let at = text.map(parse_date);
            if at == Some(None) {
                faults.push(format!("{field} must be a date like 2026-11-22T04:13:32Z"));
            }
            at.flatten()
        };
        let started_after = moment("started_after", self.started_after.as_deref());
        let started_before = moment("started_before", self.started_before.as_deref());
        if self.started_before.is_none() {
            faults.push("started_before is required".to_owned());
        }
        if started_before.is_some_and(|before| before > opening.now.plus(AHEAD_MAX)) {
            faults.push("started_before must be in the past".to_owned());
        }
        if started_after.is_some_and(|after| started_before.is_some_and(|before| after >= before)) {
            faults.push("started_after must be before started_before".to_owned());
        }
        let condition = self.condition.filter(|source| !source.trim().is_empty());
        if let Some(Err(fault)) = condition.as_deref().map(|source| expression::check(source, Scope::Trigger)) {
            faults.push(format!("if is no expression: {fault}"));
        }
        let (Some(started_before), true) = (started_before, faults.is_empty()) else {
            return Err(Refusal::new(Code::BodyInvalid, faults.join("\n")));
        };
        let function = FunctionId(format!("{}-{}", self.app_id, self.function_id));
        if opening.catalog.function(&function).is_none() {
            return Err(Refusal::new(Code::FunctionUnknown, format!("function not found: {function}")));
        }
        let id = EventId::new(opening.now, opening.entropy.0).to_string();
        Ok(Cancellation { id, created_at: opening.now, function, started_after, started_before, condition })
    }
}

#[derive(Serialize)]
struct View<'a> {
    id: &'a str,
    environment_id: &'a str,
    function_id: String,
    function_slug: &'a FunctionId,
    created_at: String,
    started_after: Option<String>,
    started_before: String,
    #[serde(rename = "if")]
    condition: Option<&'a str>,
}

impl<'a> View<'a> {
    fn of(cancellation: &'a Cancellation) -> Self {
        Self {
            id: &cancellation.id,
            environment_id: ENVIRONMENT_ID,
            function_id: uuid_of(cancellation.function.as_str()),
            function_slug: &cancellation.function,
            created_at: cancellation.created_at.rfc3339(),
            started_after: cancellation.started_after.map(Millis::rfc3339),
            started_before: cancellation.started_before.rfc3339(),
            condition: cancellation.condition.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct Gone {
    ok: bool,
}
