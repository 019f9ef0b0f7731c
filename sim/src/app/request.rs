//! A request that the app is working on.

use super::program::{Act, Member, Program, Saves};
use super::sdk::Memory;
use super::wire::{self, CallBody};
use serde_json::json;
use std::collections::BTreeMap;
use std::rc::Rc;
use stepwell_engine::turn::{Address, AppCall};

/// When a call was made, and by whom.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Which life of the file's process, or which instance, made it.
    pub life: u64,
    /// Its place among all that happened.
    pub number: u64,
    /// No other attempt of its unit follows: what goes wrong now would be the end of the run.
    pub is_last: bool,
}

/// A step that ran, and that nobody was told of yet.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Which.
    pub id: String,
    /// What the answer or a checkpoint says of it.
    pub op: String,
}

/// What a request still fetches before it can begin (PROTOCOL §3.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fetching {
    /// Nothing.
    Nothing,
    /// The events; then the steps.
    Events,
    /// The steps.
    Steps,
}

/// A request that the app is working on.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who called.
    pub from: Address,
    /// When.
    pub sent: Sent,
    /// The call's id.
    pub call: String,
    /// The run.
    pub run: String,
    /// The function's code, as it is this time.
    pub program: Rc<Program>,
    /// What is remembered: from the call, and from what was run since.
    pub memory: Memory,
    /// Arguments that steps are given instead of their own, by step.
    pub inputs: BTreeMap<String, String>,
    /// The one step that it is about.
    pub target: Option<String>,
    /// Steps are to be planned.
    pub must_plan: bool,
    /// The step that was worked on last.
    pub worked: Option<String>,
    /// The event or signal that is being sent.
    pub posting: Option<String>,
    /// The step whose event or signal was accepted last.
    pub posted: Option<String>,
    /// Steps that ran and are neither saved nor being saved.
    pub unsaved: Vec<Ran>,
    /// Steps that are being saved.
    pub saving: Vec<Ran>,
    /// What is said of deferrals with whatever is sent next, as ops.
    pub said: Vec<String>,
    /// It goes on when it hears what came of saving.
    pub waits_for_saving: bool,
    /// Saving failed: what is not saved goes into the answer, and that is all.
    pub falls_back: bool,
    /// The step that threw, as the answer says it, with its headers: said once nothing is being saved.
    pub threw: Option<(Vec<(&'static str, String)>, String)>,
    /// What it fetches.
    pub fetching: Fetching,
    attempt: u32,
    max_attempts: u32,
    echo: (String, u32),
}

impl Request {
    /// Reads a call.
    ///
    /// # Errors
    /// No SDK could read it.
    pub fn read(from: Address, sent: Sent, call: &AppCall, program: Rc<Program>) -> Result<Self, serde_json::Error> {
        let body: CallBody<'_> = serde_json::from_slice(&call.body)?;
        let step = parameter(&call.url, "stepId");
        let (inputs, memos) = sorted(body.steps.iter().map(|(id, memo)| (id.clone(), memo.get())));
        Ok(Self {
            from,
            sent,
            call: call.id.clone(),
            run: body.ctx.run_id.to_owned(),
            program,
            memory: Memory {
                memos,
                order: body.ctx.stack.stack,
                defers: body.defers.into_iter().map(|(id, told)| (id, told.abortable)).collect(),
            },
            inputs,
            target: step.filter(|step| step != "step"),
            must_plan: body.ctx.disable_immediate_execution,
            worked: None,
            posting: None,
            posted: None,
            unsaved: Vec::new(),
            saving: Vec::new(),
            said: Vec::new(),
            waits_for_saving: false,
            falls_back: false,
            threw: None,
            fetching: if body.use_api { Fetching::Events } else { Fetching::Nothing },
            attempt: body.ctx.attempt,
            max_attempts: body.ctx.max_attempts,
            echo: (body.ctx.qi_id.to_owned(), body.ctx.generation_id),
        })
    }

    /// Whether a failure of it is final.
    #[must_use]
    pub const fn is_last_attempt(&self) -> bool {
        self.attempt.saturating_add(1) >= self.max_attempts
    }

    /// Whether it saves steps as it goes: not where an attempt has failed before, so that the next step has them all again
    /// (PROTOCOL §4.3).
    #[must_use]
    pub fn saves(&self) -> bool {
        self.program.sdk.saves != Saves::Never && self.target.is_none() && self.attempt == 0
    }

    /// Something is said of a deferral, once in a request. What is taken back before it was said is not said at all.
    pub fn say(&mut self, member: &Member) {
        let defers = &mut self.memory.defers;
        match &member.act {
            Act::Defer { .. } => drop(defers.insert(member.id.clone(), true)),
            Act::TakeBack { of } => {
                defers.insert(of.clone(), false);
                let start = format!("{{\"id\":\"{of}\",\"op\":\"DeferAdd\"");
                self.said.retain(|said| !said.starts_with(&start));
            }
            _ => {}
        }
        self.said.push(wire::planned(&self.run, member, false));
    }

    /// The checkpoint of what is being saved, and of what is said beside it.
    #[must_use]
    pub fn checkpoint(&mut self) -> (String, Vec<u8>) {
        let said = std::mem::take(&mut self.said);
        let (unit, generation) = &self.echo;
        let unit = json!(unit);
        let ops: Vec<&str> = self.saving.iter().map(|ran| &ran.op).chain(&said).map(String::as_str).collect();
        let body = format!("{{\"qi_id\":{unit},\"generation_id\":{generation},\"steps\":[{}]}}", ops.join(","));
        (format!("/v1/checkpoint/{}/async", self.run), body.into_bytes())
    }
}

/// Arguments for steps, and memos of steps that have ended: both travel as memos (PROTOCOL §3.9).
#[must_use]
pub fn sorted<'a>(
    steps: impl Iterator<Item = (String, &'a str)>,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut inputs, mut memos) = (BTreeMap::new(), BTreeMap::new());
    for (id, memo) in steps {
        match input_of(memo) {
            Some(input) => inputs.insert(id, input.to_owned()),
            None => memos.insert(id, memo.to_owned()),
        };
    }
    (inputs, memos)
}

/// The arguments that a memo gives a step which has not ended.
#[must_use]
pub fn input_of(memo: &str) -> Option<&str> {
    memo.strip_prefix("{\"input\":")?.strip_suffix('}')
}

/// A parameter of a URL's query, decoded.
#[must_use]
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let query = url.split_once('?')?.1;
    let found = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    Some(decoded(found))
}

fn decoded(text: &str) -> String {
    let mut out = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (digit(bytes.next()).unwrap_or(0), digit(bytes.next()).unwrap_or(0));
                u8::try_from(high.saturating_mul(16).saturating_add(low)).unwrap_or(b'?')
            }
            byte => byte,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn parameters_are_decoded() {
        let url = "http://app.test/v1?fnId=app-f&stepId=load%3A1";
        assert_eq!(parameter(url, "stepId").as_deref(), Some("load:1"));
        assert_eq!(parameter(url, "fnId").as_deref(), Some("app-f"));
        assert_eq!(parameter(url, "nothing"), None);
    }
}
