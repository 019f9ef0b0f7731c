//! `/v1/runs/{id}` and its timeline, for which a request may wait: no polling, the run says when there is news.

use super::answer::Progress;
use super::endpoint::{Endpoint, Opened, Opening, only, question, read};
use super::request::id;
use super::{Question, Response, out_of_step};
use crate::error::{Code, Refusal};
use crate::ids::{Millis, RunId};
use crate::limits::WATCH_TIME_MAX;
use crate::run::message::{Ask, Status};
use crate::turn::{Address, Answer};
use serde::Deserialize;

/// `GET /v1/runs/{id}[?wait_ms=N]`: with `wait_ms`, once the run is over, or as it is when the time is up.
pub(super) fn run(opening: &Opening<'_>, run: &str) -> Opened {
    Watch::open(opening, run, &Ask::Summary, Until::Over)
}

/// `GET /v1/runs/{id}/timeline[?after=N&wait_ms=N]`: with both, once the journal has more than `after` rows.
pub(super) fn timeline(opening: &Opening<'_>, run: &str) -> Opened {
    let after = opening.request.number("after")?;
    Watch::open(opening, run, &Ask::Timeline, Until::JournalBeyond(after))
}

/// What a request waits for.
#[derive(Clone, Copy)]
enum Until {
    Over,
    JournalBeyond(Option<u64>),
}

struct Watch {
    channel: String,
    question: Question,
    until: Until,
    /// `None`: does not wait.
    deadline: Option<Millis>,
    /// The last answer was not yet what is waited for.
    watching: bool,
}

impl Watch {
    fn open(opening: &Opening<'_>, run: &str, ask: &Ask, until: Until) -> Opened {
        let run = id(run, "a run", RunId::parse)?;
        let wait = opening.request.number("wait_ms")?.map(|wait_ms: u64| Millis(wait_ms).min(WATCH_TIME_MAX));
        Ok(Box::new(Self {
            channel: format!("run/{run}"),
            question: question(Address::run(run), ask)?,
            until,
            deadline: wait.map(|wait| opening.now.plus(wait)),
            watching: false,
        }))
    }
}

impl Endpoint for Watch {
    fn start(&mut self) -> Result<Progress, Refusal> {
        let channels = if self.deadline.is_some() { vec![self.channel.clone()] } else { Vec::new() };
        Ok(Progress::Ask { channels, questions: vec![self.question.clone()] })
    }

    fn resume(&mut self, now: Millis, answers: Vec<Answer>) -> Result<Progress, Refusal> {
        let time_is_up = self.deadline.is_none_or(|deadline| now >= deadline);
        if answers.is_empty() {
            // Out of the watch: news, or the time is up; what is known may be old either way.
            if !std::mem::take(&mut self.watching) {
                return Err(out_of_step());
            }
            return Ok(Progress::Ask { channels: Vec::new(), questions: vec![self.question.clone()] });
        }
        let answer = only(answers);
        match self.deadline {
            Some(deadline) if !time_is_up && self.waits_on(&answer)? => {
                self.watching = true;
                Ok(Progress::Watch(deadline))
            }
            _ => Ok(Progress::Respond(Response::data(now, &&*answer?))),
        }
    }
}

impl Watch {
    /// Whether this answer is not yet what is waited for. A run that is unknown may be about to start.
    fn waits_on(&self, answer: &Answer) -> Result<bool, Refusal> {
        let answer = match answer {
            Ok(answer) => answer,
            Err(refusal) => return Ok(refusal.code == Code::RunUnknown),
        };
        Ok(match self.until {
            Until::Over => !read::<Summary>(answer)?.status.is_over(),
            Until::JournalBeyond(None) => false,
            Until::JournalBeyond(Some(after)) => {
                let timeline: Timeline = read(answer)?;
                timeline.journal_rows <= after && !timeline.run.status.is_over()
            }
        })
    }
}

#[derive(Deserialize)]
struct Summary {
    status: Status,
}

#[derive(Deserialize)]
struct Timeline {
    run: Summary,
    journal_rows: u64,
}
