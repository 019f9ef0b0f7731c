//! Requests to the server, through the engine's own exchanges.

use crate::fault::Fault;
use crate::world::{Thing, World};
use stepwell_engine::http::{AskFailure, Exchange, Progress, Request, Response};
use stepwell_engine::ids::{Entropy, Millis};
use stepwell_engine::turn::Message;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A user's task.
    User(usize),
    /// The app, on behalf of one of its requests.
    App(u64),
}

/// A request that is being answered.
pub struct Open {
    /// Who asked.
    pub from: Asker,
    exchange: Exchange,
    tokens: Vec<u64>,
    answers: Vec<Option<Result<Vec<u8>, AskFailure>>>,
}

impl World {
    /// Takes a request in.
    pub fn serve(&mut self, from: Asker, request: Request) {
        if !self.home.is_up {
            self.after(1, Thing::Heard(from, None));
            return;
        }
        let (now, entropy) = (Millis(self.clock()), Entropy(self.dice.entropy()));
        self.say(&format!("{} {} from {from:?}", request.method, request.path));
        let id = self.fresh();
        let catalog = self.home.catalog.clone();
        self.script.decides_by(&catalog);
        self.script.open(id, (now.0, entropy.0), &catalog, &request);
        let mut exchange = Exchange::new(now, entropy, &catalog, &self.settings, request);
        let step = self.script.start(id);
        let progress = exchange.start();
        self.script.proceeded(step, &progress);
        self.open.insert(id, Open { from, exchange, tokens: Vec::new(), answers: Vec::new() });
        self.go_on(id, progress);
    }

    fn go_on(&mut self, id: u64, progress: Progress) {
        match progress {
            Progress::Respond(response) => self.respond(id, Some(response)),
            // Nobody asks to wait for news in these worlds.
            Progress::Watch(_) => self.respond(id, None),
            Progress::Ask { questions, .. } => {
                let tokens: Vec<u64> = questions.iter().map(|_| self.fresh()).collect();
                if let Some(open) = self.open.get_mut(&id) {
                    open.answers = vec![None; tokens.len()];
                    open.tokens.clone_from(&tokens);
                }
                for (question, token) in questions.into_iter().zip(tokens) {
                    self.queue(question.to, Message::Ask { token, body: question.body });
                }
            }
        }
    }

    /// An actor answered a question, or cannot.
    pub fn replied(&mut self, token: u64, answer: Option<Vec<u8>>) {
        let found = self.open.iter_mut().find_map(|(id, open)| {
            let place = open.tokens.iter().position(|held| *held == token)?;
            Some((*id, place, open))
        });
        let Some((id, place, open)) = found else { return };
        let answer = answer.ok_or_else(|| AskFailure::Fault("the actor is gone".to_owned()));
        if let Some(held) = open.answers.get_mut(place) {
            *held = Some(answer);
        }
        if open.answers.iter().any(Option::is_none) {
            return;
        }
        let answers: Vec<_> = std::mem::take(&mut open.answers).into_iter().flatten().collect();
        open.tokens.clear();
        let now = Millis(self.now);
        if let Some(open) = self.open.get_mut(&id) {
            let step = self.script.resume(id, now.0, &answers);
            let progress = open.exchange.resume(now, answers);
            self.script.proceeded(step, &progress);
            self.go_on(id, progress);
        }
    }

    fn respond(&mut self, id: u64, response: Option<Response>) {
        let Some(open) = self.open.remove(&id) else { return };
        let lost = self.strikes(Fault::ResponseLost);
        self.travels(Thing::Heard(open.from, response.filter(|_| !lost)));
    }
}
