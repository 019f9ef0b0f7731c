//! `DeferAdd`, `DeferAbort`: functions that are to run once this run is over (PROTOCOL §7.14).
//!
//! A deferral that cannot be understood never fails the run.

use super::{Op, Reading, Rejection};
use crate::http::Members;
use crate::ids::StepId;
use crate::limits::{NAME_BYTES_MAX, STEP_ID_BYTES_MAX};
use crate::run::defer::Deferral;
use crate::run::journal::What;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Default, Deserialize)]
struct Opts {
    #[serde(default)]
    fn_slug: String,
    input: Option<Box<RawValue>>,
    #[serde(default)]
    target_hashed_id: String,
}

pub(super) fn add(op: &Op<'_>) -> Result<Reading, Rejection> {
    let Opts { fn_slug: function, input, .. } = op.opts();
    let empty = || RawValue::from_string("{}".to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned());
    let input = input.unwrap_or_else(empty);
    let reason = if function.is_empty() || function.len() > NAME_BYTES_MAX {
        Some(format!("it needs the id of a function, of 1 to {NAME_BYTES_MAX} bytes"))
    } else {
        serde_json::from_str::<Members<'_>>(input.get())
            .err()
            .map(|error| format!("its input is no event's data: {error}"))
    };
    let deferral = match reason {
        None => Deferral::Add { function, input },
        Some(reason) => Deferral::Refuse { function: clipped(function), reason },
    };
    op.record(What::Deferred(deferral)).map(Reading::Step)
}

pub(super) fn abort(op: &Op<'_>) -> Result<Reading, Rejection> {
    let target = op.opts::<Opts>().target_hashed_id;
    if target.is_empty() || target.len() > STEP_ID_BYTES_MAX {
        return Ok(Reading::Nothing);
    }
    op.record(What::Deferred(Deferral::Abort { target: StepId(target) })).map(Reading::Step)
}

fn clipped(function: String) -> String {
    if function.len() > NAME_BYTES_MAX { String::new() } else { function }
}
