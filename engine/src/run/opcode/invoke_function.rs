//! `InvokeFunction`: the run starts another and waits for its end (PROTOCOL §7.4).

use super::{Around, Op, Reading, Rejection, timeout};
use crate::error::Code;
use crate::http::{Members, merged_sessions, readable};
use crate::limits::{EVENT_BYTES_MAX, EVENT_DEPTH_MAX, INVOKE_DEPTH_MAX, NAME_BYTES_MAX};
use crate::run::invoke::depth_of;
use crate::run::journal::What;
use crate::run::problem::Problem;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Default, Deserialize)]
struct Opts<'a> {
    function_id: Option<String>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
    timeout: Option<String>,
}

/// What of a payload must be of some kind.
#[derive(Deserialize)]
struct Payload<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    #[serde(borrow, default)]
    user: Option<&'a RawValue>,
    #[serde(borrow, default)]
    meta: Option<&'a RawValue>,
    #[serde(default)]
    #[expect(dead_code, reason = "read to see that it can be")]
    v: Option<String>,
}

pub(super) fn read(op: &Op<'_>, around: &Around<'_>) -> Result<Reading, Rejection> {
    let opts = op.opts.map(|opts| serde_json::from_str::<Opts<'_>>(opts.get())).transpose();
    let opts = opts.map_err(|error| invalid(format!("An invocation cannot be read: {error}.")))?.unwrap_or_default();
    let function = opts.function_id.unwrap_or_default();
    if function.is_empty() || function.len() > NAME_BYTES_MAX {
        return Err(invalid(format!("An invocation needs the id of a function, of 1 to {NAME_BYTES_MAX} bytes.")));
    }
    let until_ms = timeout::read("An invocation", opts.timeout.as_deref(), around.now)?;
    if let Some(payload) = opts.payload {
        check(payload).map_err(invalid)?;
    }
    if depth_of(around.trigger) >= INVOKE_DEPTH_MAX {
        let message = format!(
            "{function} was not invoked: functions invoke each other {INVOKE_DEPTH_MAX} deep already, which is the limit."
        );
        let problem = Problem::found(Code::InvokeTooDeep, message);
        return op.record(What::Failed { problem }).map(Reading::Step);
    }
    let payload = opts.payload.map(ToOwned::to_owned);
    op.record(What::Invoked { function, payload, until_ms }).map(Reading::Step)
}

/// Whether an event can be made of the payload.
fn check(payload: &RawValue) -> Result<(), String> {
    if payload.get().len() > EVENT_BYTES_MAX {
        return Err(format!("The payload of an invocation is larger than the limit of {EVENT_BYTES_MAX} bytes."));
    }
    let unreadable = |error: serde_json::Error| format!("The payload of an invocation is no event's: {error}.");
    readable(payload, EVENT_DEPTH_MAX).map_err(unreadable)?;
    let payload: Payload<'_> = serde_json::from_str(payload.get()).map_err(unreadable)?;
    for object in [payload.data, payload.user].into_iter().flatten() {
        serde_json::from_str::<Members<'_>>(object.get()).map_err(unreadable)?;
    }
    let merged = payload.meta.map(merged_sessions).transpose();
    merged.map(drop).map_err(|fault| format!("The payload of an invocation is no event's: {fault}."))
}

fn invalid(message: String) -> Rejection {
    Rejection::Attempt(Problem::found(Code::AnswerInvalid, message))
}
