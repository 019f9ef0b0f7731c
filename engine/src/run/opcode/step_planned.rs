//! `StepPlanned`: a step was found and not run; it gets a call of its own (PROTOCOL §5.3).

use super::{Op, Reading, Rejection};
use crate::run::journal::What;

pub(super) fn read(op: &Op<'_>) -> Result<Reading, Rejection> {
    op.record(What::Planned {}).map(Reading::Step)
}
