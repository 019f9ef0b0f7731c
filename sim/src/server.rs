//! Requests to the server, through the engine's own exchanges.

use crate::fault::Fault;
use crate::home;
use crate::invariant::reruns::Wish;
use crate::invariant::signals::SignalBody;
use crate::sabotage::Saboteur;
use crate::trace::Tone;
use crate::world::World;
use crate::world::agenda::Thing;
use std::collections::BTreeMap;
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
    /// The app, which saves steps of one of its requests.
    Saving(u64),
    /// A request that came twice: nobody hears its second response.
    Nobody,
}

/// After so long whoever asked gives up waiting for what never arrived.
const LOST_MS: u64 = 1_000;

/// A request that is being answered.
pub struct Open {
    /// Who asked.
    pub from: Asker,
    is_reading: bool,
    /// The signal that it sends, and when that began by the server's clock.
    signal: Option<(SignalBody, u64)>,
    exchange: Exchange,
    tokens: Vec<u64>,
    answers: Vec<Option<Result<Vec<u8>, AskFailure>>>,
}

/// Requests that are being answered.
#[derive(Default)]
pub struct Requests {
    open: BTreeMap<u64, Open>,
}

impl World {
    /// Sends a request to the server, with whatever key it needs.
    pub fn request(&mut self, from: Asker, method: &str, path: &str, headers: &[(&str, String)], body: Vec<u8>) {
        let key = self.settings.signing_keys.first().map(|key| ("authorization", format!("Bearer {key}")));
        let headers: Vec<_> = headers.iter().cloned().chain(key).collect();
        self.request_with(from, method, path, &headers, body);
    }

    /// Sends a request to the server, as it is.
    pub fn request_with(&mut self, from: Asker, method: &str, path: &str, headers: &[(&str, String)], body: Vec<u8>) {
        if self.strikes(Fault::RequestLost) {
            self.after(LOST_MS, Thing::Heard(from, None));
            return;
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let json = ("content-type".to_owned(), "application/json".to_owned());
        let others = headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: std::iter::once(json).chain(others).collect(),
            body,
        };
        if self.strikes(Fault::RequestTwice) {
            self.travels(Thing::Http(Asker::Nobody, Box::new(request.clone())));
        }
        self.travels(Thing::Http(from, Box::new(request)));
    }

    /// Takes a request in.
    pub fn serve(&mut self, from: Asker, request: Request) {
        if !home::is_up(self) {
            self.after(1, Thing::Heard(from, None));
            return;
        }
        let (now, entropy) = (Millis(self.clock()), Entropy(self.dice.entropy()));
        self.say(Tone::User, format_args!("{} {} of {from:?}", request.method, request.path));
        let is_reading = request.method == "GET";
        let body = match &self.sabotage {
            Some(saboteur) => saboteur.request(request.body),
            None => request.body,
        };
        let request = Request { body, ..request };
        if request.path.starts_with("/e/") {
            self.watch.events_arrive(&request.body);
        }
        if let Some(wish) = Wish::of_request(&request.path, &request.body) {
            self.watch.rerun_arrives(wish);
        }
        if request.path == "/fn/register" {
            self.watch.sync_arrives(&request.body);
        }
        let signal = (request.path == "/v1/signals").then(|| serde_json::from_slice(&request.body).ok()).flatten();
        let signal = signal.map(|signal: SignalBody| (signal, now.0));
        if let Some((signal, _)) = &signal {
            self.watch.signal_arrives(signal);
        }
        let id = self.fresh();
        let catalog = self.home.catalog.clone();
        self.script.decides_by(&catalog);
        self.script.open(id, (now.0, entropy.0), &catalog, &request);
        let mut exchange = Exchange::new(now, entropy, &catalog, &self.settings, request);
        let step = self.script.start(id);
        let progress = exchange.start();
        self.script.proceeded(step, &progress);
        self.requests
            .open
            .insert(id, Open { from, is_reading, signal, exchange, tokens: Vec::new(), answers: Vec::new() });
        self.go_on(id, progress);
    }

    fn go_on(&mut self, id: u64, progress: Progress) {
        match progress {
            Progress::Respond(response) => self.respond(id, Some(response)),
            // Nobody asks to wait for news in these worlds.
            Progress::Watch(_) => self.respond(id, None),
            Progress::Ask { questions, .. } => {
                let tokens: Vec<u64> = questions.iter().map(|_| self.fresh()).collect();
                if let Some(open) = self.requests.open.get_mut(&id) {
                    if open.is_reading {
                        tokens.iter().for_each(|token| self.watch.reads(*token));
                    }
                    open.answers = vec![None; tokens.len()];
                    open.tokens.clone_from(&tokens);
                }
                for (question, token) in questions.into_iter().zip(tokens) {
                    home::ask(self, question.to, Message::Ask { token, body: question.body });
                }
            }
        }
    }

    /// An actor answered a question, or cannot.
    pub fn replied(&mut self, token: u64, answer: Option<Vec<u8>>) {
        let found = self.requests.open.iter_mut().find_map(|(id, open)| {
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
        if let Some(open) = self.requests.open.get_mut(&id) {
            let step = self.script.resume(id, now.0, &answers);
            let progress = open.exchange.resume(now, answers);
            self.script.proceeded(step, &progress);
            self.go_on(id, progress);
        }
    }

    fn respond(&mut self, id: u64, response: Option<Response>) {
        let Some(open) = self.requests.open.remove(&id) else { return };
        if let (Some((signal, at)), Some(response)) = (open.signal, &response) {
            let now = self.clock();
            self.watch.signal_is_answered(signal, (at, now), response);
        }
        if open.from == Asker::Nobody {
            return;
        }
        let is_silent = self.sabotage.as_ref().is_some_and(Saboteur::is_silent);
        let response = response.map(|response| {
            let is_silent = is_silent && response.status >= 400;
            if is_silent { Response { body: Vec::new(), ..response } } else { response }
        });
        let lost = self.strikes(Fault::ResponseLost);
        self.travels(Thing::Heard(open.from, response.filter(|_| !lost)));
    }

    /// Whoever served them is gone: nobody hears of what was asked.
    pub fn lose_requests(&mut self) {
        for (_, open) in std::mem::take(&mut self.requests.open) {
            self.after(1, Thing::Heard(open.from, None));
        }
    }
}
