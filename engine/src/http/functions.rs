//! `/v1/functions/{id}/…`: one function's flow control; the id is its slug or its UUID.

use super::endpoint::{AskAll, AskOnce, Opened, Opening, read};
use super::{Response, out_of_step};
use crate::catalog::message::Ask as ToCatalog;
use crate::catalog::{Flow, Function, Pause};
use crate::error::{Code, Refusal};
use crate::gate::admission;
use crate::gate::place::{self, Kind};
use crate::gate::slots::message::{Overview, Queued};
use crate::gate::{Ask, Waiting};
use crate::ids::{FunctionId, Millis, uuid_of};
use crate::turn::Address;
use serde::{Deserialize, Serialize};
use std::iter;

/// `GET /v1/functions/{id}/flow?key=`: what waits and what is under way, by which limits. Of the stages that set events apart by a key it tells
/// what waits under `key`; where none is given, under that of the events without one.
pub(super) fn flow(opening: &Opening<'_>, id: &str) -> Opened {
    let function = find(opening, id)?;
    let (slug, paused, limits) = (function.id.clone(), function.paused, function.flow.clone());
    let value = opening.request.parameter("key").unwrap_or_default();
    let key_of = |expression: &str| if expression.is_empty() { String::new() } else { value.clone() };
    let stages: Vec<_> = admission::stages_of(&limits).map(|(stage, key)| (stage, key_of(key))).collect();
    let slots = Address::gate(&place::key(Kind::Slots, &slug, ""));
    let gates = stages.iter().map(|(stage, key)| Address::gate(&place::key(*stage, &slug, key)));
    let asked: Vec<Address> = iter::once(slots).chain(gates).collect();
    AskAll::open(asked.into_iter(), &Ask::Flow, move |now, answers| {
        let mut answers = answers.into_iter();
        let overview: Overview = read(&answers.next().unwrap_or_else(|| Err(out_of_step()))?)?;
        let waiting =
            stages.iter().zip(answers).map(|((stage, key), answer)| Ok(StageView::of(*stage, key, read(&answer?)?)));
        let stages = waiting.collect::<Result<_, Refusal>>()?;
        Ok(Response::data(now, &View::of(&slug, paused, &limits, overview, stages)))
    })
}

/// `POST /v1/functions/{id}/pause {"events"?: "keep" | "skip" | "drain"}`: until it is resumed, its runs make no calls, and those of events
/// that come meanwhile wait (`keep`) or are recorded and never begin (`skip`); or its runs go on, and no new ones begin (`drain`).
pub(super) fn pause(opening: &Opening<'_>, id: &str) -> Opened {
    let body: &[u8] = &opening.request.body;
    let asked = if body.trim_ascii().is_empty() { Ok(Asked::default()) } else { serde_json::from_slice(body) };
    let asked = asked.map_err(|error| {
        Refusal::new(
            Code::BodyInvalid,
            format!("the body must be {{\"events\": \"keep\"}}, \"skip\" or \"drain\": {error}"),
        )
    })?;
    set(opening, id, Some(asked.events))
}

/// `POST /v1/functions/{id}/resume`: its runs go on.
pub(super) fn resume(opening: &Opening<'_>, id: &str) -> Opened {
    set(opening, id, None)
}

fn set(opening: &Opening<'_>, id: &str, paused: Option<Pause>) -> Opened {
    let slug = find(opening, id)?.id.clone();
    let ask = ToCatalog::Pause { function: slug.clone(), paused };
    AskOnce::open(Address::catalog(), &ask, move |now, _| {
        Ok(Response::data(
            now,
            &Set { function_id: uuid_of(slug.as_str()), function_slug: &slug, paused: paused.map(PauseView::of) },
        ))
    })
}

fn find<'a>(opening: &Opening<'a>, id: &str) -> Result<&'a Function, Refusal> {
    let live = |function: &&Function| !function.archived;
    let by_slug = opening.catalog.function(&id.into());
    let by_uuid = || opening.catalog.functions.values().find(|function| uuid_of(function.id.as_str()) == id);
    let unknown = || Refusal::new(Code::FunctionUnknown, format!("no app has synced a function {id}"));
    by_slug.or_else(by_uuid).filter(live).ok_or_else(unknown)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    #[serde(default)]
    events: Pause,
}

#[derive(Serialize)]
struct Set<'a> {
    function_id: String,
    function_slug: &'a FunctionId,
    paused: Option<PauseView>,
}

#[derive(Serialize)]
struct PauseView {
    events: Pause,
}

impl PauseView {
    const fn of(events: Pause) -> Self {
        Self { events }
    }
}

#[derive(Serialize)]
struct View<'a> {
    function_id: String,
    function_slug: &'a FunctionId,
    paused: Option<PauseView>,
    /// As they were registered.
    limits: &'a Flow,
    queued: usize,
    queued_starts: usize,
    queued_at_shared_limits: usize,
    in_flight: usize,
    runs_begun: usize,
    longest_queues: Vec<Queued>,
    /// The app has too much to do.
    not_before: Option<String>,
    next_start_at: Option<String>,
    /// What events pass before there is a run, in order.
    stages: Vec<StageView>,
}

#[derive(Serialize)]
struct StageView {
    stage: String,
    key: String,
    held: usize,
    next_start_at: Option<String>,
}

impl StageView {
    fn of(stage: Kind, key: &str, waiting: Waiting) -> Self {
        Self {
            stage: stage.to_string(),
            key: key.to_owned(),
            held: waiting.held,
            next_start_at: waiting.next_start_at.map(Millis::rfc3339),
        }
    }
}

impl<'a> View<'a> {
    fn of(
        slug: &'a FunctionId,
        paused: Option<Pause>,
        limits: &'a Flow,
        overview: Overview,
        stages: Vec<StageView>,
    ) -> Self {
        Self {
            function_id: uuid_of(slug.as_str()),
            function_slug: slug,
            paused: paused.map(PauseView::of),
            limits,
            queued: overview.queued,
            queued_starts: overview.queued_starts,
            queued_at_shared_limits: overview.parked,
            in_flight: overview.in_flight,
            runs_begun: overview.runs,
            longest_queues: overview.longest,
            not_before: overview.not_before.map(Millis::rfc3339),
            next_start_at: overview.next_start_at.map(Millis::rfc3339),
            stages,
        }
    }
}
