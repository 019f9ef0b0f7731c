//! Running again: a new run from the same events, with what it may keep of the old one (SERVER §3.6).
//!
//! A rerun from a step keeps the results of all steps that had ended before that step did: their memos are copied out of the old
//! run's journal into the first row of the new one, so that each run stands for itself.

use super::journal::{Entry, Record, Row};
use super::memo::Memo;
use super::message::Start;
use super::state::State;
use crate::error::{Code, Fault, Refusal};
use crate::ids::{Millis, RunId, StepId};
use crate::limits::STEP_OUTPUT_BYTES_MAX;
use crate::turn;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// A step to begin with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FromStep {
    /// Its id, or its name where only one step has it.
    pub step: String,
    /// Arguments that it gets instead of its own: a JSON array.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<Box<RawValue>>,
}

/// What a run has of the one that it repeats.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rerun {
    /// The first run of the line, which is no rerun itself.
    pub original: RunId,
    /// Results that it begins with, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copied: Vec<Copied>,
    /// The step that gets other arguments, and these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<(StepId, Box<RawValue>)>,
}

/// The result of a step of the old run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Copied {
    /// Which step.
    pub id: StepId,
    /// For people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// What it is remembered as.
    pub memo: Box<RawValue>,
}

impl Rerun {
    /// The arguments as they travel among the memos: `{"input":[…]}` under the step's id (PROTOCOL §3.9).
    #[must_use]
    pub fn input_memo(&self) -> Option<(StepId, Memo)> {
        let (id, input) = self.input.as_ref()?;
        Some((id.clone(), Memo::of_input(input).of_step(id)))
    }
}

/// The beginning of a run with the id `run` that repeats the one with this state and these rows, from the start where `from` is none.
///
/// # Errors
/// Rows that are no journal. Inside: there is no such step, or several; the input is no array.
pub fn start(
    state: &State,
    rows: &[turn::Row],
    now: Millis,
    run: RunId,
    from: Option<&FromStep>,
) -> Result<Result<Start, Refusal>, Fault> {
    let kept = match from.map(|from| kept(state, rows, from)).transpose()? {
        None => Kept::default(),
        Some(Ok(kept)) => kept,
        Some(Err(refusal)) => return Ok(Err(refusal)),
    };
    let original = state.start.rerun.as_ref().map_or(state.start.run, |rerun| rerun.original);
    Ok(Ok(Start {
        run,
        rerun: Some(Rerun { original, copied: kept.copied, input: kept.input }),
        // Events that came since the old run began are not meant for this one, and its time begins now.
        received_at: Some(now),
        admitted_at: None,
        not_before: None,
        cancel_on: Vec::new(),
        singleton: None,
        skip: None,
        ..state.start.clone()
    }))
}

#[derive(Default)]
struct Kept {
    copied: Vec<Copied>,
    input: Option<(StepId, Box<RawValue>)>,
}

fn kept(state: &State, rows: &[turn::Row], from: &FromStep) -> Result<Result<Kept, Refusal>, Fault> {
    let names = names(state, rows)?;
    let id = match found(state, &names, &from.step) {
        Ok(id) => id,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if from.input.as_ref().is_some_and(|input| serde_json::from_str::<Vec<&RawValue>>(input.get()).is_err()) {
        return Ok(Err(Refusal::new(
            Code::BodyInvalid,
            "input is not a valid JSON array: it holds the step's arguments",
        )));
    }
    if from.input.as_ref().is_some_and(|input| input.get().len() > STEP_OUTPUT_BYTES_MAX) {
        let message = format!("input is larger than {STEP_OUTPUT_BYTES_MAX} bytes: no step could have it");
        return Ok(Err(Refusal::new(Code::BodyTooLarge, message)));
    }
    let mut copied = Vec::new();
    for ended in state.stack.ids()?.into_iter().take_while(|ended| *ended != id) {
        let Some(memo) = state.memos.get(&ended) else { continue };
        let memo = RawValue::from_string(memo.json().to_owned()).map_err(|e| Fault::new("memo", e))?;
        let name = names.get(&ended).cloned().unwrap_or_default();
        copied.push(Copied { id: ended, name, memo });
    }
    let input = from.input.clone().map(|input| (id, input));
    Ok(Ok(Kept { copied, input }))
}

/// The step that `wanted` means: an id before a name.
fn found(state: &State, names: &BTreeMap<StepId, String>, wanted: &str) -> Result<StepId, Refusal> {
    let id = StepId::from(wanted);
    if names.contains_key(&id) || state.memos.contains_key(&id) {
        return Ok(id);
    }
    let mut named = names.iter().filter(|(_, name)| *name == wanted).map(|(id, _)| id);
    match (named.next(), named.next()) {
        (Some(id), None) => Ok(id.clone()),
        (Some(_), Some(_)) => {
            let message = format!("More than one step of this run is called {wanted}: say the step's id.");
            Err(Refusal::new(Code::StepAmbiguous, message))
        }
        (None, _) => Err(Refusal::new(Code::StepUnknown, format!("This run has no step {wanted}."))),
    }
}

/// Every step that the journal mentions, with its name.
fn names(state: &State, rows: &[turn::Row]) -> Result<BTreeMap<StepId, String>, Fault> {
    let copied = state.start.rerun.iter().flat_map(|rerun| &rerun.copied);
    let mut names: BTreeMap<_, _> = copied.map(|step| (step.id.clone(), step.name.clone())).collect();
    let mut note = |id: &StepId, name: &str| {
        let known: &mut String = names.entry(id.clone()).or_default();
        if known.is_empty() {
            name.clone_into(known);
        }
    };
    for row in rows {
        let row: Row = serde_json::from_slice(&row.value).map_err(|e| Fault::new("journal row", e))?;
        let (steps, thrown): (&[Record], _) = match &row.entry {
            Entry::Answered(answered) => (&answered.steps, answered.thrown()),
            Entry::Checkpointed(saved) => (&saved.steps, None),
            _ => continue,
        };
        steps.iter().filter(|step| step.is_of_a_step()).for_each(|step| note(&step.id, &step.name));
        thrown.into_iter().for_each(|thrown| note(&thrown.id, &thrown.name));
    }
    Ok(names)
}
