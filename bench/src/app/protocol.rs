//! What the app answers to a call (PROTOCOL §3).

use super::Function;
use super::notebook::{Call, Notebook};
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::time::Instant;

/// An HTTP answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    ctx: Context<'a>,
    event: Event,
}

#[derive(Deserialize)]
struct Context<'a> {
    run_id: &'a str,
    stack: Stack,
}

#[derive(Deserialize)]
struct Stack {
    stack: Vec<IgnoredAny>,
}

#[derive(Deserialize)]
struct Event {
    data: Data,
}

/// What the bench puts into its events.
#[derive(Deserialize)]
struct Data {
    /// Tells the run from others; none is kept of those without.
    key: Option<u64>,
    steps: Option<usize>,
    until: Option<String>,
}

/// Does the next thing that the run has to do, and writes it down.
pub(super) fn answer(query: &str, body: &[u8], arrived: Instant, notebook: &Notebook) -> Answer {
    let Ok(call) = serde_json::from_slice::<Body<'_>>(body) else {
        return Answer {
            status: 500,
            body: r#"{"name":"Error","message":"the bench cannot read this call"}"#.to_owned(),
        };
    };
    let (done, data) = (call.ctx.stack.stack.len(), call.event.data);
    let next = if query.contains(Function::Sleep.slug()) {
        data.until.filter(|_| done == 0).map(|until| sleep(&until))
    } else {
        data.steps.filter(|steps| done < *steps).map(|_| step(done))
    };
    if let Some(key) = data.key {
        let seen = Call { arrived, answered: Instant::now(), memoized: done, body_bytes: body.len() };
        notebook.note(key, call.ctx.run_id, seen, next.is_none());
    }
    match next {
        Some(op) => Answer { status: 206, body: format!("[{op}]") },
        None => Answer { status: 200, body: "null".to_owned() },
    }
}

/// Step ids are opaque to the server; they only have to be as long as real ones.
fn step(number: usize) -> String {
    format!(
        r#"{{"op":"StepRun","id":"{number:040x}","name":"step {number}","displayName":"step {number}","opts":{{}},"data":{{"number":{number}}}}}"#
    )
}

fn sleep(until: &str) -> String {
    format!(r#"{{"op":"Sleep","id":"{:040x}","name":"{until}","displayName":"sleep","opts":{{}},"data":null}}"#, 1)
}
