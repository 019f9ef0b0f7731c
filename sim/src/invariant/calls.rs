//! What must hold of a run's calls, and of what its app fetches.

use super::run::Seen;
use super::{Invariant, Violation, require};
use crate::app::canonical::canonical;
use crate::app::request::input_of;
use crate::app::wire::CallBody;
use std::collections::BTreeSet;

impl Seen {
    /// Whether `unit` may be called at `clock`.
    ///
    /// # Errors
    /// It is too early.
    pub fn may_call(&self, run: &str, unit: &str, clock: u64) -> Result<(), Violation> {
        let due = self.units.get(unit).map_or(0, |unit| unit.due);
        require(clock >= due, Invariant::CallsAreNotEarly, || {
            format!("{run}: {unit} is called at {clock}, due at {due}")
        })
    }

    /// Whether a call of this unit and generation would count.
    #[must_use]
    pub fn counts(&self, unit: &str, generation: u32) -> bool {
        let held = self.units.get(unit).copied().unwrap_or_default();
        self.ended.is_none() && held.generation == generation && !held.is_over
    }

    /// Takes note of what a call carries.
    ///
    /// # Errors
    /// A promise is broken.
    fn carries<'a>(
        &mut self,
        run: &str,
        is_signed: bool,
        steps: impl Iterator<Item = (&'a String, &'a str)>,
    ) -> Result<(), Violation> {
        for (id, memo) in steps {
            let before = self.carried.entry(id.clone()).or_insert_with(|| memo.to_owned());
            require(before == memo, Invariant::ResultsStay, || format!("{run}: {id} was {before} and is {memo}"))?;
            let recorded = self.memos.get(id);
            require(recorded.is_some(), Invariant::DurableBeforeVisible, || {
                format!("a call of {run} carries {id}, of which the store knows nothing")
            })?;
            let is_same = match recorded {
                Some(Some(recorded)) if is_signed => canonical(recorded).as_deref() == Some(memo),
                Some(Some(recorded)) => recorded == memo,
                _ => memo.starts_with("{\"error\":"),
            };
            require(is_same, Invariant::PayloadsAreOpaque, || {
                format!("{run}: {id} is {recorded:?} and travels as {memo}")
            })?;
        }
        Ok(())
    }

    /// Takes note of what an app fetched: as it is recorded, signed calls or not.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn fetches<'a>(&self, run: &str, steps: impl Iterator<Item = (&'a String, &'a str)>) -> Result<(), Violation> {
        for (id, memo) in steps {
            let input = self.again.as_ref().and_then(|again| again.input.as_ref());
            let holds = match self.memos.get(id) {
                None if input_of(memo).is_some() => {
                    input.is_some_and(|(step, input)| step == id && input_of(memo) == Some(input))
                }
                Some(Some(recorded)) => recorded == memo,
                Some(None) => memo.starts_with("{\"error\":"),
                None => false,
            };
            require(holds, Invariant::PayloadsAreOpaque, || format!("{run}: {id} is fetched as {memo}"))?;
        }
        Ok(())
    }

    /// Takes note of a call.
    ///
    /// # Errors
    /// A promise is broken.
    pub fn call(&mut self, run: &str, is_signed: bool, body: &CallBody<'_>) -> Result<(), Violation> {
        let ended = self.inputs_travel(run, is_signed, &body.ctx.stack.stack, &body.steps, body.use_api)?;
        self.carries(run, is_signed, ended.iter().map(|(id, memo)| (id, memo.get())))?;
        let told: BTreeSet<&String> = body.ctx.stack.stack.iter().collect();
        let is_whole = body.use_api && ended.is_empty() || ended.keys().collect::<BTreeSet<_>>() == told;
        require(is_whole, Invariant::StackIsInOrder, || {
            format!("{run}: {told:?} have ended, and a call carries {:?}", ended.keys())
        })?;
        let stack = &body.ctx.stack;
        // A transaction may hold ends that came after the turn that made this call.
        let is_in_order = self.order.starts_with(&stack.stack) && stack.current <= stack.stack.len();
        require(is_in_order, Invariant::StackIsInOrder, || {
            format!("{run}: steps ended in the order {:?} and are told as {stack:?}", self.order)
        })?;
        let unit = self.units.get(body.ctx.qi_id).copied().unwrap_or_default();
        let counted = (unit.attempt, unit.generation);
        require((body.ctx.attempt, body.ctx.generation_id) == counted, Invariant::AttemptsAreCounted, || {
            format!(
                "{run}: {} goes out as attempt {} of generation {}, but {unit:?} is next",
                body.ctx.qi_id, body.ctx.attempt, body.ctx.generation_id
            )
        })
    }
}
