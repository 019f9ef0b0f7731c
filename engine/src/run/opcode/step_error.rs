//! `StepError`: a step threw, and may be tried again (PROTOCOL §4.4). Or the function did, beside what it deferred (see
//! [`Reading::FunctionThrew`]).

use super::{Op, Reading, Rejection};
use crate::run::journal::Thrown;

pub(super) fn read(op: &Op<'_>) -> Result<Reading, Rejection> {
    if op.is_of_function() {
        return Ok(Reading::FunctionThrew { problem: op.problem(), is_final: false });
    }
    Ok(Reading::Threw(Thrown { id: op.step_id()?, name: op.title() }, op.problem()))
}
