//! `WaitForEvent`: the run waits for an event; the event is remembered, or `null` (PROTOCOL §7.3).

use super::{Around, Op, Reading, Rejection, timeout};
use crate::error::Code;
use crate::expression::{self, Bindings, Scope};
use crate::limits::EVENT_NAME_CHARACTERS_MAX;
use crate::run::journal::What;
use crate::run::problem::Problem;
use crate::waits::place::Place;
use serde::Deserialize;

#[derive(Default, Deserialize)]
struct Opts {
    event: Option<String>,
    timeout: Option<String>,
    #[serde(rename = "if")]
    condition: Option<String>,
}

pub(super) fn read(op: &Op<'_>, around: &Around<'_>) -> Result<Reading, Rejection> {
    let opts: Opts = op.opts_of_wait()?;
    let event = opts.event.or_else(|| op.name.as_deref().map(ToOwned::to_owned)).unwrap_or_default();
    if event.is_empty() || event.chars().count() > EVENT_NAME_CHARACTERS_MAX {
        let message = format!("A wait needs the name of an event, of 1 to {EVENT_NAME_CHARACTERS_MAX} characters.");
        return Err(Rejection::Run(Problem::found(Code::WaitInvalid, message)));
    }
    let until_ms = timeout::read("A wait", opts.timeout.as_deref(), around.now)?;
    let condition = opts.condition.filter(|source| !source.trim().is_empty());
    let compiled = condition.as_deref().map(|source| expression::compiled(source, Scope::Wait));
    let compiled = compiled.transpose().map_err(|error| {
        let message = format!("Wait for event If expression failed to compile: {error}");
        Rejection::Run(Problem::named(Code::ExpressionInvalid, "InvalidExpression", message))
    })?;
    let bindings = Bindings { event: around.trigger, incoming: None, now: around.now };
    let place = Place::of(&event, around.run, compiled.as_deref(), &bindings);
    op.record(What::Waited { event, condition, until_ms, place }).map(Reading::Step)
}
