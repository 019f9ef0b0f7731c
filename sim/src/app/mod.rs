//! The simulated app: programs behind an SDK that speaks the wire protocol.

pub mod canonical;
pub mod deploy;
pub mod garbage;
mod parse;
pub mod payload;
pub mod program;
mod random;
pub mod request;
pub mod sdk;
pub mod wander;
pub mod wire;

pub use random::{CALL_FAILURES_MAX, SIGNALS, STOP, WAKES};

use deploy::Deployed;
use program::{Act, End, Member, Program, Saves, Step, Throws};
use request::{Fetching, Ran, Request};
use sdk::{Manner, Next};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use stepwell_engine::turn::AppAnswer;

/// A step of a run: the run, and the step's id.
pub type StepOf = (String, String);

/// What the app does next with a request.
#[derive(Debug)]
pub enum Move {
    /// It answers.
    Answer(AppAnswer),
    /// It saves steps.
    Save {
        /// The path to post to.
        path: String,
        /// The checkpoint.
        body: Vec<u8>,
        /// It runs on meanwhile.
        runs_on: bool,
    },
    /// It fetches what the call did not carry.
    Fetch(String),
    /// It runs on.
    RunOn,
    /// It waits for what it saves.
    Wait,
    /// It sends an event, and goes on when it was accepted.
    Send {
        /// The event's own id: the same each time.
        id: String,
        /// Its name.
        name: String,
    },
    /// It sends a signal, and goes on when it hears of it.
    Signal {
        /// The mark that it bears: the same each time.
        mark: String,
        /// Its name.
        signal: String,
    },
    /// It is busy for so long.
    Work(u64),
    /// It was asked for what it must not be asked for.
    Wronged(String),
}

/// The app.
#[derive(Default)]
pub struct App {
    /// Its functions, whether they are deployed or not.
    pub programs: Vec<Program>,
    /// What of it is deployed.
    pub deployed: Deployed,
    /// Requests under way.
    pub requests: BTreeMap<u64, Request>,
    /// How often a step's code came to its end.
    pub tries: BTreeMap<StepOf, u32>,
    /// What a step's code returned, each time.
    pub returned: BTreeMap<StepOf, BTreeSet<String>>,
    throws: BTreeMap<StepOf, u32>,
    /// When the app was told that a step is saved.
    acknowledged: BTreeMap<StepOf, u64>,
}

impl App {
    /// An app of these functions.
    #[must_use]
    pub fn new(programs: Vec<Program>) -> Self {
        Self { programs, ..Self::default() }
    }

    /// The program with this name.
    #[must_use]
    pub fn program(&self, name: &str) -> Option<&Program> {
        self.programs.iter().find(|program| program.name == name)
    }

    /// Goes on with a request; `None` where it is over.
    pub fn go_on(&mut self, id: u64) -> Option<Move> {
        let mut request = self.requests.remove(&id)?;
        let next = self.move_of(&mut request);
        self.requests.insert(id, request);
        Some(next)
    }

    fn move_of(&mut self, request: &mut Request) -> Move {
        match request.fetching {
            Fetching::Events => return Move::Fetch(format!("/v0/runs/{}/batch", request.run)),
            Fetching::Steps => return Move::Fetch(format!("/v0/runs/{}/actions", request.run)),
            Fetching::Nothing => {}
        }
        let program = request.program.clone();
        let version = program.sdk.version;
        if request.threw.is_some() && !request.saving.is_empty() {
            request.waits_for_saving = true;
            return Move::Wait;
        }
        if let Some((headers, threw)) = request.threw.take() {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            return Move::Answer(ops(version, &headers, &[leftovers(request), vec![threw]].concat()));
        }
        if request.falls_back {
            return Move::Answer(ops(version, &[], &leftovers(request)));
        }
        let (target, must_plan, saves) = (request.target.as_deref(), request.must_plan, request.saves());
        let (found, said) = sdk::next(&program, &request.memory, Manner { target, must_plan, saves });
        said.into_iter().for_each(|member| request.say(member));
        if let Next::Do(Member { id, act: Act::Step(step) }) = found {
            return self.execute(request, id, step);
        }
        // Whatever it answers, it says what it has not saved.
        if !request.saving.is_empty() {
            request.waits_for_saving = true;
            return Move::Wait;
        }
        let planned = |member: &Member, races| wire::planned(&request.run, member, races);
        match found {
            Next::Do(member) => {
                let op = planned(member, false);
                Move::Answer(with_leftovers(request, version, op))
            }
            Next::Plan(found) => {
                let found: Vec<String> = found.into_iter().map(|(member, races)| planned(member, races)).collect();
                Move::Answer(ops(version, &[], &[leftovers(request), found].concat()))
            }
            Next::Tell => Move::Answer(ops(version, &[], &leftovers(request))),
            Next::End(output) => Move::Answer(self.end(request, &output)),
            // The next request finds them saved, and throws then.
            Next::Throw if !request.unsaved.is_empty() => Move::Answer(ops(version, &[], &leftovers(request))),
            Next::Throw => Move::Answer(function_threw(request, true)),
            // As SDKs do when a step is not found any more; where the code is what it was, it must not happen.
            Next::Lost if program.wanders => Move::Answer(thrown(version, false)),
            Next::Lost => {
                Move::Wronged(format!("{} is asked for {:?}, which it cannot run", request.run, request.target))
            }
        }
    }

    fn execute(&mut self, request: &mut Request, id: &str, step: &Step) -> Move {
        let key = (request.run.clone(), id.to_owned());
        // A call that was made before may still arrive: nobody can call it back.
        if self.acknowledged.get(&key).is_some_and(|told| *told < request.sent.number) {
            return Move::Wronged(format!("{} runs {} again, which it was told is saved", key.0, key.1));
        }
        if step.takes_ms > 0 && request.worked.replace(id.to_owned()).as_deref() != Some(id) {
            return Move::Work(step.takes_ms);
        }
        if (step.sends.is_some() || step.signals.is_some()) && request.posted.as_deref() != Some(id) {
            let mark = format!("{}/{}", key.0, key.1);
            request.posting = Some(mark.clone());
            match (&step.sends, &step.signals) {
                (Some(name), _) => return Move::Send { id: mark, name: name.clone() },
                (None, Some(signal)) => return Move::Signal { mark, signal: signal.clone() },
                (None, None) => {}
            }
        }
        let tries = self.tries.entry(key.clone()).or_default();
        *tries = tries.saturating_add(1);
        let (tries, version) = (*tries, request.program.sdk.version);
        if self.throws(&key, step.throws) {
            let is_final =
                step.throws == Throws::AtOnce || (request.program.sdk.says_final && request.is_last_attempt());
            let mut headers = vec![("x-inngest-no-retry", if is_final { "true" } else { "false" }.to_owned())];
            let retry = step.retry_after_s.filter(|_| !is_final).map(|seconds| ("retry-after", seconds.to_string()));
            headers.extend(retry);
            request.threw = Some((headers, wire::threw(id, is_final)));
            return self.move_of(request);
        }
        let input = request.inputs.get(id).map(String::as_str);
        let data = if step.is_bulky { payload::bulky(id, tries) } else { payload::of_step(id, tries, input) };
        self.returned.entry(key).or_default().insert(data.clone());
        let op = wire::ran(id, step, &data);
        if !request.saves() {
            return Move::Answer(with_leftovers(request, version, op));
        }
        request.memory.remember(id, format!("{{\"data\":{data}}}"));
        request.unsaved.push(Ran { id: id.to_owned(), op });
        let (is_full, runs_on) = match request.program.sdk.saves {
            Saves::Never => (false, true),
            Saves::Every(count) => (u32::try_from(request.unsaved.len()).is_ok_and(|held| held >= count), false),
            Saves::Behind => (request.saving.is_empty(), true),
        };
        if !is_full {
            return Move::RunOn;
        }
        request.saving = std::mem::take(&mut request.unsaved);
        request.waits_for_saving = !runs_on;
        let (path, body) = request.checkpoint();
        Move::Save { path, body, runs_on }
    }

    /// Somebody else's server is asked for a step: what it answers, unless it refuses.
    pub fn infer(&mut self, run: &str, step: &str, refuses: u32) -> Option<String> {
        let key = (run.to_owned(), step.to_owned());
        let tries = self.tries.entry(key.clone()).or_default();
        *tries = tries.saturating_add(1);
        let data = payload::of_step(step, *tries, None);
        if self.throws(&key, Throws::Times(refuses)) {
            return None;
        }
        self.returned.entry(key).or_default().insert(data.clone());
        Some(data)
    }

    /// Whether the step throws this time.
    fn throws(&mut self, key: &StepOf, throws: Throws) -> bool {
        let Throws::Times(times) = throws else { return true };
        let thrown = self.throws.entry(key.clone()).or_default();
        let throws = *thrown < times;
        *thrown = thrown.saturating_add(u32::from(throws));
        throws
    }

    fn end(&mut self, request: &mut Request, output: &str) -> AppAnswer {
        let version = request.program.sdk.version;
        let throws = match request.program.end {
            End::Returns => false,
            // The next request finds them saved, and throws then.
            _ if !request.unsaved.is_empty() => return ops(version, &[], &leftovers(request)),
            End::Throws(times) => self.throws(&(request.run.clone(), String::new()), Throws::Times(times)),
            End::GivesUp => return function_threw(request, true),
        };
        if throws {
            return function_threw(request, request.program.sdk.says_final && request.is_last_attempt());
        }
        if request.saves() || !request.said.is_empty() {
            return with_leftovers(request, version, wire::complete(output));
        }
        wire::answer(200, version, &[], output.to_owned())
    }

    /// The event or signal that a step sends was accepted: its code goes on. Gives its mark.
    pub fn posted(&mut self, id: u64) -> Option<String> {
        let request = self.requests.get_mut(&id)?;
        let event = request.posting.take()?;
        request.posted = event.split_once('/').map(|(_, step)| step.to_owned());
        Some(event)
    }

    /// Hears what came of a checkpoint: goes on (`Some(None)`), or answers at once; `None`: it runs on as it does.
    pub fn saved(&mut self, id: u64, status: Option<u16>, now: u64) -> Option<Option<AppAnswer>> {
        let request = self.requests.get_mut(&id)?;
        let saving = std::mem::take(&mut request.saving);
        match status {
            Some(200) => {
                for ran in saving {
                    self.acknowledged.entry((request.run.clone(), ran.id)).or_insert(now);
                }
            }
            // Stale: another attempt is at it. The SDK stops, and answers with a failure that the server must ignore.
            Some(409) => return Some(Some(thrown(request.program.sdk.version, true))),
            _ => {
                request.unsaved.splice(0..0, saving);
                request.falls_back = true;
            }
        }
        std::mem::take(&mut request.waits_for_saving).then_some(None)
    }

    /// Hears what it fetched; whether it could read it.
    pub fn fetched(&mut self, id: u64, body: &[u8]) -> bool {
        let Some(request) = self.requests.get_mut(&id) else { return true };
        if request.fetching == Fetching::Events {
            request.fetching = Fetching::Steps;
            return serde_json::from_slice::<Vec<&RawValue>>(body).is_ok_and(|events| !events.is_empty());
        }
        let Ok(steps) = serde_json::from_slice::<BTreeMap<String, &RawValue>>(body) else { return false };
        request.fetching = Fetching::Nothing;
        let (inputs, steps) = request::sorted(steps.iter().map(|(id, memo)| (id.clone(), memo.get())));
        request.inputs.extend(inputs);
        // What was saved since the call was made has no place in the order that the call told.
        let known = steps.into_iter().filter(|(id, _)| request.memory.order.contains(id));
        request.memory.memos.extend(known);
        request.memory.order.iter().all(|id| request.memory.memos.contains_key(id))
    }
}

/// What is not saved, and what is said of deferrals, as the answer says it.
fn leftovers(request: &mut Request) -> Vec<String> {
    request.unsaved.drain(..).map(|ran| ran.op).chain(request.said.drain(..)).collect()
}

fn with_leftovers(request: &mut Request, version: u32, op: String) -> AppAnswer {
    ops(version, &[], &[leftovers(request), vec![op]].concat())
}

fn ops(version: u32, headers: &[(&str, &str)], found: &[String]) -> AppAnswer {
    wire::answer(206, version, headers, format!("[{}]", found.join(",")))
}

/// A function-level error; as an op, where something is said of deferrals beside it.
fn function_threw(request: &mut Request, is_final: bool) -> AppAnswer {
    let version = request.program.sdk.version;
    if request.said.is_empty() {
        return thrown(version, is_final);
    }
    ops(version, &[], &[leftovers(request), vec![wire::function_threw(is_final)]].concat())
}

/// A function-level error (PROTOCOL §4.1).
fn thrown(version: u32, is_final: bool) -> AppAnswer {
    let no_retry = if is_final { "true" } else { "false" };
    let body = "{\"name\":\"Error\",\"message\":\"as the program says\",\"stack\":\"\"}".to_owned();
    wire::answer(if is_final { 400 } else { 500 }, version, &[("x-inngest-no-retry", no_retry)], body)
}
