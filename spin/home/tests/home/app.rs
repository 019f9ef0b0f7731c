//! A user's app that speaks the protocol: some steps one after another, a sleep where its event asks for one, then the end.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use stepwell_spin_home::outside::Came;
use stepwell_spin_home::types::AppCall;

#[derive(Default)]
pub struct App {
    /// How often each step of each run was run.
    pub ran: BTreeMap<(String, String), u32>,
    /// The calls that arrived, by their ids.
    pub calls: Vec<String>,
    /// How long an answer takes.
    pub takes_ms: u64,
}

const URL: &str = "http://app.test/api/inngest";

impl App {
    /// What the app registers: `app-go` for `t/go`.
    pub fn registration() -> Vec<u8> {
        json!({"url": URL, "deployType": "ping", "framework": "test", "appName": "app", "sdk": "test:v0.0.1", "v": "0.1",
            "functions": [{"id": "app-go", "name": "go", "triggers": [{"event": "t/go"}],
                "steps": {"step": {"id": "step", "name": "step", "retries": {"attempts": 4},
                    "runtime": {"type": "http", "url": format!("{URL}?fnId=app-go&stepId=step")}}}}]})
        .to_string()
        .into_bytes()
    }

    /// An event that starts a run of so many steps, of this many bytes each.
    pub fn event(steps: usize, bytes: usize, sleep: Option<&str>) -> Vec<u8> {
        json!({"name": "t/go", "data": {"steps": steps, "bytes": bytes, "sleep": sleep}}).to_string().into_bytes()
    }

    /// What it answers, and how long that takes.
    pub fn answer(&mut self, call: &AppCall, url: &str) -> (Came, u64) {
        let headers = vec![
            ("x-inngest-sdk".to_owned(), "test:v0.0.1".to_owned()),
            ("x-inngest-req-version".to_owned(), "2".to_owned()),
        ];
        if call.method == "PUT" {
            // Asked to sync, it prefers to register by a request of its own.
            return (Came { status: 200, headers, body: json!({"ok": true, "url": url}).to_string().into() }, 1);
        }
        self.calls.push(call.id.clone());
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        let run = body["ctx"]["run_id"].as_str().unwrap().to_owned();
        let wanted = &body["event"]["data"];
        let done = |id: &str| body["steps"].get(id).is_some();
        let answer = |status, value: Value| {
            let came = Came { status, headers: headers.clone(), body: value.to_string().into_bytes() };
            (came, self.takes_ms)
        };
        if let Some(sleep) = wanted["sleep"].as_str()
            && !done("sleep")
        {
            return answer(
                206,
                json!([{"id": "sleep", "op": "Sleep", "name": sleep, "displayName": "sleep", "opts": {}}]),
            );
        }
        for step in 0..wanted["steps"].as_u64().unwrap() {
            let id = format!("step{step}");
            if !done(&id) {
                let data = "x".repeat(usize::try_from(wanted["bytes"].as_u64().unwrap()).unwrap());
                let made = answer(
                    206,
                    json!([{"id": id, "op": "StepRun", "name": id, "displayName": id, "opts": {}, "data": data}]),
                );
                *self.ran.entry((run, id)).or_default() += 1;
                return made;
            }
        }
        answer(200, json!(wanted["steps"]))
    }
}
