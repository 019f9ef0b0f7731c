//! The call request: what a unit of work looks like on the wire (PROTOCOL §3.1, §3.2).
//!
//! Bodies are built by joining payloads as they came, with every key in canonical order: with canonical payloads the whole
//! is canonical, which is what a signature must be over.

use super::state::State;
use super::unit::{CallId, Unit};
use crate::catalog::Function;
use crate::error::Fault;
use crate::ids::RunId;
use crate::limits::{ANSWER_BYTES_MAX, CALL_BODY_BYTES_MAX, CALL_REDIRECTS_MAX, CALL_STATE_BYTES_MAX, CALL_TIME_MAX};
use crate::run::memo::Memo;
use crate::signing::{self, SIGNATURE_HEADER};
use crate::turn::{AppCall, CallKind, Turn};
use serde::Serialize;

/// The call for `unit`, as of the state it is sent in.
///
/// # Errors
/// A state that cannot be written as JSON.
pub fn build(
    state: &State,
    events: &[Memo],
    turn: &Turn<'_>,
    function: &Function,
    call: &CallId,
    unit: &Unit,
) -> Result<AppCall, Fault> {
    let signing_key = turn.settings.signing_keys.first();
    let writer = Writer { state, events, function, call, unit, canonical: signing_key.is_some() };
    let mut body = writer.body(state.memo_bytes > CALL_STATE_BYTES_MAX, true)?;
    if body.len() > CALL_BODY_BYTES_MAX {
        body = writer.body(true, false)?;
    }
    let run = state.start.run;
    let id = call.in_run(run);
    let mut headers = vec![
        ("content-type".into(), "application/json".to_owned()),
        ("user-agent".into(), concat!("Stepwell/", env!("CARGO_PKG_VERSION")).to_owned()),
        ("accept-encoding".into(), "gzip, br".to_owned()),
        ("x-run-id".into(), run.to_string()),
        ("x-request-id".into(), id.clone()),
        ("x-inngest-job-id".into(), id.clone()),
        ("x-inngest-generation-id".into(), call.generation.to_string()),
        ("x-inngest-req-version".into(), state.version.to_string()),
        ("x-inngest-step-id".into(), call.unit.step_id().to_owned()),
    ];
    if let Some(key) = signing_key {
        headers.push((SIGNATURE_HEADER.into(), signing::sign(key, body.as_bytes(), turn.now)?));
    }
    Ok(AppCall {
        id,
        kind: CallKind::App,
        method: "POST".into(),
        url: function.callee().url_for(call.unit.step_id()),
        headers,
        body: body.into_bytes(),
        time_max: CALL_TIME_MAX,
        answer_bytes_max: ANSWER_BYTES_MAX,
        redirects_max: CALL_REDIRECTS_MAX,
    })
}

/// `ctx`, its keys in canonical order; `stack`, `step_id` and `use_api` follow.
#[derive(Serialize)]
struct Ctx<'a> {
    attempt: u32,
    disable_immediate_execution: bool,
    env: &'a str,
    fn_id: &'a str,
    generation_id: u32,
    job_id: String,
    max_attempts: u32,
    qi_id: String,
    request_id: String,
    run_id: RunId,
}

struct Writer<'a> {
    state: &'a State,
    events: &'a [Memo],
    function: &'a Function,
    call: &'a CallId,
    unit: &'a Unit,
    canonical: bool,
}

impl Writer<'_> {
    /// The body. With `use_api` the SDK fetches steps and events itself (PROTOCOL §3.8).
    fn body(&self, use_api: bool, with_events: bool) -> Result<String, Fault> {
        let ctx = serde_json::to_string(&self.ctx()).map_err(|e| Fault::new("call context", e))?;
        let ids = self.state.stack.size_bytes();
        // Ids stand in the stack and before each memo.
        let steps = if use_api { ids } else { self.state.memo_bytes.saturating_add(ids.saturating_mul(2)) };
        let mut body = String::with_capacity(steps.saturating_add(ctx.len()).saturating_add(2 << 10));
        body.push_str("{\"ctx\":");
        body.push_str(ctx.strip_suffix('}').unwrap_or(&ctx));
        body.push_str(",\"stack\":");
        self.state.stack.write(self.unit.cause, &mut body);
        body.push_str(",\"step_id\":\"step\"");
        body.push_str(if use_api { ",\"use_api\":true}" } else { ",\"use_api\":false}" });
        body.push_str(",\"defers\":");
        self.state.defers.write(&mut body)?;
        body.push_str(",\"event\":");
        body.push_str(self.events.first().map_or("null", |event| self.text(event)));
        body.push_str(",\"events\":[");
        if with_events {
            for (place, event) in self.events.iter().enumerate() {
                push_separated(&mut body, place, self.text(event));
            }
        }
        body.push_str("],\"steps\":{");
        if !use_api {
            for (place, (_, memo)) in self.state.told().enumerate() {
                push_separated(&mut body, place, memo.id_json());
                body.push(':');
                body.push_str(self.text(memo));
            }
        }
        body.push_str(if use_api { "},\"use_api\":true" } else { "},\"use_api\":false" });
        body.push_str(",\"version\":");
        body.push_str(&self.state.version.to_string());
        body.push('}');
        Ok(body)
    }

    fn ctx(&self) -> Ctx<'_> {
        let id = self.call.in_run(self.state.start.run);
        Ctx {
            attempt: self.unit.attempt,
            disable_immediate_execution: self.state.must_plan(),
            env: "",
            fn_id: &self.function.callee().uuid,
            generation_id: self.call.generation,
            job_id: id.clone(),
            max_attempts: self.function.retries.saturating_add(1),
            qi_id: self.call.unit.to_string(),
            request_id: id,
            run_id: self.state.start.run,
        }
    }

    /// A payload as it goes out: canonical where the body is signed. What has no canonical form goes out as it came.
    fn text<'m>(&self, payload: &'m Memo) -> &'m str {
        if self.canonical { payload.canonical().unwrap_or_else(|_| payload.json()) } else { payload.json() }
    }
}

fn push_separated(body: &mut String, place: usize, text: &str) {
    if place > 0 {
        body.push(',');
    }
    body.push_str(text);
}
