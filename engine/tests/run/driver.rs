//! Drives one run through virtual time, and checks after every turn that its state is the fold of its rows.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use stepwell_engine::actor::Actor;
use stepwell_engine::catalog::{Catalog, Function};
use stepwell_engine::ids::{Entropy, EventId, Millis, RunId};
use stepwell_engine::run::Run;
use stepwell_engine::run::message::{Ask, Start, Tell};
use stepwell_engine::turn::{
    AppAnswer, AppCall, CallFailure, CallKind, CallOutcome, Done, Effect, Message, Outcome, Range, Row, Settings,
    Supplied, Turn,
};

pub const SIGNING_KEY: &str = "signkey-test-abcdef0123456789abcdef0123456789";

/// A call that the run wants made.
#[derive(Clone, Debug)]
pub struct Call {
    pub id: String,
    pub kind: CallKind,
    pub method: String,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub raw: String,
    pub body: Value,
}

impl Call {
    /// The `stepId` of the query.
    pub fn step(&self) -> &str {
        self.url.split("stepId=").nth(1).unwrap()
    }

    pub fn ctx(&self, field: &str) -> &Value {
        &self.body["ctx"][field]
    }

    pub fn stack(&self) -> Vec<&str> {
        self.ctx("stack")["stack"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect()
    }
}

pub struct Driver {
    pub now: u64,
    pub settings: Settings,
    pub catalog: Catalog,
    pub rows: BTreeMap<String, Vec<u8>>,
    pub wake_at: Option<u64>,
    pub owing: bool,
    pub sends: Vec<(String, Value)>,
    /// What watchers were told.
    pub news: Vec<String>,
    /// The run is so large that to fold it anew after every turn takes long: it is not compared.
    pub is_large: bool,
    run: Run,
    calls: Vec<Call>,
    start: Start,
}

impl Driver {
    /// A run with `retries`, made but not started.
    pub fn idle(retries: u32) -> Self {
        let event = EventId::new(Millis(1_700_000_000_000), 7);
        let start = Start {
            event_ids: vec![event],
            events: vec![raw(r#"{"data":{"n":1},"id":"e1","name":"t/go","ts":1700000000000,"user":{}}"#)],
            event_name: "t/go".to_owned(),
            received_at: Some(Millis(1_700_000_000_000)),
            ..Start::of(RunId::derived(event, &"app-fn".into()), "app-fn".into(), 1)
        };
        Self {
            now: 1_700_000_000_000,
            settings: Settings { retry_interval: Some(Millis(1_000)), ..Settings::default() },
            catalog: catalog(retries),
            rows: BTreeMap::new(),
            wake_at: None,
            owing: false,
            sends: Vec::new(),
            news: Vec::new(),
            is_large: false,
            run: Run::load("", &[]).unwrap(),
            calls: Vec::new(),
            start,
        }
    }

    /// A run with the default retries, and its first call.
    pub fn started() -> (Self, Call) {
        Self::started_with(4)
    }

    pub fn started_with(retries: u32) -> (Self, Call) {
        let mut driver = Self::idle(retries);
        let call = driver.begin(|_| {});
        (driver, call)
    }

    /// Starts the run and gives its first call.
    pub fn begin(&mut self, change: impl FnOnce(&mut Start)) -> Call {
        self.begin_later(change);
        self.call()
    }

    pub fn begin_later(&mut self, change: impl FnOnce(&mut Start)) {
        change(&mut self.start);
        self.tell_start();
    }

    /// What it is started with.
    pub fn start(&self) -> Start {
        self.start.clone()
    }

    pub fn tell_start(&mut self) {
        self.tell(&Tell::Start(self.start.clone()));
    }

    pub fn tell(&mut self, tell: &Tell) {
        self.turn(Message::Tell(serde_json::to_vec(tell).unwrap()));
    }

    /// Whether a message is a fault, which must leave the run as it was.
    pub fn refuses(&mut self, message: Message) -> bool {
        let supplied = Supplied::default();
        let turn = Turn {
            now: Millis(self.now),
            entropy: Entropy(42),
            catalog: &self.catalog,
            settings: &self.settings,
            supplied: &supplied,
        };
        let is_refused = self.run.turn(&turn, message).is_err();
        self.state_is_the_fold_of_rows();
        is_refused
    }

    /// One turn, with all that the shell's contract says.
    pub fn turn(&mut self, message: Message) -> Vec<(u64, Value)> {
        let mut supplied = Supplied::default();
        let done = loop {
            let turn = Turn {
                now: Millis(self.now),
                entropy: Entropy(42),
                catalog: &self.catalog,
                settings: &self.settings,
                supplied: &supplied,
            };
            match self.run.turn(&turn, message.clone()).unwrap() {
                Outcome::Done(done) => break done,
                Outcome::Needs(ranges) => {
                    supplied = Supplied(self.held(ranges));
                }
            }
        };
        let replies = self.commit(done);
        self.state_is_the_fold_of_rows();
        replies
    }

    fn commit(&mut self, done: Done) -> Vec<(u64, Value)> {
        for write in done.writes {
            let fresh = self.rows.insert(write.key, write.value.expect("a journal only grows"));
            assert!(fresh.is_none(), "a journal row was written twice");
        }
        self.wake_at = done.wake_at.map(|at| at.0);
        self.owing = done.owing;
        let mut replies = Vec::new();
        for effect in done.effects {
            match effect {
                Effect::Call(call) => self.calls.push(seen(call)),
                Effect::Reply { token, body } => replies.push((token, serde_json::from_slice(&body).unwrap())),
                Effect::Send { to, body } => {
                    self.sends.push((format!("{:?}", to.kind), serde_json::from_slice(&body).unwrap()));
                }
                Effect::Publish { channel, data } => {
                    assert_eq!(channel, format!("run/{}", self.start.run));
                    self.news.push(String::from_utf8(data).unwrap());
                }
                Effect::Install { .. } => panic!("a run installs no catalog"),
            }
        }
        replies
    }

    fn held(&self, ranges: Vec<Range>) -> Vec<(Range, Vec<Row>)> {
        let row = |(key, value): (&String, &Vec<u8>)| Row { key: key.clone(), value: value.clone() };
        let rows = |range: &Range| self.rows.range(range.start.clone()..range.end.clone()).map(row).collect();
        ranges.into_iter().map(|range| (range.clone(), rows(&range))).collect()
    }

    fn reloaded(&self) -> Run {
        Run::load("", &self.held(Run::preload(""))).unwrap()
    }

    fn state_is_the_fold_of_rows(&self) {
        if self.is_large {
            return;
        }
        assert_eq!(self.run.state().is_some(), !self.rows.is_empty(), "a run exists from its first row on");
        assert_eq!(format!("{:?}", self.run.state()), format!("{:?}", self.reloaded().state()));
    }

    /// Loses everything but the rows, and comes back.
    pub fn crash(&mut self) {
        self.calls.clear();
        self.run = self.reloaded();
        self.turn(Message::Resume);
    }

    /// Drops the actor between turns, as a shell may.
    pub fn evict(&mut self) {
        self.run = self.reloaded();
    }

    /// The calls that were asked for since last time.
    pub fn calls(&mut self) -> Vec<Call> {
        std::mem::take(&mut self.calls)
    }

    /// The one call that was asked for.
    pub fn call(&mut self) -> Call {
        let calls = self.calls();
        assert_eq!(calls.len(), 1, "one call expected: {calls:#?}");
        calls.into_iter().next().unwrap()
    }

    pub fn no_calls(&mut self) {
        let calls = self.calls();
        assert!(calls.is_empty(), "no call expected: {calls:#?}");
    }

    pub fn answer_with(&mut self, call: &Call, status: u16, headers: &[(&str, &str)], body: &Value) {
        let mut all = vec![("x-inngest-sdk".to_owned(), "inngest-js:v4.24.0".to_owned())];
        all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.answer_raw(call, Ok(AppAnswer { status, headers: all, body: body.to_string().into_bytes() }));
    }

    pub fn answer_raw(&mut self, call: &Call, answer: Result<AppAnswer, CallFailure>) {
        self.turn(Message::Answered(CallOutcome { id: call.id.clone(), answer }));
    }

    /// A 206 of an SDK of `version`.
    pub fn ops_of(&mut self, version: &str, call: &Call, ops: &Value) {
        self.answer_with(call, 206, &[("x-inngest-req-version", version)], ops);
    }

    /// A 206 of an SDK that coalesces.
    pub fn ops(&mut self, call: &Call, ops: &Value) {
        self.ops_of("2", call, ops);
    }

    pub fn returns(&mut self, call: &Call, value: &Value) {
        self.answer_with(call, 200, &[], value);
    }

    /// A function-level error.
    pub fn throws(&mut self, call: &Call, headers: &[(&str, &str)]) {
        self.answer_with(call, 500, headers, &json!({"name": "Error", "message": "boom", "stack": "s"}));
    }

    /// Lets time pass; wakes the run where it asked for that.
    pub fn pass(&mut self, ms: u64) {
        self.now += ms;
        if self.wake_at.is_some_and(|at| at <= self.now) {
            self.turn(Message::Wake);
        }
    }

    /// Lets time pass till the run wants to be woken; gives how long that was.
    pub fn pass_till_woken(&mut self) -> u64 {
        let ms = self.wake_at.expect("a run that wants to be woken") - self.now;
        self.pass(ms);
        ms
    }

    pub fn ask(&mut self, ask: &Ask) -> Value {
        let replies = self.turn(Message::Ask { token: 9, body: serde_json::to_vec(ask).unwrap() });
        let [(9, answer)] = replies.as_slice() else { panic!("one reply expected: {replies:?}") };
        answer.clone()
    }

    pub fn summary(&mut self) -> Value {
        self.ask(&Ask::Summary)["Ok"].clone()
    }

    pub fn status(&mut self) -> String {
        self.summary()["status"].as_str().unwrap().to_owned()
    }

    pub fn checkpoint(&mut self, call: &Call, steps: &Value) -> Value {
        let body = json!({"qi_id": call.ctx("qi_id"), "generation_id": call.ctx("generation_id"), "steps": steps});
        self.ask(&Ask::Checkpoint(raw(&body.to_string())))
    }

    /// The kinds of the journal's entries.
    pub fn journal(&self) -> Vec<String> {
        let kind = |value: &Vec<u8>| {
            let row: Value = serde_json::from_slice(value).unwrap();
            row["entry"].as_object().unwrap().keys().next().unwrap().clone()
        };
        self.rows.values().map(kind).collect()
    }

    /// The names of the system events that were emitted, once each.
    pub fn events(&self) -> Vec<Value> {
        self.sends.iter().filter(|(to, _)| to == "Stream").map(|(_, tell)| tell["System"]["event"].clone()).collect()
    }
}

pub fn raw(json: &str) -> Box<serde_json::value::RawValue> {
    serde_json::value::RawValue::from_string(json.to_owned()).unwrap()
}

pub fn catalog(retries: u32) -> Catalog {
    let url = "http://127.0.0.1:3000/api/inngest?fnId=app-fn&stepId=step";
    let function: Function = serde_json::from_value(json!({
        "id": "app-fn", "app": "app", "name": "fn", "url": url, "retries": retries, "triggers": [], "version": 1
    }))
    .unwrap();
    let mut catalog = Catalog::default();
    catalog.functions.insert(function.id.clone(), function);
    catalog
}

fn seen(call: AppCall) -> Call {
    let headers = call.headers.into_iter().map(|(name, value)| (name.into_owned(), value)).collect();
    let raw = String::from_utf8(call.body).unwrap();
    // What goes to the app is JSON; what the server asks for a step may be anything.
    let body = serde_json::from_str(&raw).unwrap_or_default();
    Call { id: call.id, kind: call.kind, method: call.method.into_owned(), url: call.url, headers, body, raw }
}

pub fn ran(id: &str, data: impl Into<Value>) -> Value {
    json!({"id": id, "op": "StepRun", "name": id, "displayName": id, "opts": {}, "data": data.into(),
           "timing": {"a": 1_795_320_622_553_000_000_u64, "b": 2_000_000}})
}

pub fn planned(id: &str) -> Value {
    json!({"id": id, "op": "StepPlanned", "name": id, "displayName": id, "opts": {}})
}

pub fn racing(id: &str) -> Value {
    json!({"id": id, "op": "StepPlanned", "name": id, "displayName": id, "opts": {"parallelMode": "race"}})
}

pub fn sleep(id: &str, duration: &str) -> Value {
    json!({"id": id, "op": "Sleep", "name": duration, "displayName": id, "opts": {}})
}

pub fn wait_for(id: &str, event: &str, condition: Option<&str>, timeout: &str) -> Value {
    let mut opts = json!({"timeout": timeout});
    if let Some(condition) = condition {
        opts["if"] = json!(condition);
    }
    json!({"id": id, "op": "WaitForEvent", "name": event, "displayName": id, "opts": opts, "data": null})
}

pub fn wait_for_signal(id: &str, signal: &str, conflict: &str) -> Value {
    let opts = json!({"signal": signal, "timeout": "1h", "conflict": conflict});
    json!({"id": id, "op": "WaitForSignal", "name": signal, "displayName": id, "opts": opts, "data": null})
}

pub fn invoke(id: &str, function: &str, payload: &Value) -> Value {
    let opts = json!({"function_id": function, "payload": payload});
    json!({"id": id, "op": "InvokeFunction", "displayName": id, "opts": opts, "data": null})
}

pub fn threw(id: &str) -> Value {
    json!({"id": id, "op": "StepError", "name": id, "error": {"name": "MyErr", "message": "always", "stack": "s"}})
}

pub fn failed(id: &str) -> Value {
    json!({"id": id, "op": "StepFailed", "name": id, "error": {"name": "MyErr", "message": "always", "stack": "s"}})
}

pub fn complete(data: impl Into<Value>) -> Value {
    json!({"id": "0737c22d3bfae812339732d14d8c7dbd6dc4e09c", "op": "RunComplete", "data": data.into()})
}
