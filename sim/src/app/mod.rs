//! The simulated app: programs behind an SDK that speaks the wire protocol.

mod model;
pub mod program;
pub mod sdk;

pub use model::{Expected, expected};

use crate::world::Sent;
use program::Program;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use stepwell_engine::turn::{Address, AppAnswer, AppCall};

/// A request that the app is working on.
pub struct Request {
    /// Who called.
    pub from: Address,
    /// When.
    pub sent: Sent,
    /// The call's id.
    pub call: String,
    /// The run.
    pub run: String,
    /// What is remembered: from the call, and from what was run since.
    memos: Map<String, Value>,
    target: Option<String>,
    must_plan: bool,
    checkpoint: Value,
    program: usize,
    unsaved: Option<Value>,
    saving: Option<(String, Value)>,
}

/// What the app does next with a request.
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
    /// It was asked for what it must not be asked for.
    Wronged(String),
}

/// The app.
#[derive(Default)]
pub struct App {
    /// Its functions.
    pub programs: Vec<Program>,
    /// Requests under way.
    pub requests: BTreeMap<u64, Request>,
    executions: BTreeMap<(String, String), u32>,
    throws: BTreeMap<(String, String), u32>,
    /// When the app was told that a step is saved.
    acknowledged: BTreeMap<(String, String), u64>,
}

impl App {
    /// An app of these functions.
    #[must_use]
    pub fn new(programs: Vec<Program>) -> Self {
        Self { programs, ..Self::default() }
    }

    /// What the app registers (PROTOCOL §1.5); `edition` makes one registration differ from another.
    #[must_use]
    pub fn registration(&self, edition: u64) -> Vec<u8> {
        let url = "http://app.test/api/inngest";
        let function = |program: &Program| {
            let triggers: Vec<_> = program.triggers.iter().map(|name| json!({"event": name})).collect();
            let id = format!("app-{}", program.name);
            json!({"id": id, "name": format!("{} {edition}", program.name), "triggers": triggers,
                   "steps": {"step": {"id": "step", "name": "step", "retries": {"attempts": 9},
                             "runtime": {"type": "http", "url": format!("{url}?fnId={id}&stepId=step")}}}})
        };
        let functions: Vec<_> = self.programs.iter().map(function).collect();
        json!({"url": url, "deployType": "ping", "framework": "sim", "appName": "app", "functions": functions,
               "sdk": "sim:v0.0.1", "v": "0.1"})
        .to_string()
        .into_bytes()
    }

    /// Begins to work on a call.
    pub fn open(&mut self, id: u64, from: Address, sent: Sent, call: &AppCall) {
        let body: Value = serde_json::from_slice(&call.body).unwrap_or_default();
        let query = call.url.split('?').nth(1).unwrap_or_default();
        let parameter = |name: &str| {
            let value =
                query.split('&').find_map(|pair| pair.strip_prefix(name)).and_then(|rest| rest.strip_prefix('='));
            value.unwrap_or_default().to_owned()
        };
        let function = parameter("fnId");
        let step = parameter("stepId");
        let ctx = &body["ctx"];
        let request = Request {
            from,
            sent,
            call: call.id.clone(),
            run: ctx["run_id"].as_str().unwrap_or_default().to_owned(),
            memos: body["steps"].as_object().cloned().unwrap_or_default(),
            target: (step != "step").then_some(step),
            must_plan: ctx["disable_immediate_execution"] == true,
            checkpoint: json!({"qi_id": ctx["qi_id"], "generation_id": ctx["generation_id"]}),
            program: self.programs.iter().position(|p| function == format!("app-{}", p.name)).unwrap_or(usize::MAX),
            unsaved: None,
            saving: None,
        };
        self.requests.insert(id, request);
    }

    /// Goes on with a request; `None` where it is over.
    pub fn go_on(&mut self, id: u64) -> Option<Move> {
        let request = self.requests.get_mut(&id)?;
        let Some(program) = self.programs.get(request.program) else { return Some(Move::Answer(refusal(404))) };
        let found = sdk::next(program, &request.memos, request.target.as_deref(), request.must_plan);
        let saves = program.checkpoints && request.target.is_none();
        Some(match found {
            sdk::Next::Run { name, throws } => {
                let key = (request.run.clone(), name.clone());
                // A call that was made before may still arrive: nobody can call it back.
                if self.acknowledged.get(&key).is_some_and(|told| *told < request.sent.number) {
                    return Some(Move::Wronged(format!("{} runs {name} again, which it was told is saved", key.0)));
                }
                let thrown = self.throws.entry(key.clone()).or_default();
                if *thrown < throws {
                    *thrown = thrown.saturating_add(1);
                    return Some(Move::Answer(ops(&[sdk::threw(&name)])));
                }
                // Each time that the code runs it returns something else: what is recorded must be one of them.
                let executions = self.executions.entry(key).or_default();
                *executions = executions.saturating_add(1);
                let data = json!({"step": name, "execution": *executions});
                if !saves {
                    return Some(Move::Answer(ops(&[sdk::ran(&name, &data)])));
                }
                let op = sdk::ran(&name, &data);
                let mut body = request.checkpoint.clone();
                body["steps"] = json!([op]);
                request.unsaved = Some(op);
                request.saving = Some((name, data));
                Move::Save {
                    path: format!("/v1/checkpoint/{}/async", request.run),
                    body: body.to_string().into_bytes(),
                }
            }
            sdk::Next::Report(found) => Move::Answer(ops(&found)),
            sdk::Next::Return(output) if saves => Move::Answer(ops(&[sdk::complete(&output)])),
            sdk::Next::Return(output) => Move::Answer(answer(200, &[], &output)),
            sdk::Next::Throw => {
                let error = json!({"name": "StepError", "message": "as the program says", "stack": ""});
                Move::Answer(answer(400, &[("x-inngest-no-retry", "true")], &error))
            }
            sdk::Next::Lost => {
                Move::Wronged(format!("{} is asked for {:?}, which it has", request.run, request.target))
            }
        })
    }

    /// Hears what came of a checkpoint: goes on, answers with what could not be saved, or stops (`None`).
    pub fn saved(&mut self, id: u64, status: Option<u16>, now: u64) -> Option<Option<AppAnswer>> {
        let request = self.requests.get_mut(&id)?;
        let (name, data) = request.saving.take()?;
        let unsaved = request.unsaved.take()?;
        match status {
            Some(200) => {
                self.acknowledged.entry((request.run.clone(), name.clone())).or_insert(now);
                request.memos.insert(name, json!({"data": data}));
                Some(None)
            }
            Some(status) if status < 500 => {
                self.requests.remove(&id);
                None
            }
            _ => Some(Some(ops(&[unsaved]))),
        }
    }
}

fn ops(found: &[Value]) -> AppAnswer {
    answer(206, &[], &Value::Array(found.to_vec()))
}

/// An answer without an SDK's marks.
#[must_use]
pub fn refusal(status: u16) -> AppAnswer {
    AppAnswer { status, headers: Vec::new(), body: b"<h1>no</h1>".to_vec() }
}

fn answer(status: u16, headers: &[(&str, &str)], body: &Value) -> AppAnswer {
    let own = [("x-inngest-sdk", "sim:v0.0.1"), ("x-inngest-req-version", "2"), ("content-type", "application/json")];
    let headers = own.iter().chain(headers).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    AppAnswer { status, headers, body: body.to_string().into_bytes() }
}
