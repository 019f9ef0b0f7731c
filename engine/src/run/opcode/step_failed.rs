//! `StepFailed`: a step threw for good, whatever the retry header says (PROTOCOL §4.4). Stored as `{"error":…}`. Or the
//! function did, beside what it deferred (see [`Reading::FunctionThrew`]).

use super::{Op, Reading, Rejection};
use crate::run::journal::What;

pub(super) fn read(op: &Op<'_>) -> Result<Reading, Rejection> {
    if op.is_of_function() {
        return Ok(Reading::FunctionThrew { problem: op.problem(), is_final: true });
    }
    op.record(What::Failed { problem: op.problem() }).map(Reading::Step)
}
