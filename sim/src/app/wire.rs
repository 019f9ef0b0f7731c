//! What SDKs send and are sent, as text: payloads are put in as they are.

use super::payload;
use super::program::{Act, Member, Step};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use stepwell_engine::turn::AppAnswer;

/// Where somebody else's server is; behind it stands how often it refuses.
pub const PARTNER: &str = "http://partner.test/";

/// The body of a call (PROTOCOL §3.2).
#[derive(Debug, Deserialize)]
pub struct CallBody<'a> {
    /// About the call.
    #[serde(borrow)]
    pub ctx: Ctx<'a>,
    /// The triggering event.
    #[serde(borrow)]
    pub event: &'a RawValue,
    /// All triggering events; none where they are to be fetched.
    #[serde(borrow)]
    pub events: Vec<&'a RawValue>,
    /// Finished steps; none where they are to be fetched.
    #[serde(borrow)]
    pub steps: BTreeMap<String, &'a RawValue>,
    /// Steps and events are to be fetched (PROTOCOL §3.8).
    pub use_api: bool,
    /// What is deferred (PROTOCOL §7.14).
    pub defers: BTreeMap<String, Deferred>,
}

/// What a call tells of a deferral.
#[derive(Debug, Deserialize)]
pub struct Deferred {
    /// It can be taken back.
    pub abortable: bool,
}

/// About a call.
#[derive(Debug, Deserialize)]
pub struct Ctx<'a> {
    /// The run.
    #[serde(borrow)]
    pub run_id: &'a str,
    /// Which attempt, from 0.
    pub attempt: u32,
    /// Out of how many.
    pub max_attempts: u32,
    /// Steps must be planned rather than run.
    pub disable_immediate_execution: bool,
    /// The unit.
    #[serde(borrow)]
    pub qi_id: &'a str,
    /// Which dispatch of it.
    pub generation_id: u32,
    /// Finished steps, in order.
    pub stack: Stack,
}

/// Finished steps, in order.
#[derive(Debug, Deserialize)]
pub struct Stack {
    /// Their ids.
    pub stack: Vec<String>,
    /// The place of the one that caused this call.
    pub current: usize,
}

/// The event's own members that the simulator looks at.
#[derive(Debug, Deserialize)]
pub struct EventBody<'a> {
    /// The user's id, or the server's.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its data.
    #[serde(borrow)]
    pub data: &'a RawValue,
}

/// An op (PROTOCOL §3.5): `more` are further members.
fn op(id: &str, op: &str, name: &str, more: &str) -> String {
    format!("{{\"id\":\"{id}\",\"op\":\"{op}\",\"name\":\"{name}\",\"displayName\":\"{id}\"{more}}}")
}

/// The op of a step that returned `data`.
#[must_use]
pub fn ran(id: &str, step: &Step, data: &str) -> String {
    let opts = match (&step.sends, &step.signals) {
        (Some(_), _) => "{\"type\":\"step.sendEvent\"}".to_owned(),
        (None, Some(signal)) => format!("{{\"type\":\"step.sendSignal\",\"signal\":\"{signal}\"}}"),
        (None, None) => "{}".to_owned(),
    };
    op(id, "StepRun", id, &format!(",\"opts\":{opts},\"data\":{data}"))
}

/// The op of a step that threw.
#[must_use]
pub fn threw(id: &str, is_final: bool) -> String {
    let error = ",\"error\":{\"name\":\"Error\",\"message\":\"as the program says\",\"stack\":\"\"}";
    op(id, if is_final { "StepFailed" } else { "StepError" }, id, error)
}

/// The op of a member that is found and not run, in a run.
#[must_use]
pub fn planned(run: &str, member: &Member, races: bool) -> String {
    let id = member.id.as_str();
    let op = |kind: &str, name: &str, mut opts: String| {
        if races {
            opts.push_str(if opts.is_empty() { "" } else { "," });
            opts.push_str("\"parallelMode\":\"race\"");
        }
        op(id, kind, name, &format!(",\"opts\":{{{opts}}}"))
    };
    match &member.act {
        Act::Step(_) => op("StepPlanned", id, String::new()),
        Act::Defer { function, .. } => {
            let input = payload::of_invocation(run, id);
            op("DeferAdd", id, format!("\"fn_slug\":\"app-{function}\",\"input\":{input}"))
        }
        Act::TakeBack { of } => op("DeferAbort", id, format!("\"target_hashed_id\":\"{of}\",\"id\":\"{of}\"")),
        Act::Infer { refuses } => {
            let request =
                format!("\"url\":\"{PARTNER}{refuses}\",\"format\":\"sim\",\"body\":{{\"of\":\"{run}/{id}\"}}");
            op("AIGateway", id, request)
        }
        Act::Sleep { seconds } => op("Sleep", &format!("{seconds}s"), String::new()),
        Act::Wait { event, condition, seconds } => {
            let condition = condition.map_or_else(String::new, |condition| format!(",\"if\":\"{}\"", condition.text()));
            op("WaitForEvent", event, format!("\"timeout\":\"{}\"{condition}", span(*seconds)))
        }
        Act::AwaitSignal { signal, replaces, seconds } => {
            let conflict = if *replaces { "replace" } else { "fail" };
            let opts =
                format!("\"signal\":\"{signal}\",\"timeout\":\"{}\",\"conflict\":\"{conflict}\"", span(*seconds));
            op("WaitForSignal", signal, opts)
        }
        Act::Invoke { function, seconds, .. } => {
            let timeout = seconds.map_or_else(String::new, |seconds| format!(",\"timeout\":\"{}\"", span(seconds)));
            let data = payload::of_invocation(run, id);
            op(
                "InvokeFunction",
                "",
                format!("\"function_id\":\"app-{function}\",\"payload\":{{\"data\":{data}}}{timeout}"),
            )
        }
    }
}

/// As SDKs write a timeout: no time at all is nothing between the quotes (PROTOCOL §7.3).
fn span(seconds: u64) -> String {
    if seconds == 0 { String::new() } else { format!("{seconds}s") }
}

/// The op of a function that threw, where a plain error could not carry what is said beside it.
#[must_use]
pub fn function_threw(is_final: bool) -> String {
    let kind = if is_final { "StepFailed" } else { "StepError" };
    let id = "0737c22d3bfae812339732d14d8c7dbd6dc4e09c";
    format!(
        "{{\"op\":\"{kind}\",\"id\":\"{id}\",\"error\":{{\"name\":\"Error\",\"message\":\"as the program says\",\"stack\":\"\"}}}}"
    )
}

/// The op of a function that returned.
#[must_use]
pub fn complete(output: &str) -> String {
    op("complete", "RunComplete", "complete", &format!(",\"data\":{output}"))
}

/// An SDK's answer.
#[must_use]
pub fn answer(status: u16, version: u32, headers: &[(&str, &str)], body: String) -> AppAnswer {
    let version = version.to_string();
    let own = [
        ("x-inngest-sdk", "sim:v0.0.1"),
        ("x-inngest-req-version", version.as_str()),
        ("content-type", "application/json"),
    ];
    let headers = own.iter().chain(headers).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    AppAnswer { status, headers, body: body.into_bytes() }
}

/// An answer of whatever stands before the app.
#[must_use]
pub fn refusal(status: u16) -> AppAnswer {
    AppAnswer { status, headers: Vec::new(), body: b"<h1>no</h1>".to_vec() }
}
