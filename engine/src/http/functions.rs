//! `/v1/functions/{id}/…`: one function's flow control; the id is its slug or its UUID.

use super::Response;
use super::endpoint::{AskOnce, Opened, Opening, read};
use crate::catalog::message::Ask as ToCatalog;
use crate::catalog::{Flow, Function, Pause};
use crate::error::{Code, Refusal};
use crate::gate::place::{self, Kind};
use crate::gate::slots::message::{Ask, Overview, Queued};
use crate::ids::{FunctionId, Millis, uuid_of};
use crate::turn::Address;
use serde::{Deserialize, Serialize};

/// `GET /v1/functions/{id}/flow`: what waits and what is under way, by which limits.
pub(super) fn flow(opening: &Opening<'_>, id: &str) -> Opened {
    let function = find(opening, id)?;
    let (slug, paused, limits) = (function.id.clone(), function.paused, function.flow.clone());
    let to = Address::gate(&place::key(Kind::Slots, &slug, ""));
    AskOnce::open(to, &Ask::Flow, move |now, overview| {
        let overview: Overview = read(overview)?;
        Ok(Response::data(now, &View::of(&slug, paused, &limits, overview)))
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
}

impl<'a> View<'a> {
    fn of(slug: &'a FunctionId, paused: Option<Pause>, limits: &'a Flow, overview: Overview) -> Self {
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
        }
    }
}
