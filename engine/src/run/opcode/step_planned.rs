//! `StepPlanned`: a step was found and not run; it gets a call of its own (PROTOCOL §5.3, §5.6).

use super::{Op, Reading, Rejection};
use crate::run::journal::What;
use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Opts {
    #[serde(rename = "parallelMode")]
    parallel_mode: Option<String>,
}

pub(super) fn read(op: &Op<'_>) -> Result<Reading, Rejection> {
    let opts: Opts = op.opts();
    op.record(What::Planned { race: opts.parallel_mode.as_deref() == Some("race") }).map(Reading::Step)
}
