//! `WaitForSignal`: the run waits for a signal, of which there is one waiter (PROTOCOL §7.5).

use super::{Op, Reading, Rejection, timeout};
use crate::error::Code;
use crate::ids::Millis;
use crate::limits::SIGNAL_NAME_BYTES_MAX;
use crate::run::journal::What;
use crate::run::problem::Problem;
use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Opts {
    signal: Option<String>,
    timeout: Option<String>,
    conflict: Option<String>,
}

pub(super) fn read(op: &Op<'_>, now: Millis) -> Result<Reading, Rejection> {
    let opts: Opts = op.opts_of_wait()?;
    let signal = opts.signal.or_else(|| op.name.as_deref().map(ToOwned::to_owned)).unwrap_or_default();
    if signal.is_empty() || signal.len() > SIGNAL_NAME_BYTES_MAX {
        let message = format!("A signal needs a name of 1 to {SIGNAL_NAME_BYTES_MAX} bytes.");
        return Err(Rejection::Run(Problem::found(Code::WaitInvalid, message)));
    }
    let until_ms = timeout::read("A wait", opts.timeout.as_deref(), now)?;
    let replace = opts.conflict.as_deref() == Some("replace");
    op.record(What::AwaitedSignal { signal, replace, until_ms }).map(Reading::Step)
}
