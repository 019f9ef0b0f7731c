//! An endpoint at work on one request, and the two commonest kinds.

use super::answer::{Progress, Question};
use super::{Request, Response, out_of_step};
use crate::catalog::Catalog;
use crate::error::{Code, Refusal};
use crate::ids::{Entropy, Millis};
use crate::turn::{Address, Answer, Settings};
use serde::Serialize;
use serde_json::value::RawValue;

/// What an endpoint may look at while it opens.
pub(super) struct Opening<'a> {
    pub(super) now: Millis,
    pub(super) entropy: Entropy,
    pub(super) catalog: &'a Catalog,
    pub(super) settings: &'a Settings,
    pub(super) request: &'a Request,
}

/// An endpoint that has read its request, or why it will not.
pub(super) type Opened = Result<Box<dyn Endpoint>, Refusal>;

/// An endpoint at work on one request.
pub(super) trait Endpoint: Send {
    /// The first thing it wants.
    fn start(&mut self) -> Result<Progress, Refusal>;

    /// The next thing it wants; the answers are those of the last ask, none after a watch.
    fn resume(&mut self, now: Millis, answers: Vec<Answer>) -> Result<Progress, Refusal>;
}

/// Responds at once.
pub(super) struct Respond(pub(super) Response);

impl Endpoint for Respond {
    fn start(&mut self) -> Result<Progress, Refusal> {
        Ok(Progress::Respond(self.0.clone()))
    }

    fn resume(&mut self, _now: Millis, _answers: Vec<Answer>) -> Result<Progress, Refusal> {
        Err(out_of_step())
    }
}

/// How an answer becomes the response.
type Shape = Box<dyn Fn(Millis, &RawValue) -> Result<Response, Refusal> + Send>;

/// Asks one question and responds with its answer.
pub(super) struct AskOnce {
    question: Question,
    shape: Shape,
}

impl AskOnce {
    /// Asks the actor at `to`; `shape` makes the response of the answer.
    pub(super) fn open(
        to: Address,
        ask: &impl Serialize,
        shape: impl Fn(Millis, &RawValue) -> Result<Response, Refusal> + Send + 'static,
    ) -> Opened {
        Ok(Box::new(Self { question: question(to, ask)?, shape: Box::new(shape) }))
    }
}

impl Endpoint for AskOnce {
    fn start(&mut self) -> Result<Progress, Refusal> {
        Ok(Progress::Ask { channels: Vec::new(), questions: vec![self.question.clone()] })
    }

    fn resume(&mut self, now: Millis, answers: Vec<Answer>) -> Result<Progress, Refusal> {
        Ok(Progress::Respond((self.shape)(now, &only(answers)?)?))
    }
}

/// How the answers of many become the response.
type ShapeAll = Box<dyn Fn(Millis, Vec<Answer>) -> Result<Response, Refusal> + Send>;

/// Asks the same of several actors and responds with what they all say.
pub(super) struct AskAll {
    questions: Vec<Question>,
    shape: ShapeAll,
}

impl AskAll {
    /// Asks each of `to`, which are at least one; `shape` makes the response of their answers, in the same order.
    pub(super) fn open(
        to: impl Iterator<Item = Address>,
        ask: &impl Serialize,
        shape: impl Fn(Millis, Vec<Answer>) -> Result<Response, Refusal> + Send + 'static,
    ) -> Opened {
        let questions = to.map(|to| question(to, ask)).collect::<Result<_, _>>()?;
        Ok(Box::new(Self { questions, shape: Box::new(shape) }))
    }
}

impl Endpoint for AskAll {
    fn start(&mut self) -> Result<Progress, Refusal> {
        Ok(Progress::Ask { channels: Vec::new(), questions: self.questions.clone() })
    }

    fn resume(&mut self, now: Millis, answers: Vec<Answer>) -> Result<Progress, Refusal> {
        if answers.len() != self.questions.len() {
            return Err(out_of_step());
        }
        Ok(Progress::Respond((self.shape)(now, answers)?))
    }
}

/// A question, as the actor reads it.
pub(super) fn question(to: Address, ask: &impl Serialize) -> Result<Question, Refusal> {
    let body = serde_json::to_vec(ask).map_err(|e| Refusal::new(Code::EngineFault, e.to_string()))?;
    Ok(Question { to, body })
}

/// The one answer to the one question.
pub(super) fn only(answers: Vec<Answer>) -> Answer {
    let mut answers = answers.into_iter();
    match (answers.next(), answers.next()) {
        (Some(answer), None) => answer,
        _ => Err(out_of_step()),
    }
}

/// Reads what an actor answered; what cannot be read is a defect.
pub(super) fn read<'a, T: serde::Deserialize<'a>>(answer: &'a RawValue) -> Result<T, Refusal> {
    serde_json::from_str(answer.get())
        .map_err(|e| Refusal::new(Code::EngineFault, format!("an answer inside the server cannot be read: {e}")))
}
