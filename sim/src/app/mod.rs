//! The simulated app: programs behind an SDK that speaks the wire protocol.

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

pub use random::CALL_FAILURES_MAX;

use deploy::Deployed;
use program::{Act, End, Member, Program, Step, Throws};
use request::{Request, Saving};
use sdk::Next;
use std::collections::{BTreeMap, BTreeSet};
use stepwell_engine::turn::AppAnswer;

/// A step of a run: the run, and the step's id.
pub type StepOf = (String, String);

/// What the app does next with a request.
#[derive(Debug)]
pub enum Move {
    /// It answers.
    Answer(AppAnswer),
    /// It saves a step, and goes on when it hears of it.
    Save {
        /// The path to post to.
        path: String,
        /// The checkpoint.
        body: Vec<u8>,
    },
    /// It sends an event, and goes on when it was accepted.
    Send {
        /// The event's own id: the same each time.
        id: String,
        /// Its name.
        name: String,
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
        let program = request.program.clone();
        let found = sdk::next(&program, &request.memory, request.target.as_deref(), request.must_plan);
        let version = program.sdk.version;
        let next = match found {
            Next::Do(member) => match &member.act {
                Act::Step(step) => self.execute(&mut request, member, step),
                Act::Sleep { .. } => Move::Answer(ops(version, &[], &[wire::planned(member, false)])),
            },
            Next::Plan(found) => {
                let found: Vec<String> =
                    found.into_iter().map(|(member, races)| wire::planned(member, races)).collect();
                Move::Answer(ops(version, &[], &found))
            }
            Next::End(output) => Move::Answer(self.end(&request, &output)),
            Next::Throw => Move::Answer(thrown(version, true)),
            // As SDKs do when a step is not found any more; where the code is what it was, it must not happen.
            Next::Lost if program.wanders => Move::Answer(thrown(version, false)),
            Next::Lost => {
                Move::Wronged(format!("{} is asked for {:?}, which it cannot run", request.run, request.target))
            }
        };
        self.requests.insert(id, request);
        Some(next)
    }

    fn execute(&mut self, request: &mut Request, member: &Member, step: &Step) -> Move {
        let key = (request.run.clone(), member.id.clone());
        // A call that was made before may still arrive: nobody can call it back.
        if self.acknowledged.get(&key).is_some_and(|told| *told < request.sent.number) {
            return Move::Wronged(format!("{} runs {} again, which it was told is saved", key.0, key.1));
        }
        if step.takes_ms > 0 && request.worked.replace(member.id.clone()).as_ref() != Some(&member.id) {
            return Move::Work(step.takes_ms);
        }
        if let Some(name) = &step.sends
            && request.posted.as_ref() != Some(&member.id)
        {
            let event = format!("{}/{}", key.0, key.1);
            request.posting = Some(event.clone());
            return Move::Send { id: event, name: name.clone() };
        }
        let tries = self.tries.entry(key.clone()).or_default();
        *tries = tries.saturating_add(1);
        let (tries, version) = (*tries, request.program.sdk.version);
        if self.throws(&key, step.throws) {
            let is_final =
                step.throws == Throws::AtOnce || (request.program.sdk.says_final && request.is_last_attempt());
            let retry = step.retry_after_s.map(|seconds| seconds.to_string());
            let mut headers = vec![("x-inngest-no-retry", if is_final { "true" } else { "false" })];
            headers.extend(retry.as_deref().filter(|_| !is_final).map(|seconds| ("retry-after", seconds)));
            return Move::Answer(ops(version, &headers, &[wire::threw(&member.id, is_final)]));
        }
        let data = payload::of_step(&member.id, tries);
        self.returned.entry(key).or_default().insert(data.clone());
        let op = wire::ran(&member.id, step, &data);
        if !request.saves() {
            return Move::Answer(ops(version, &[], &[op]));
        }
        let (path, body) = request.checkpoint(&op);
        request.saving = Some(Saving { id: member.id.clone(), memo: format!("{{\"data\":{data}}}"), op });
        Move::Save { path, body }
    }

    /// Whether the step throws this time.
    fn throws(&mut self, key: &StepOf, throws: Throws) -> bool {
        let Throws::Times(times) = throws else { return true };
        let thrown = self.throws.entry(key.clone()).or_default();
        let throws = *thrown < times;
        *thrown = thrown.saturating_add(u32::from(throws));
        throws
    }

    fn end(&mut self, request: &Request, output: &str) -> AppAnswer {
        let version = request.program.sdk.version;
        let throws = match request.program.end {
            End::Returns => false,
            End::Throws(times) => self.throws(&(request.run.clone(), String::new()), Throws::Times(times)),
            End::GivesUp => return thrown(version, true),
        };
        if throws {
            return thrown(version, request.program.sdk.says_final && request.is_last_attempt());
        }
        if request.saves() {
            return ops(version, &[], &[wire::complete(output)]);
        }
        wire::answer(200, version, &[], output.to_owned())
    }

    /// The event that a step sends was accepted: its code goes on. Gives the event.
    pub fn posted(&mut self, id: u64) -> Option<String> {
        let request = self.requests.get_mut(&id)?;
        let event = request.posting.take()?;
        request.posted = event.split_once('/').map(|(_, step)| step.to_owned());
        Some(event)
    }

    /// Hears what came of a checkpoint: goes on (`Some(None)`), or answers.
    pub fn saved(&mut self, id: u64, status: Option<u16>, now: u64) -> Option<Option<AppAnswer>> {
        let request = self.requests.get_mut(&id)?;
        let Saving { id: step, memo, op } = request.saving.take()?;
        match status {
            Some(200) => {
                self.acknowledged.entry((request.run.clone(), step.clone())).or_insert(now);
                request.memory.remember(&step, memo);
                Some(None)
            }
            // Stale: another attempt is at it. The SDK stops, and answers with a failure that the server must ignore.
            Some(409) => Some(Some(thrown(request.program.sdk.version, true))),
            _ => Some(Some(ops(request.program.sdk.version, &[], &[op]))),
        }
    }
}

fn ops(version: u32, headers: &[(&str, &str)], found: &[String]) -> AppAnswer {
    wire::answer(206, version, headers, format!("[{}]", found.join(",")))
}

/// A function-level error (PROTOCOL §4.1).
fn thrown(version: u32, is_final: bool) -> AppAnswer {
    let no_retry = if is_final { "true" } else { "false" };
    let body = "{\"name\":\"Error\",\"message\":\"as the program says\",\"stack\":\"\"}".to_owned();
    wire::answer(if is_final { 400 } else { 500 }, version, &[("x-inngest-no-retry", no_retry)], body)
}
