//! A shell in miniature that distrusts the actor: after every turn it makes it again from its rows and compares.

use crate::actor::Actor;
use crate::catalog::message::Ask;
use crate::catalog::{Catalog, CatalogActor};
use crate::error::Refusal;
use crate::ids::{Entropy, Millis};
use crate::turn::{AppAnswer, AppCall, CallFailure, CallOutcome, Done, Effect, Message, Outcome, Range, Row};
use crate::turn::{Settings, Supplied, Turn};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(super) struct Driver {
    pub(super) now: Millis,
    pub(super) settings: Settings,
    actor: CatalogActor,
    rows: BTreeMap<String, Vec<u8>>,
    installed: Catalog,
    tokens: u64,
    replies: BTreeMap<u64, Result<Value, Refusal>>,
}

impl Default for Driver {
    fn default() -> Self {
        Self {
            now: Millis(1_700_000_000_000),
            settings: Settings::default(),
            actor: load(&BTreeMap::new()),
            rows: BTreeMap::new(),
            installed: Catalog::default(),
            tokens: 0,
            replies: BTreeMap::new(),
        }
    }
}

fn load(rows: &BTreeMap<String, Vec<u8>>) -> CatalogActor {
    let rows = rows.iter().map(|(key, value)| Row { key: key.clone(), value: value.clone() }).collect();
    CatalogActor::load("0", &[(Range::all(), rows)]).unwrap()
}

impl Driver {
    pub(super) fn with_key(cloud: bool) -> Self {
        let signing_keys = vec!["signkey-test-abcdef0123456789abcdef0123456789".to_owned()];
        Self { settings: Settings { signing_keys, cloud, ..Settings::default() }, ..Self::default() }
    }

    /// One turn, its rows kept, its effects looked at.
    pub(super) fn turn(&mut self, message: Message) -> Done {
        self.now = self.now.plus(Millis(1));
        let (catalog, supplied) = (self.actor.catalog.clone(), Supplied::default());
        let (now, settings) = (self.now, &self.settings);
        let turn = Turn { now, entropy: Entropy(7), catalog: &catalog, settings, supplied: &supplied };
        let is_told_again = matches!(message, Message::Resume | Message::Wake);
        let Outcome::Done(done) = self.actor.turn(&turn, message).unwrap() else { panic!("the catalog needs no rows") };
        for write in &done.writes {
            match &write.value {
                Some(value) => self.rows.insert(write.key.clone(), value.clone()),
                None => self.rows.remove(&write.key),
            };
        }
        assert_eq!(load(&self.rows).catalog, self.actor.catalog, "state is the fold of rows");
        for effect in &done.effects {
            match effect {
                Effect::Install { version, snapshot } => {
                    assert!(is_told_again || *version > self.installed.version, "versions rise");
                    self.installed = Catalog::decode(snapshot).unwrap();
                    assert_eq!(self.installed.version, *version);
                }
                Effect::Reply { token, body } => {
                    assert_eq!(self.installed, self.actor.catalog, "installed before it is answered");
                    let reply = serde_json::from_slice(body).unwrap();
                    assert!(self.replies.insert(*token, reply).is_none(), "answered once");
                }
                _ => {}
            }
        }
        assert_eq!(self.installed, self.actor.catalog, "what changes is installed");
        done
    }

    pub(super) fn catalog(&self) -> &Catalog {
        &self.installed
    }

    /// Asks; the answer may come later. The token is that of [`Driver::reply`].
    pub(super) fn ask(&mut self, ask: &Ask) -> (u64, Done) {
        self.tokens += 1;
        let token = self.tokens;
        (token, self.turn(Message::Ask { token, body: serde_json::to_vec(ask).unwrap() }))
    }

    pub(super) fn reply(&mut self, token: u64) -> Option<Result<Value, Refusal>> {
        self.replies.remove(&token)
    }

    /// Asks what is answered in the same turn.
    pub(super) fn answer(&mut self, ask: &Ask) -> (Result<Value, Refusal>, Done) {
        let (token, done) = self.ask(ask);
        (self.reply(token).expect("an answer"), done)
    }

    pub(super) fn register(&mut self, body: &Value) -> Result<Value, Refusal> {
        self.register_text(&body.to_string())
    }

    pub(super) fn register_text(&mut self, body: &str) -> Result<Value, Refusal> {
        let body = RawValue::from_string(body.to_owned()).unwrap();
        self.answer(&Ask::Register { body, deploy_id: None }).0
    }

    /// Asks for a sync; the token and the calls that it makes.
    pub(super) fn sync(&mut self, url: Option<&str>, only_failed: bool) -> (u64, Vec<AppCall>) {
        let (token, done) = self.ask(&Ask::Sync { url: url.map(str::to_owned), only_failed });
        (token, done.effects.into_iter().filter_map(as_call).collect())
    }

    pub(super) fn answered(&mut self, call: &AppCall, answer: Result<AppAnswer, CallFailure>) -> Done {
        self.turn(Message::Answered(CallOutcome { id: call.id.clone(), answer }))
    }

    /// As [`Driver::sync`] of one app that answers so; the report on it.
    pub(super) fn sync_one(&mut self, url: &str, answer: Result<AppAnswer, CallFailure>) -> Value {
        let (token, calls) = self.sync(Some(url), false);
        self.answered(&calls[0], answer);
        self.reply(token).unwrap().unwrap()["apps"][0].clone()
    }

    /// Every row, for comparing before and after.
    pub(super) fn rows(&self) -> BTreeMap<String, Vec<u8>> {
        self.rows.clone()
    }
}

fn as_call(effect: Effect) -> Option<AppCall> {
    match effect {
        Effect::Call(call) => Some(call),
        _ => None,
    }
}

/// A function that has no faults.
pub(super) fn function(id: &str) -> Value {
    json!({
        "id": id,
        "name": id,
        "triggers": [{"event": "a/b"}],
        "steps": {"step": {"id": "step", "name": "step",
            "runtime": {"type": "http", "url": format!("http://127.0.0.1:3000/api/inngest?fnId={id}&stepId=step")}}},
    })
}

/// A function that has besides what `more` has.
pub(super) fn function_with(id: &str, more: Value) -> Value {
    let mut function = function(id);
    function.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    function
}

/// A register call's body as JavaScript sends it.
pub(super) fn app(name: &str, functions: &[Value]) -> Value {
    json!({
        "url": "http://127.0.0.1:3000/api/inngest",
        "deployType": "ping",
        "framework": "express",
        "appName": name,
        "functions": functions,
        "sdk": "js:v4.24.0",
        "v": "0.1",
        "capabilities": {"trust_probe": "v1", "connect": "v1"},
    })
}
