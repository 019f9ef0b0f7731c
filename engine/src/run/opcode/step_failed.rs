//! `StepFailed`: a step threw for good, whatever the retry header says (PROTOCOL §4.4). Stored as `{"error":…}`.

use super::{Op, Reading, Rejection};
use crate::run::journal::What;

pub(super) fn read(op: &Op<'_>) -> Result<Reading, Rejection> {
    op.record(What::Failed { problem: op.problem() }).map(Reading::Step)
}
