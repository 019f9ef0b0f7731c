//! `StepRun` and `Step`: a step's code ran. Stored as `{"data":…}`, or as it came by old SDKs that store for themselves.

use super::{Op, Reading, Rejection};
use crate::limits::STEP_OUTPUT_BYTES_MAX;
use crate::run::answer::too_large;
use crate::run::journal::What;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Default, Deserialize)]
struct Opts {
    #[serde(rename = "type")]
    kind: Option<String>,
}

pub(super) fn read(op: &Op<'_>) -> Result<Reading, Rejection> {
    let data = output(op)?;
    let opts: Opts = op.opts();
    op.record(What::Ran { data, kind: opts.kind, timing: op.timing() }).map(Reading::Step)
}

pub(super) fn read_stored(op: &Op<'_>) -> Result<Reading, Rejection> {
    let memo = output(op)?;
    op.record(What::Stored { memo }).map(Reading::Step)
}

fn output(op: &Op<'_>) -> Result<Box<RawValue>, Rejection> {
    let data = op.data.map_or_else(|| RawValue::NULL.to_owned(), ToOwned::to_owned);
    if data.get().len() > STEP_OUTPUT_BYTES_MAX {
        return Err(Rejection::Attempt(too_large(data.get().len())));
    }
    Ok(data)
}
