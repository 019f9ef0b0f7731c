//! Async checkpoints: steps that an app saves while its request goes on (PROTOCOL §7.12).

use super::decide::within_limits;
use super::defer;
use super::journal::{Checkpointed, Record};
use super::opcode::{Around, Op, Reading, Rejection};
use super::state::State;
use super::unit::UnitId;
use crate::error::{Code, Refusal};
use crate::ids::Millis;
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Wire<'a> {
    qi_id: Option<String>,
    generation_id: Option<u32>,
    #[serde(borrow)]
    steps: Vec<Op<'a>>,
}

/// Decides what a checkpoint saves; `None` where it says nothing new.
///
/// # Errors
/// `checkpoint_stale` where its dispatch is no longer current, so that the app stops; `state_too_large`;
/// `checkpoint_opcode`; `body_invalid`.
pub fn read(state: &State, body: &RawValue, now: Millis) -> Result<Option<Checkpointed>, Refusal> {
    let wire: Wire<'_> = serde_json::from_str(body.get())
        .map_err(|error| Refusal::new(Code::BodyInvalid, format!("The checkpoint cannot be read: {error}.")))?;
    let (unit, generation) = current(state, &wire)?;
    let mut steps: Vec<Record> = Vec::new();
    for op in &wire.steps {
        let around = Around { now, run: state.start.run, trigger: state.trigger() };
        let Some(record) = saved(op, &around)? else { continue };
        if !state.memos.contains_key(&record.id) && !steps.iter().any(|kept| kept.id == record.id) {
            steps.push(record);
        }
    }
    defer::admit(state, &mut steps);
    within_limits(state, &steps)
        .map_err(|problem| Refusal::new(problem.code.unwrap_or(Code::StateTooLarge), problem.message))?;
    Ok((!steps.is_empty()).then_some(Checkpointed { unit, generation, steps }))
}

/// The dispatch that the checkpoint belongs to, if it is the current one (law 8).
fn current(state: &State, wire: &Wire<'_>) -> Result<(UnitId, u32), Refusal> {
    let stale = || {
        let message = "This request is no longer the current attempt of its run: the app should stop executing it.";
        Refusal::new(Code::CheckpointStale, message)
    };
    let unit = wire.qi_id.as_deref().and_then(UnitId::parse).ok_or_else(stale)?;
    let generation = state.units.get(&unit).ok_or_else(stale)?.generation;
    if wire.generation_id == Some(generation) { Ok((unit, generation)) } else { Err(stale()) }
}

/// The step that an op saves; `None` for those that announce or repeat what is said elsewhere.
fn saved(op: &Op<'_>, around: &Around<'_>) -> Result<Option<Record>, Refusal> {
    match op.op.as_ref() {
        "StepRun" | "Step" | "DeferAdd" | "DeferAbort" => {}
        "StepPlanned" | "StepFailed" | "RunComplete" | "SyncRunComplete" => return Ok(None),
        other => {
            let message = format!("A checkpoint cannot carry the opcode {other:?}: send it in the answer.");
            return Err(Refusal::new(Code::CheckpointOpcode, message));
        }
    }
    match op.read(around) {
        Ok(Reading::Step(record)) => Ok(Some(record)),
        Ok(_) => Ok(None),
        Err(Rejection::Attempt(problem) | Rejection::Run(problem)) => {
            let code = if problem.code == Some(Code::OutputTooLarge) { Code::StateTooLarge } else { Code::BodyInvalid };
            Err(Refusal::new(code, problem.message))
        }
    }
}
