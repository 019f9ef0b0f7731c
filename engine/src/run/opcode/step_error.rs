//! `StepError`: a step threw, and may be tried again (PROTOCOL §4.4).

use super::{Op, Reading, Rejection};
use crate::run::journal::Thrown;

pub(super) fn read(op: &Op<'_>) -> Result<Reading, Rejection> {
    Ok(Reading::Threw(Thrown { id: op.step_id()?, name: op.title() }, op.problem()))
}
