//! Calls to the app, its answers, and what goes wrong between.

use super::World;
use super::agenda::{LATE_MS_MAX, TRAVEL_MS_MAX, Thing};
use crate::app::canonical::{canonical, signature};
use crate::app::garbage;
use crate::app::program::{Act, Member};
use crate::app::request::{self, Fetching, Request, Sent};
use crate::app::wire::{self, CallBody, PARTNER};
use crate::app::{CALL_FAILURES_MAX, Move, wander};
use crate::fault::Fault;
use crate::home::{Kind, Seat, file, kv, objects};
use crate::invariant::{Invariant, Violation, require};
use crate::server::Asker;
use crate::story;
use crate::trace::Tone;
use std::collections::BTreeMap;
use std::rc::Rc;
use stepwell_engine::http::Response;
use stepwell_engine::turn::{Address, AppAnswer, AppCall, CallFailure, CallKind, CallOutcome};

/// How long the app takes to say something.
const ANSWER_MS_MAX: u64 = 500;
/// How long an app waits before it tries again to send an event.
const SEND_AGAIN_MS: u64 = 1_000;
/// Requests in which one run's function wanders: it comes to an end.
const WANDERINGS_MAX: u32 = 6;

/// What is under way between runs and the app.
#[derive(Default)]
pub struct Calls {
    /// By unit of work (`<run>/<unit>`): the id of the one call that is alive.
    live: BTreeMap<String, String>,
    failures: BTreeMap<String, u32>,
    wanderings: BTreeMap<String, u32>,
}

impl Calls {
    /// The call is over, or counts as lost.
    pub fn end(&mut self, call: &str) {
        if self.live.get(unit_of(call)).is_some_and(|live| live == call) {
            self.live.remove(unit_of(call));
        }
    }

    /// It was not over after all.
    pub fn revive(&mut self, call: &str) {
        self.live.insert(unit_of(call).to_owned(), call.to_owned());
    }

    /// Whether the call is alive.
    #[must_use]
    pub fn is_live(&self, call: &str) -> bool {
        self.live.get(unit_of(call)).is_some_and(|live| live == call)
    }

    /// Everything that was under way is lost.
    pub fn end_all(&mut self) {
        self.live.clear();
    }

    /// The calls of a run that are alive.
    pub fn units_of(&self, run: &str) -> Vec<String> {
        let prefix = format!("{run}/");
        let own = self.live.range(prefix.clone()..).take_while(|(unit, _)| unit.starts_with(&prefix));
        own.map(|(_, call)| call.clone()).collect()
    }
}

/// The unit of work that a call belongs to.
fn unit_of(call: &str) -> &str {
    call.rsplit_once('/').map_or(call, |(unit, _)| unit)
}

/// The unit within its run, and which dispatch of it.
fn unit_and_generation(call: &str) -> (&str, u32) {
    let unit = unit_of(call).split_once('/').map_or("", |(_, unit)| unit);
    let generation = call.rsplit_once('/').and_then(|(_, generation)| generation.parse().ok());
    (unit, generation.unwrap_or(0))
}

impl World {
    /// Makes a call.
    ///
    /// # Errors
    /// Another one of the same unit is alive, or it carries what it must not.
    pub fn call(&mut self, seat: Seat, from: &Address, call: AppCall, life: u64) -> Result<Sent, Violation> {
        let (unit, generation) = unit_and_generation(&call.id);
        let is_last = if call.kind == CallKind::App {
            let unreadable =
                |e: serde_json::Error| Violation { invariant: Invariant::NoFault, what: format!("a call: {e}") };
            let body: CallBody<'_> = serde_json::from_slice(&call.body).map_err(unreadable)?;
            self.signature_matches(&call)?;
            self.watch.call(seat, from, &call, &body)?;
            body.ctx.attempt.saturating_add(1) >= body.ctx.max_attempts
        } else {
            self.watch.errand(seat, from, &call, unit, generation)?
        };
        self.watch.has_slot(&from.key, unit, &self.home)?;
        let other = self.calls.live.insert(unit_of(&call.id).to_owned(), call.id.clone());
        require(other.is_none(), Invariant::OneLiveAttempt, || format!("{} is called beside {other:?}", call.id))?;
        self.say(Tone::Turn, format_args!("    calls {}", story::call(&call.id)));
        let sent = Sent { life, number: self.fresh(), is_last };
        if self.call_fails(&from.key, sent, Fault::CallLost) {
            self.unanswered(from, sent, &call.id, CallFailure::Unreachable("the connection is refused".to_owned()));
        } else if self.call_fails(&from.key, sent, Fault::AppHangs) {
            let answer = Err(CallFailure::TimedOut("the app hangs".to_owned()));
            let outcome = Box::new(CallOutcome { id: call.id, answer });
            self.after(call.time_max.0, Thing::Answered(from.clone(), sent, outcome));
        } else {
            self.travels(Thing::CallArrives(from.clone(), sent, Box::new(call)));
        }
        Ok(sent)
    }

    fn unanswered(&mut self, from: &Address, sent: Sent, call: &str, failure: CallFailure) {
        let outcome = CallOutcome { id: call.to_owned(), answer: Err(failure) };
        self.travels(Thing::Answered(from.clone(), sent, Box::new(outcome)));
    }

    /// Whether a call of `run` goes wrong in this manner. Only so often that its program decides how it ends.
    pub fn call_fails(&mut self, run: &str, sent: Sent, fault: Fault) -> bool {
        let spent = self.calls.failures.get(run).copied().unwrap_or(0);
        if sent.is_last || spent >= CALL_FAILURES_MAX || !self.strikes(fault) {
            return false;
        }
        self.calls.failures.insert(run.to_owned(), spent.saturating_add(1));
        self.watch.disturb(run);
        self.say(Tone::Fault, format_args!("{} for run {}", fault.name(), story::short(run)));
        true
    }

    pub(super) fn call_arrives(&mut self, from: Address, sent: Sent, call: &AppCall) -> Result<(), Violation> {
        if let Some(refuses) = call.url.strip_prefix(PARTNER) {
            self.partner_answers(&from, sent, call, refuses.parse().unwrap_or(0));
            return Ok(());
        }
        let slug = request::parameter(&call.url, "fnId").unwrap_or_default();
        let name = slug.strip_prefix("app-").unwrap_or_default();
        let program = self.app.program(name).filter(|_| !self.app.deployed.without.contains(name)).cloned();
        let Some(mut program) = program else {
            // As SDKs answer for a function that they do not have. Whether it is back in time is a matter of luck.
            self.watch.doom(&from.key);
            let body = "{\"name\":\"Error\",\"message\":\"no such function\"}".to_owned();
            self.send_answer(&from, sent, &call.id, Ok(wire::answer(500, 2, &[], body)));
            return Ok(());
        };
        let wandered = self.calls.wanderings.get(&from.key).copied().unwrap_or(0);
        if program.wanders && wandered < WANDERINGS_MAX {
            self.calls.wanderings.insert(from.key.clone(), wandered.saturating_add(1));
            program = wander::varied(&program, &mut self.dice);
        }
        let request = Request::read(from, sent, call, Rc::new(program));
        let request = request.map_err(|e| Violation { invariant: Invariant::NoFault, what: format!("a call: {e}") })?;
        let id = self.fresh();
        self.app.requests.insert(id, request);
        self.app_goes_on(id)
    }

    /// Somebody else's server answers a request that is made for a step.
    fn partner_answers(&mut self, from: &Address, sent: Sent, call: &AppCall, refuses: u32) {
        let run = from.key.as_str();
        let (unit, _) = unit_and_generation(&call.id);
        let answer = if self.call_fails(run, sent, Fault::AppFails) {
            Ok(wire::refusal(503))
        } else {
            let data = self.app.infer(run, unit.strip_prefix("step:").unwrap_or(unit), refuses);
            let served = |data: String| AppAnswer { status: 200, headers: Vec::new(), body: data.into_bytes() };
            let lost = CallFailure::Unreachable("the connection is reset".to_owned());
            let is_lost = self.call_fails(run, sent, Fault::AnswerLost);
            if is_lost { Err(lost) } else { Ok(data.map_or_else(|| wire::refusal(429), served)) }
        };
        let said = answer.as_ref().map_or_else(|failure| format!("{failure:?}"), |answer| answer.status.to_string());
        self.say(Tone::App, format_args!("somebody else answers {}: {said}", story::call(&call.id)));
        self.send_answer(from, sent, &call.id, answer);
    }

    pub(super) fn app_goes_on(&mut self, id: u64) -> Result<(), Violation> {
        match self.app.go_on(id) {
            None => {}
            Some(Move::Answer(answer)) => self.answer(id, answer),
            Some(Move::Save { path, body, runs_on }) => {
                self.request(Asker::Saving(id), "POST", &path, &[], body);
                if runs_on {
                    self.after(0, Thing::AppGoesOn(id));
                }
            }
            Some(Move::Fetch(path)) => self.request(Asker::App(id), "GET", &path, &[], Vec::new()),
            Some(Move::Send { id: event, name }) => {
                let body = self.watch.sends(&event, &name, None, None);
                self.request(Asker::App(id), "POST", "/e/key", &[], format!("[{body}]").into_bytes());
            }
            Some(Move::Signal { mark, signal }) => {
                let body = self.watch.signals(&mark, &signal);
                self.request(Asker::App(id), "POST", "/v1/signals", &[], body);
            }
            Some(Move::RunOn) => self.after(0, Thing::AppGoesOn(id)),
            Some(Move::Wait) => {}
            Some(Move::Work(ms)) => self.after(ms, Thing::AppGoesOn(id)),
            Some(Move::Wronged(what)) => return Err(Violation { invariant: Invariant::SavedStays, what }),
        }
        Ok(())
    }

    /// The app hears what came of a checkpoint.
    pub(super) fn app_saved(&mut self, id: u64, response: Option<&Response>) {
        let Some(request) = self.app.requests.get(&id) else { return };
        let status = response.map(|response| response.status);
        if status != Some(200) {
            let run = request.run.clone();
            self.watch.disturb(&run);
        }
        let now = self.fresh();
        let ms = self.dice.below(TRAVEL_MS_MAX);
        match self.app.saved(id, status, now) {
            None => {}
            Some(None) => self.after(ms, Thing::AppGoesOn(id)),
            Some(Some(answer)) => self.answer(id, answer),
        }
    }

    /// The app hears what came of another request of its own: an event or a signal that a step sends, or what it fetches.
    pub(super) fn app_heard(&mut self, id: u64, response: Option<&Response>) -> Result<(), Violation> {
        let Some(request) = self.app.requests.get(&id) else { return Ok(()) };
        let (run, is_fetching) = (request.run.clone(), request.fetching != Fetching::Nothing);
        let step = request.posting.as_ref().and_then(|mark| request.program.member(mark.split_once('/')?.1));
        let is_event = matches!(step, Some(Member { act: Act::Step(step), .. }) if step.sends.is_some());
        // Nobody waits for the signal: no fault of the step (PROTOCOL §7.5).
        let is_done = |status| status == 200 || status == 404 && !is_fetching && !is_event;
        let Some(response) = response.filter(|response| is_done(response.status)) else {
            self.after(SEND_AGAIN_MS, Thing::AppGoesOn(id));
            return Ok(());
        };
        if is_fetching {
            self.watch.fetched(&run, &response.body)?;
            require(self.app.fetched(id, &response.body), Invariant::DurableBeforeVisible, || {
                format!("{run} is called with more than it can fetch: {}", String::from_utf8_lossy(&response.body))
            })?;
            return self.app_goes_on(id);
        }
        let Some(mark) = self.app.posted(id) else { return Ok(()) };
        if is_event {
            self.acknowledged(&mark)?;
        }
        self.app_goes_on(id)
    }

    /// Where calls are signed: the body is canonical, and the signature is over it.
    fn signature_matches(&self, call: &AppCall) -> Result<(), Violation> {
        let header = call.headers.iter().find(|(name, _)| *name == "x-inngest-signature").map(|(_, value)| value);
        let Some(key) = self.settings.signing_keys.first() else {
            return require(header.is_none(), Invariant::CallsAreSigned, || format!("{} is signed by nobody", call.id));
        };
        let key = key.rsplit_once('-').map_or(key.as_str(), |(_, key)| key);
        let body = String::from_utf8_lossy(&call.body);
        let found = header.and_then(|header| header.strip_prefix("t=")?.split_once("&s="));
        let holds = found.is_some_and(|(at, found)| {
            let seconds = at.parse().unwrap_or(0);
            canonical(&body).is_some_and(|canonical| signature(key, canonical.as_bytes(), seconds) == found)
        });
        require(holds, Invariant::CallsAreSigned, || format!("{} bears {header:?} over {body}", call.id))
    }

    fn answer(&mut self, id: u64, answer: AppAnswer) {
        let Some(request) = self.app.requests.remove(&id) else { return };
        let (run, sent) = (request.run.clone(), request.sent);
        let answer = if self.call_fails(&run, sent, Fault::AppFails) {
            Ok(wire::refusal(500))
        } else if self.call_fails(&run, sent, Fault::AppBabbles) {
            Ok(garbage::of_attempt(&mut self.dice))
        } else if self.call_fails(&run, sent, Fault::AppBreaks) {
            self.watch.doom(&run);
            Ok(garbage::of_run(&mut self.dice))
        } else if self.call_fails(&run, sent, Fault::AnswerLost) {
            Err(CallFailure::Unreachable("the connection is reset".to_owned()))
        } else {
            Ok(answer)
        };
        let said = answer.as_ref().map_or_else(|failure| format!("{failure:?}"), story::answer);
        self.say(Tone::App, format_args!("the app answers {}: {said}", story::call(&request.call)));
        self.send_answer(&request.from, sent, &request.call, answer);
    }

    fn send_answer(&mut self, to: &Address, sent: Sent, call: &str, answer: Result<AppAnswer, CallFailure>) {
        let outcome = CallOutcome { id: call.to_owned(), answer };
        let late = if self.strikes(Fault::AnswerLate) { self.dice.below(LATE_MS_MAX) } else { 0 };
        let ms = late.saturating_add(self.dice.below(ANSWER_MS_MAX));
        if self.strikes(Fault::AnswerTwice) {
            let again = ms.saturating_add(self.dice.below(LATE_MS_MAX));
            self.after(again, Thing::Answered(to.clone(), sent, Box::new(outcome.clone())));
        }
        self.after(ms, Thing::Answered(to.clone(), sent, Box::new(outcome)));
    }

    pub(super) fn answered(&mut self, to: &Address, sent: Sent, outcome: CallOutcome) -> Result<(), Violation> {
        match self.home.kind {
            Kind::File => {
                file::answered(self, to, sent, outcome);
                Ok(())
            }
            Kind::Objects => objects::answered(self, to, sent, outcome),
            Kind::Kv => kv::answered(self, to, sent, outcome),
        }
    }
}
