//! The server as its users see it.

use crate::{Answer, Journal, until};
use serde_json::Value;
use std::time::Duration;

/// Longer than any answer that a test waits for.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(40);
/// How long a connection waits for its next request: Node closes one after 5 s, and would meet a request on its way.
const IDLE_TIME_MAX: Duration = Duration::from_secs(2);
/// How long one request waits for a run's end before it is asked again.
const WAIT_MS: u32 = 5_000;

/// A client of one server.
#[derive(Clone)]
pub struct Client {
    agent: ureq::Agent,
    origin: String,
    signing_key: Option<String>,
    event_key: String,
}

impl Client {
    /// A client that shows `signing_key`, where there is one, to the REST API.
    pub fn new(origin: &str, signing_key: Option<&str>, event_key: &str) -> Self {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER_TIME_MAX));
        let config = config.max_idle_age(IDLE_TIME_MAX);
        let (signing_key, event_key) = (signing_key.map(ToOwned::to_owned), event_key.to_owned());
        Self { agent: config.build().into(), origin: origin.to_owned(), signing_key, event_key }
    }

    /// Any request.
    ///
    /// # Errors
    /// What the connection died of.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.origin));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(key) =
            self.signing_key.as_ref().filter(|_| !headers.iter().any(|(name, _)| *name == "authorization"))
        {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut answer = self.agent.run(request.body(body).expect("a request"))?;
        let headers = answer.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap_or_default().to_owned()));
        let (status, headers) = (answer.status().as_u16(), headers.collect());
        let text = answer.body_mut().with_config().limit(64 << 20).lossy_utf8(true).read_to_string()?;
        Ok(Answer { status, headers, text })
    }

    /// `GET`.
    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], b"").unwrap_or_else(|fault| panic!("GET {path}: {fault}"))
    }

    /// `POST` of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json")];
        self.ask("POST", path, &headers, body.to_string().as_bytes())
            .unwrap_or_else(|fault| panic!("POST {path}: {fault}"))
    }

    /// Where events go.
    pub fn event_path(&self) -> String {
        format!("/e/{}", self.event_key)
    }

    /// Sends one event or an array of them; the ids that were answered.
    pub fn send(&self, events: &Value) -> Vec<String> {
        let answer = self.post(&self.event_path(), events);
        assert_eq!(answer.status, 200, "{answer:?}");
        let ids = answer.json()["ids"].as_array().expect("ids").clone();
        ids.iter().map(|id| id.as_str().expect("an id").to_owned()).collect()
    }

    /// What is in an answer of the REST API under `data`.
    pub fn data(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "GET {path}: {answer:?}");
        answer.json()["data"].clone()
    }

    /// The runs that an event has started so far.
    pub fn runs_of(&self, event: &str) -> Vec<Value> {
        self.data(&format!("/v1/events/{event}/runs")).as_array().expect("runs").clone()
    }

    /// The run that an event started in a function, as soon as it is there.
    pub fn run_of(&self, event: &str, function: &str) -> String {
        until(&format!("event {event} starts {function}"), || {
            let runs = self.runs_of(event);
            let run = runs.iter().find(|run| run["function_slug"] == function)?;
            Some(run["run_id"].as_str().expect("a run id").to_owned())
        })
    }

    /// The run's summary.
    pub fn run(&self, run: &str) -> Value {
        self.data(&format!("/v1/runs/{run}"))
    }

    /// The run's summary once it is over.
    pub fn over(&self, run: &str) -> Value {
        until(&format!("run {run} ends"), || {
            let summary = self.data(&format!("/v1/runs/{run}?wait_ms={WAIT_MS}"));
            matches!(summary["status"].as_str(), Some("Completed" | "Failed" | "Cancelled" | "Skipped"))
                .then_some(summary)
        })
    }

    /// The run's journal.
    pub fn journal(&self, run: &str) -> Journal {
        Journal::new(self.data(&format!("/v1/runs/{run}/journal")))
    }

    /// The run's timeline, as text to look for a code or a sentence in.
    pub fn timeline(&self, run: &str) -> String {
        self.data(&format!("/v1/runs/{run}/timeline")).to_string()
    }
}
