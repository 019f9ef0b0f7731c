//! Requests from the world: an exchange of the engine says what one means and whom it asks.

use crate::engine::Desk;
use crate::home::{Asked, Failure, Home};
use crate::limits::{ASK_MS_MAX, WATCH_MS_MAX, WATCH_MS_MIN};
use crate::outside::Outside;
use crate::store::Store;
use crate::types::{Answer, AskFailure, Message, Part, Progress, Question, Request, Response};
use crate::wire::About;
use std::collections::BTreeMap;
use std::rc::Rc;

impl<S: Store, E: Desk, O: Outside> Home<S, E, O> {
    /// Answers a request.
    pub(crate) async fn answer(self: &Rc<Self>, request: Request) -> Response {
        match self.exchange(request).await {
            Ok(response) => response,
            Err(failure) => {
                self.log("no answer", "", &failure);
                self.engine.refuse(failure.code())
            }
        }
    }

    async fn exchange(self: &Rc<Self>, request: Request) -> Result<Response, Failure> {
        self.know_newest().await?;
        let entropy = (self.outside.draw(), self.outside.draw());
        let catalog = self.install()?;
        let exchange = self.engine.exchange(self.outside.now(), entropy, catalog, request);
        let mut states: BTreeMap<String, u64> = BTreeMap::new();
        let mut watched: Option<String> = None;
        let mut progress = self.engine.start(&exchange);
        loop {
            let mut answers: Vec<Answer> = Vec::new();
            match progress {
                Progress::Respond(response) => return Ok(response),
                Progress::Ask { channels, questions } => {
                    watched = channels.into_iter().next().or(watched);
                    for question in questions {
                        answers.push(self.ask(question, &mut states).await);
                    }
                }
                Progress::Watch(until) => {
                    // A channel is named for the actor that publishes in it.
                    if let Some(actor) = &watched {
                        self.watch(actor, states.get(actor).copied().unwrap_or(0), until).await;
                    }
                }
            }
            progress = self.engine.resume(&exchange, self.outside.now(), answers);
        }
    }

    /// Waits until the document of an actor is another than the one that was seen.
    async fn watch(&self, actor: &str, seen: u64, until: u64) {
        let mut pause = WATCH_MS_MIN;
        loop {
            let left = until.saturating_sub(self.outside.now());
            if left == 0 {
                return;
            }
            match self.documents.peek(actor).await {
                Ok(head) if head.token() == seen => {}
                // Where it cannot be read, whoever asks it next is told so.
                _ => return,
            }
            self.outside.sleep(pause.min(left)).await;
            pause = pause.saturating_mul(2).min(WATCH_MS_MAX);
        }
    }

    /// Asks an actor. What it wants done in the world is done behind the response, unless the answer depends on it.
    async fn ask(self: &Rc<Self>, question: Question, states: &mut BTreeMap<String, u64>) -> Answer {
        let to = question.to.name();
        let part = question.to.kind.part();
        if part == Part::EventApi {
            return self.ask_here(&to, question.body, states).await;
        }
        match self.hand_to(part, &to, About::Ask(crate::bytes::Bytes(question.body))).await {
            Err(cause) => {
                self.log("an actor did not answer", &to, &cause);
                Err(AskFailure::Fault(cause))
            }
            Ok(delivered) => {
                states.insert(to, delivered.state);
                match (delivered.reply, delivered.fault) {
                    (Some(reply), _) => Ok(reply.0),
                    (None, Some((code, _))) if code == "overloaded" => Err(AskFailure::Overloaded),
                    (None, Some((_, message))) => Err(AskFailure::Fault(message)),
                    (None, None) => Err(AskFailure::TimedOut),
                }
            }
        }
    }

    async fn ask_here(self: &Rc<Self>, to: &str, body: Vec<u8>, states: &mut BTreeMap<String, u64>) -> Answer {
        let token = self.outside.draw();
        let mut made = match self.turn(to, &Message::Ask(token, body)).await {
            Ok(made) => made,
            Err(failure) => {
                self.log("an actor did not answer", to, &failure);
                return Err(if failure.code() == "overloaded" {
                    AskFailure::Overloaded
                } else {
                    AskFailure::Fault(failure.to_string())
                });
            }
        };
        states.insert(to.to_owned(), made.state);
        let reply = made.replies.iter().position(|(held, _)| *held == token).map(|place| made.replies.remove(place).1);
        self.proceed(to, made);
        match reply {
            Some(reply) => Ok(reply),
            None => self.later(token).await,
        }
    }

    /// An answer that comes of calls.
    async fn later(&self, token: u64) -> Answer {
        let until = self.outside.now().saturating_add(ASK_MS_MAX);
        loop {
            if let Some(reply) = self.replies.borrow_mut().remove(&token) {
                return Ok(reply);
            }
            if self.outside.now() >= until {
                self.asked.borrow_mut().retain(|asked: &Asked| asked.token != token);
                return Err(AskFailure::TimedOut);
            }
            self.outside.sleep(WATCH_MS_MIN).await;
        }
    }
}
