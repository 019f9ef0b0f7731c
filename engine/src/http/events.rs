//! `/v1/events`: what was accepted (PROTOCOL §10.3).

use super::answer::Progress;
use super::endpoint::{AskAll, AskOnce, Endpoint, Opened, Opening, only, question, read};
use super::request::id;
use super::{Question, Response, out_of_step, page};
use crate::error::{Code, Refusal};
use crate::ids::{ACCOUNT_ID, ENVIRONMENT_ID, EventId, FunctionId, Millis, RunId};
use crate::run;
use crate::stream::message::{Ask, Page, StoredEvent};
use crate::turn::{Address, Answer};
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use std::collections::BTreeMap;

/// `GET /v1/events?limit&cursor&name`: the newest first; the cursor is an event's internal id.
pub(super) fn list(opening: &Opening<'_>) -> Opened {
    let limit = page::limit(opening.request)?;
    let before = page::cursor(opening.request, "an event", EventId::parse)?;
    let ask = Ask::List { limit, before, name: opening.request.parameter("name") };
    AskAll::open(Address::streams(opening.settings.shards), &ask, move |now, answers| {
        let pages = answers.into_iter().map(|answer| read(&answer?)).collect::<Result<Vec<Page>, Refusal>>()?;
        let page = Page::merged(pages, limit);
        let events = page.events.iter().map(told).collect::<Result<Vec<_>, _>>()?;
        Ok(Response::page(now, &events, page.next.map(|next| next.to_string())))
    })
}

/// `GET /v1/events/{internal id}`.
pub(super) fn one(opening: &Opening<'_>, event: &str) -> Opened {
    let event = id(event, "an event", EventId::parse)?;
    let to = Address::stream_of(opening.settings.shards, event);
    AskOnce::open(to, &Ask::Event(event), |now, event| Ok(Response::data(now, &told(&read::<StoredEvent>(event)?)?)))
}

/// `GET /v1/events/{internal id}/runs`: each run asked for itself, so that the answer is never behind.
pub(super) fn runs(opening: &Opening<'_>, event: &str) -> Opened {
    let event = id(event, "an event", EventId::parse)?;
    let first = question(Address::stream_of(opening.settings.shards, event), &Ask::EventRuns(event))?;
    Ok(Box::new(EventRuns { event, first, asked_runs: false }))
}

struct EventRuns {
    event: EventId,
    first: Question,
    asked_runs: bool,
}

impl Endpoint for EventRuns {
    fn start(&mut self) -> Result<Progress, Refusal> {
        Ok(Progress::Ask { channels: Vec::new(), questions: vec![self.first.clone()] })
    }

    fn resume(&mut self, now: Millis, answers: Vec<Answer>) -> Result<Progress, Refusal> {
        if self.asked_runs {
            return Ok(Progress::Respond(Response::data(now, &self.started(answers)?)));
        }
        let answer = only(answers)?;
        let runs: Vec<RunId> = read(&answer)?;
        if runs.is_empty() {
            return Ok(Progress::Respond(Response::data(now, &[(); 0])));
        }
        self.asked_runs = true;
        let questions = runs.iter().map(|run| question(Address::run(*run), &run::message::Ask::Summary));
        Ok(Progress::Ask { channels: Vec::new(), questions: questions.collect::<Result<_, _>>()? })
    }
}

impl EventRuns {
    /// The runs that exist, as one that was sent for a moment ago may not yet; and not those that an earlier event with the same
    /// id of the user's had started before this one could.
    fn started(&self, answers: Vec<Answer>) -> Result<Vec<Box<RawValue>>, Refusal> {
        let mut runs = Vec::with_capacity(answers.len());
        for answer in answers {
            match answer {
                Ok(run) if read::<Cause>(&run)?.is(self.event) => runs.push(run),
                Err(refusal) if refusal.code != Code::RunUnknown => return Err(refusal),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(runs)
    }
}

#[derive(Deserialize)]
struct Cause {
    event_id: Option<EventId>,
    #[serde(default)]
    event_ids: Vec<EventId>,
}

impl Cause {
    fn is(&self, event: EventId) -> bool {
        self.event_id == Some(event) || self.event_ids.contains(&event)
    }
}

/// The event as the API tells it: its own members beside the server's. An empty `user` is left out (PROTOCOL §8.2).
fn told(stored: &StoredEvent) -> Result<BTreeMap<String, Box<RawValue>>, Refusal> {
    let mut members: BTreeMap<String, Box<RawValue>> = read(&stored.event)?;
    if members.get("user").is_some_and(|user| user.get() == "{}") {
        members.remove("user");
    }
    let receipt = Receipt {
        internal_id: stored.internal_id,
        account_id: ACCOUNT_ID,
        environment_id: ENVIRONMENT_ID,
        source: "",
        source_id: None,
        received_at: stored.received_at.rfc3339(),
        trigger_errors: stored.failed.iter().map(|(function, message)| TriggerError { function, message }).collect(),
    };
    let receipt = to_raw_value(&receipt).map_err(|_| out_of_step())?;
    members.extend(read::<BTreeMap<String, Box<RawValue>>>(&receipt)?);
    Ok(members)
}

#[derive(Serialize)]
struct Receipt<'a> {
    internal_id: EventId,
    account_id: &'a str,
    environment_id: &'a str,
    source: &'a str,
    source_id: Option<&'a str>,
    received_at: String,
    /// Functions that the event did not start because their trigger could not be evaluated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trigger_errors: Vec<TriggerError<'a>>,
}

#[derive(Serialize)]
struct TriggerError<'a> {
    function: &'a FunctionId,
    message: &'a str,
}
