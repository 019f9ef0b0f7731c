//! Runs that repeat others: each was asked for, and has of the other one what it is to have.

use super::journal::Rerun;
use super::run::{Around, Seen};
use super::watch::Watch;
use super::{Invariant, Violation, require};
use crate::app::canonical::canonical;
use crate::app::program::Act;
use crate::app::request::input_of;
use crate::home::Kind;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// What somebody wants to run again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wish {
    /// The run that is to be repeated.
    pub run: String,
    /// The step to begin with; none: from the beginning.
    pub from: Option<String>,
    /// Other arguments for that step: a JSON array.
    pub input: Option<String>,
}

/// All that was wished.
#[derive(Default)]
pub struct Reruns {
    /// For each time that a wish reached the server: how many steps of the run had ended.
    asked: BTreeMap<Wish, Vec<usize>>,
    /// Wishes that reached the server before their run had begun.
    early: BTreeSet<Wish>,
    /// The runs that somebody was told of.
    told: Vec<(Wish, String)>,
}

/// What a run has of the one that it repeats.
#[derive(Clone, Debug)]
pub struct Again {
    /// The first run of the line.
    pub original: String,
    /// Steps that it begins with, in the order in which they ended.
    pub copied: Vec<String>,
    /// The step that gets other arguments, and these.
    pub input: Option<(String, String)>,
}

#[derive(Default, Deserialize, Serialize)]
struct Body<'a> {
    #[serde(borrow, rename = "fromStep", skip_serializing_if = "Option::is_none")]
    from_step: Option<From<'a>>,
}

#[derive(Deserialize, Serialize)]
struct From<'a> {
    #[serde(rename = "stepId")]
    step_id: String,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    input: Option<&'a RawValue>,
}

impl Wish {
    /// The request's body.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        let input = self.input.as_deref().and_then(|input| serde_json::from_str(input).ok());
        let from_step = self.from.clone().map(|step_id| From { step_id, input });
        serde_json::to_vec(&Body { from_step }).unwrap_or_default()
    }

    /// The wish that a request to this path carries.
    #[must_use]
    pub fn of_request(path: &str, body: &[u8]) -> Option<Self> {
        let run = path.strip_prefix("/v1/runs/")?.strip_suffix("/rerun")?.to_owned();
        let from = serde_json::from_slice::<Body<'_>>(body).ok()?.from_step;
        let input = from.as_ref().and_then(|from| from.input).map(|input| input.get().to_owned());
        Some(Self { run, from: from.map(|from| from.step_id), input })
    }
}

impl Seen {
    /// A run begins with what it has of another one.
    pub(super) fn begins_again(&mut self, around: &Around<'_>, rerun: &Rerun<'_>) -> Result<(), Violation> {
        for step in &rerun.copied {
            let memo = step.memo.get();
            self.finish(around, &step.id, (!memo.starts_with("{\"error\":")).then(|| memo.to_owned()))?;
        }
        self.again = Some(Again {
            original: rerun.original.clone(),
            copied: rerun.copied.iter().map(|step| step.id.clone()).collect(),
            input: rerun.input.as_ref().map(|(step, input)| (step.clone(), input.get().to_owned())),
        });
        Ok(())
    }

    /// The steps that it begins with.
    #[must_use]
    pub fn copied(&self) -> BTreeSet<&str> {
        self.again.iter().flat_map(|again| &again.copied).map(String::as_str).collect()
    }

    /// Whether a call that tells of these steps carries the arguments that a step is to be given, and no others. Gives the steps
    /// that have ended.
    pub(super) fn inputs_travel<'a>(
        &self,
        run: &str,
        is_signed: bool,
        stack: &[String],
        carried: &BTreeMap<String, &'a RawValue>,
        is_to_fetch: bool,
    ) -> Result<BTreeMap<String, &'a RawValue>, Violation> {
        let is_input = |(id, memo): &(&String, &&RawValue)| !stack.contains(id) && input_of(memo.get()).is_some();
        let (inputs, ended): (BTreeMap<_, _>, BTreeMap<_, _>) =
            carried.iter().map(|(id, memo)| (id.clone(), *memo)).partition(|(id, memo)| is_input(&(id, memo)));
        let inputs: BTreeMap<&String, &str> =
            inputs.iter().filter_map(|(id, memo)| Some((id, input_of(memo.get())?))).collect();
        let input =
            self.again.as_ref().and_then(|again| again.input.as_ref()).filter(|(step, _)| !stack.contains(step));
        let text = input.map(|(step, input)| (step, if is_signed { canonical(input) } else { Some(input.clone()) }));
        let due: BTreeMap<&String, &str> =
            text.iter().filter_map(|(step, input)| Some((*step, input.as_deref()?))).collect();
        require(inputs == due || is_to_fetch && inputs.is_empty(), Invariant::RerunsRepeat, || {
            format!("a call of {run} carries the arguments {inputs:?}, and {due:?} are due")
        })?;
        Ok(ended)
    }
}

impl Watch {
    /// A wish reached the server.
    pub fn rerun_arrives(&mut self, wish: Wish) {
        let ended = self.runs.get(&wish.run).map_or(0, |seen| seen.order.len());
        if self.runs.get(&wish.run).is_none_or(|seen| seen.rows == 0) {
            self.reruns.early.insert(wish.clone());
        }
        self.reruns.asked.entry(wish).or_default().push(ended);
    }

    /// Somebody was told that this run repeats another.
    pub fn rerun_is_told(&mut self, wish: Wish, run: &str) {
        self.reruns.told.push((wish, run.to_owned()));
    }

    /// A wish was refused: where there was a reason to.
    ///
    /// # Errors
    /// There was none.
    pub fn rerun_is_refused(&self, wish: &Wish, code: &str) -> Result<(), Violation> {
        let seen = self.runs.get(&wish.run);
        let least = self.reruns.asked.get(wish).and_then(|times| times.iter().min()).copied().unwrap_or(0);
        let had_ended = |seen: &Seen, step| seen.order.iter().take(least).any(|ended| ended == step);
        let is_right = match code {
            "step_unknown" => !seen.zip(wish.from.as_ref()).is_some_and(|(seen, step)| had_ended(seen, step)),
            "function_gone" => seen.is_some_and(|seen| self.lacked.contains(&seen.function)),
            // It had not begun when it was asked for.
            "run_unknown" => self.reruns.early.contains(wish),
            _ => false,
        };
        // Where reads may be stale, a refusal, which writes nothing, may be of a moment ago.
        require(is_right || self.kind == Kind::Kv, Invariant::RerunsBegin, || format!("{wish:?} was refused: {code}"))
    }

    /// A run that has just begun is what somebody wished for, where it repeats another.
    pub(super) fn is_as_wished(&self, run: &str) -> Result<(), Violation> {
        let Some(seen) = self.runs.get(run).filter(|seen| seen.again.is_some()) else { return Ok(()) };
        let is_wished = self.reruns.asked.iter().any(|(wish, times)| self.fulfils(seen, wish, times));
        require(is_wished, Invariant::RerunsRepeat, || {
            format!("{run} begins with {:?}, and nobody asked for that: {:?}", seen.again, self.reruns.asked)
        })
    }

    /// Whether the run is the one that is repeated once more, with what it is to have.
    fn fulfils(&self, seen: &Seen, wish: &Wish, times: &[usize]) -> bool {
        let Some((old, again)) = self.runs.get(&wish.run).zip(seen.again.as_ref()) else { return false };
        let copied = again.copied.len();
        let is_as_it_was = old.order.get(..copied).is_some_and(|order| order == again.copied)
            && again.copied.iter().all(|id| old.memos.get(id) == seen.memos.get(id));
        let has_enough = match &wish.from {
            None => copied == 0,
            Some(from) => {
                // What had not ended when the wish came may have ended when it was heard.
                let most = old.order.iter().position(|id| id == from).unwrap_or(old.order.len());
                let least = times.iter().min().copied().unwrap_or(0).min(most);
                (least..=most).contains(&copied)
            }
        };
        self.original_of(&wish.run) == again.original
            && again.input == wish.from.clone().zip(wish.input.clone())
            && (&old.function, &old.event_ids) == (&seen.function, &seen.event_ids)
            && is_as_it_was
            && has_enough
    }

    /// The first run of a line of reruns.
    fn original_of<'a>(&'a self, run: &'a str) -> &'a str {
        self.runs.get(run).and_then(|seen| seen.again.as_ref()).map_or(run, |again| &again.original)
    }

    /// Every rerun that somebody was told of has begun, none was made up, and steps were given the arguments that they were to be given.
    pub(super) fn every_rerun_has_begun(&self) -> Result<(), Violation> {
        for (wish, run) in &self.reruns.told {
            let times = self.reruns.asked.get(wish).map_or([].as_slice(), Vec::as_slice);
            let has_begun = self.runs.get(run).is_some_and(|seen| seen.rows > 0 && self.fulfils(seen, wish, times));
            require(has_begun, Invariant::RerunsBegin, || format!("{wish:?} was to be {run}, which has not begun"))?;
        }
        let mut begun: BTreeMap<&str, usize> = BTreeMap::new();
        for again in self.runs.values().filter_map(|seen| seen.again.as_ref()) {
            let count = begun.entry(&again.original).or_default();
            *count = count.saturating_add(1);
        }
        for (original, count) in begun {
            let asked = self.reruns.asked.iter().filter(|(wish, _)| self.original_of(&wish.run) == original);
            let asked: usize = asked.map(|(_, times)| times.len()).sum();
            require(count <= asked, Invariant::RerunsBegin, || {
                format!("{original} was to run again {asked} times, and did {count} times")
            })?;
        }
        self.runs.iter().try_for_each(|(run, seen)| self.step_was_given_its_arguments(run, seen))
    }

    fn step_was_given_its_arguments(&self, run: &str, seen: &Seen) -> Result<(), Violation> {
        let program = self.programs.get(&seen.function).filter(|program| !program.wanders);
        let Some((program, (step, input))) = program.zip(seen.again.as_ref().and_then(|again| again.input.as_ref()))
        else {
            return Ok(());
        };
        let is_code = |act: &Act| matches!(act, Act::Step(step) if !step.is_bulky);
        let Some(Some(memo)) = seen.memos.get(step).filter(|_| program.member(step).is_some_and(|m| is_code(&m.act)))
        else {
            return Ok(());
        };
        require(memo.contains(input.as_str()), Invariant::RerunsRepeat, || {
            format!("{run}: {step} was to be given {input} and returned {memo}")
        })
    }
}
