//! `/v1/crons`: the schedules of functions, and when they come due.

use super::answer::{Progress, Question};
use super::endpoint::{Endpoint, Opened, Opening, Respond, question, read};
use super::{Response, out_of_step, page};
use crate::catalog::Function;
use crate::cron::message::{Ask, Planned, Time};
use crate::error::{Code, Refusal};
use crate::ids::{FunctionId, Millis, uuid_of};
use crate::limits::{CRON_TIMES_TOLD_DEFAULT, CRON_TIMES_TOLD_MAX};
use crate::turn::{Address, Answer, CatchUp};
use serde::Serialize;
use std::ops::Bound;

/// `GET /v1/crons?function&times&limit&cursor`: schedules in the order of their functions' slugs, `limit` functions a page; the
/// cursor is a slug.
pub(super) fn list(opening: &Opening<'_>) -> Opened {
    let request = opening.request;
    let limit = usize::try_from(page::limit(request)?).unwrap_or(usize::MAX);
    let times = match request.number("times")?.unwrap_or(CRON_TIMES_TOLD_DEFAULT) {
        times @ 1..=CRON_TIMES_TOLD_MAX => times,
        times => {
            let message = format!("`times` must be from 1 to {CRON_TIMES_TOLD_MAX}, not {times}");
            return Err(Refusal::new(Code::ParameterInvalid, message));
        }
    };
    let function = request.parameter("function").map(FunctionId);
    if let Some(function) = function.as_ref().filter(|id| opening.catalog.function(id).is_none_or(|f| f.archived)) {
        return Err(Refusal::new(Code::FunctionUnknown, format!("no app has synced a function {function}")));
    }
    let range = match (function, request.parameter("cursor").map(FunctionId)) {
        (Some(one), _) => (Bound::Included(one.clone()), Bound::Included(one)),
        (None, Some(cursor)) => (Bound::Excluded(cursor), Bound::Unbounded),
        (None, None) => (Bound::Unbounded, Bound::Unbounded),
    };
    let scheduled = opening.catalog.functions.range(range).map(|(_, function)| function);
    let mut scheduled = scheduled.filter(|function| function.schedules().next().is_some()).peekable();
    let functions: Vec<Named> = scheduled.by_ref().take(limit).map(Named::of).collect();
    let next = functions.last().filter(|_| scheduled.peek().is_some()).map(|last| last.slug.to_string());
    if functions.is_empty() {
        return Ok(Box::new(Respond(Response::page(opening.now, &[(); 0], next))));
    }
    let ask = Ask::Planned { times };
    let questions = functions.iter().map(|function| question(Address::cron(&function.slug), &ask));
    let questions = questions.collect::<Result<_, _>>()?;
    Ok(Box::new(List { functions, questions, next, catch_up: opening.settings.cron_catch_up }))
}

/// A function, as far as the response tells of it.
struct Named {
    slug: FunctionId,
    app: String,
}

impl Named {
    fn of(function: &Function) -> Self {
        Self { slug: function.id.clone(), app: function.app.to_string() }
    }
}

/// Asks each function's cron actor what is planned.
struct List {
    functions: Vec<Named>,
    questions: Vec<Question>,
    next: Option<String>,
    catch_up: CatchUp,
}

impl Endpoint for List {
    fn start(&mut self) -> Result<Progress, Refusal> {
        Ok(Progress::Ask { channels: Vec::new(), questions: std::mem::take(&mut self.questions) })
    }

    fn resume(&mut self, now: Millis, answers: Vec<Answer>) -> Result<Progress, Refusal> {
        if answers.len() != self.functions.len() {
            return Err(out_of_step());
        }
        let mut planned: Vec<(&Named, Planned)> = Vec::new();
        for (function, answer) in self.functions.iter().zip(answers) {
            let crons: Vec<Planned> = read(&answer?)?;
            planned.extend(crons.into_iter().map(|cron| (function, cron)));
        }
        let views: Vec<View<'_>> = planned.iter().map(|(function, cron)| self.view(function, cron)).collect();
        Ok(Progress::Respond(Response::page(now, &views, self.next.take())))
    }
}

impl List {
    fn view<'a>(&self, function: &'a Named, planned: &'a Planned) -> View<'a> {
        View {
            function_id: uuid_of(function.slug.as_str()),
            function_slug: &function.slug,
            app: &function.app,
            cron: &planned.cron,
            jitter_ms: planned.jitter_ms,
            catch_up: match self.catch_up {
                CatchUp::None => "none",
                CatchUp::Last => "last",
                CatchUp::All => "all",
            },
            next: planned.next.iter().map(TimeView::of).collect(),
            last_scheduled_at: planned.last.map(Millis::rfc3339),
            error: planned.error.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct View<'a> {
    function_id: String,
    function_slug: &'a FunctionId,
    app: &'a str,
    cron: &'a str,
    jitter_ms: Option<Millis>,
    catch_up: &'static str,
    next: Vec<TimeView>,
    last_scheduled_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct TimeView {
    scheduled_at: String,
    fire_at: String,
}

impl TimeView {
    fn of(time: &Time) -> Self {
        Self { scheduled_at: time.tick.rfc3339(), fire_at: time.fire.rfc3339() }
    }
}
