//! What an answer comes to: reads it against the run's state and decides the journal's next entry.

use super::answer::{self, Says};
use super::defer;
use super::errand::Errand;
use super::journal::{Answered, Record, Then, Thrown, What};
use super::opcode::{self, Around, Reading, Rejection};
use super::problem::Problem;
use super::retry::{self, Advice};
use super::state::State;
use super::unit::{CallId, UnitId};
use crate::error::Code;
use crate::ids::StepId;
use crate::limits::{JOURNAL_ROWS_MAX, RUN_STATE_BYTES_MAX, STEP_OUTPUT_BYTES_MAX, STEPS_PER_RUN_MAX};
use crate::turn::{CallOutcome, Turn};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// Decides what the outcome of `call` comes to; `None` where the call is stale (law 8).
#[must_use]
pub fn answered(state: &State, turn: &Turn<'_>, call: CallId, outcome: CallOutcome) -> Option<Answered> {
    let unit = state.units.get(&call.unit).filter(|unit| unit.generation == call.generation)?;
    let attempts_max =
        turn.catalog.function(&state.start.function).map_or(1, |function| function.retries.saturating_add(1));
    let mut decision = Decision { state, turn, call, attempt: unit.attempt, attempts_max, advice: Advice::default() };
    Some(match &unit.errand {
        Some(errand) => decision.errand(errand, outcome),
        None => decision.decide(outcome),
    })
}

struct Decision<'a> {
    state: &'a State,
    turn: &'a Turn<'a>,
    call: CallId,
    attempt: u32,
    attempts_max: u32,
    advice: Advice,
}

impl Decision<'_> {
    /// What the server's own request came to: the result of its step, or an error that the function may catch.
    fn errand(&mut self, errand: &Errand, outcome: CallOutcome) -> Answered {
        if let Some(problem) = self.overflow() {
            return self.entry(None, Vec::new(), Then::Fail { problem });
        }
        let id = StepId::from(self.call.unit.step_id());
        let what = match errand.read(outcome.answer, self.turn.now) {
            Ok(data) => What::Ran { data, kind: Some(errand.kind.op().to_owned()), timing: None },
            Err(failed) => {
                let (problem, advice) = *failed;
                self.advice = advice;
                if retry::next_try(self.turn, self.attempt, self.attempts_max, advice).is_some() {
                    let thrown = Thrown { id, name: String::new() };
                    return self.failed_attempt(None, Vec::new(), Some(thrown), problem);
                }
                What::Failed { problem }
            }
        };
        let steps = vec![Record { id, name: String::new(), race: false, what }];
        match within_limits(self.state, &steps) {
            Ok(()) => self.entry(None, steps, Then::Proceed),
            Err(problem) => self.entry(None, Vec::new(), Then::Fail { problem }),
        }
    }

    /// The journal takes no more rows.
    fn overflow(&self) -> Option<Problem> {
        (self.state.rows >= JOURNAL_ROWS_MAX).then(|| {
            let message = format!("The run's journal has reached its limit of {JOURNAL_ROWS_MAX} rows.");
            Problem::named(Code::StepLimitExceeded, "InngestErrFunctionOverflowed", message)
        })
    }

    fn decide(&mut self, outcome: CallOutcome) -> Answered {
        let answer = answer::read(outcome.answer, self.turn.now);
        self.advice = answer.advice;
        if let Some(problem) = self.overflow() {
            return self.entry(None, Vec::new(), Then::Fail { problem });
        }
        match answer.says {
            Says::Returned(output) => self.entry(None, Vec::new(), Then::Complete { output }),
            Says::Failed(problem) => self.failed_attempt(None, Vec::new(), None, problem),
            Says::Ops(body) => self.ops(answer.version, &body),
        }
    }

    fn ops(&self, version: Option<i32>, body: &RawValue) -> Answered {
        match self.read_ops(body) {
            Ok(read) => self.weigh(version, read),
            Err(Rejection::Attempt(problem)) => self.failed_attempt(version, Vec::new(), None, problem),
            Err(Rejection::Run(problem)) => self.entry(version, Vec::new(), Then::Fail { problem }),
        }
    }

    fn read_ops(&self, body: &RawValue) -> Result<ReadOps, Rejection> {
        let mut read = ReadOps::default();
        let around = Around { now: self.turn.now, run: self.state.start.run, trigger: self.state.trigger() };
        for op in opcode::split(body)? {
            match op.read(&around)? {
                Reading::Step(record) => read.keep(record),
                Reading::Threw(thrown, problem) => read.threw = Some((thrown, problem)),
                Reading::Complete(output) => read.output = Some(output),
                Reading::FunctionThrew { problem, is_final } => read.function_threw = Some((problem, is_final)),
                Reading::Nothing => {}
            }
        }
        read.defers = read.steps.iter().any(|step| matches!(step.what, What::Deferred(_)));
        defer::admit(self.state, &mut read.steps);
        Ok(read)
    }

    fn weigh(&self, version: Option<i32>, mut read: ReadOps) -> Answered {
        if let Err(problem) = within_limits(self.state, &read.steps) {
            return self.entry(version, Vec::new(), Then::Fail { problem });
        }
        if let Some(output) = read.output {
            if output.get().len() > STEP_OUTPUT_BYTES_MAX {
                return self.failed_attempt(version, read.steps, None, answer::too_large(output.get().len()));
            }
            return self.entry(version, read.steps, Then::Complete { output });
        }
        if let Some((problem, is_final)) = read.function_threw {
            return if is_final {
                self.entry(version, read.steps, Then::Fail { problem })
            } else {
                self.failed_attempt(version, read.steps, None, problem)
            };
        }
        if let Some((thrown, problem)) = read.threw {
            if retry::next_try(self.turn, self.attempt, self.attempts_max, self.advice).is_some() {
                return self.failed_attempt(version, read.steps, Some(thrown), problem);
            }
            read.steps.push(Record { id: thrown.id, name: thrown.name, race: false, what: What::Failed { problem } });
        }
        // Whatever it defers that its call did not tell is progress; without any it would say the same again.
        let has_news = !read.steps.is_empty() || self.state.has_deferred_since(&self.call.unit);
        if read.defers && has_news && !read.steps.iter().any(Record::is_more_than_deferred) {
            return self.entry(version, read.steps, Then::Again {});
        }
        if let Some(problem) = self.leads_nowhere(&read.steps) {
            return self.failed_attempt(version, Vec::new(), None, problem);
        }
        self.entry(version, read.steps, Then::Proceed)
    }

    /// An answer after which the run would stand still, or that is not about the step that was asked for.
    fn leads_nowhere(&self, steps: &[Record]) -> Option<Problem> {
        if let UnitId::Step(asked) = &self.call.unit {
            let resolved = steps.iter().any(|step| step.id == *asked && !matches!(step.what, What::Planned { .. }));
            return (!resolved).then(|| {
                let message = format!("The app was asked to run the step {asked} and answered with something else.");
                Problem::found(Code::AnswerInvalid, message)
            });
        }
        let moves = steps.iter().any(|step| match step.what {
            What::Planned { .. }
            | What::Asked { .. }
            | What::Slept { .. }
            | What::Waited { .. }
            | What::AwaitedSignal { .. }
            | What::Invoked { .. } => !self.state.memos.contains_key(&step.id),
            What::Ran { .. } | What::Stored { .. } | What::Failed { .. } | What::Discovery => true,
            What::Deferred(_) => false,
        });
        (!moves && !self.state.has_more_than(&self.call.unit)).then(|| {
            Problem::found(Code::AnswerEmpty, "The app's answer asks for nothing, and nothing else is under way.")
        })
    }

    fn failed_attempt(
        &self,
        version: Option<i32>,
        steps: Vec<Record>,
        step: Option<Thrown>,
        problem: Problem,
    ) -> Answered {
        let then = match retry::next_try(self.turn, self.attempt, self.attempts_max, self.advice) {
            Some(retry_at_ms) => Then::Retry { step, problem, retry_at_ms },
            None => Then::Fail { problem },
        };
        self.entry(version, steps, then)
    }

    fn entry(&self, version: Option<i32>, steps: Vec<Record>, then: Then) -> Answered {
        let known = self.state.version;
        Answered {
            unit: self.call.unit.clone(),
            generation: self.call.generation,
            attempt: self.attempt,
            version: version.filter(|version| *version != known),
            steps,
            then,
        }
    }
}

/// The ops of one answer, sorted by what they come to.
#[derive(Default)]
struct ReadOps {
    steps: Vec<Record>,
    /// It deferred something or took it back, be that known or not.
    defers: bool,
    threw: Option<(Thrown, Problem)>,
    /// The function threw, and whether for good.
    function_threw: Option<(Problem, bool)>,
    output: Option<Box<RawValue>>,
}

impl ReadOps {
    /// Of two ops with one id, the last one wins (SERVER §3.2).
    fn keep(&mut self, record: Record) {
        self.steps.retain(|kept| kept.id != record.id);
        self.steps.push(record);
    }
}

/// Whether the run may hold `steps` besides what it has (SERVER §3.3).
///
/// # Errors
/// The problem that the run fails of.
pub fn within_limits(state: &State, steps: &[Record]) -> Result<(), Problem> {
    let fresh = |id: &StepId| {
        let planned = state.units.contains_key(&UnitId::Step(id.clone()));
        !planned && !state.memos.contains_key(id) && !state.pauses.contains_key(id)
    };
    let ids: BTreeSet<_> = steps.iter().filter(|step| step.is_of_a_step()).map(|step| &step.id).collect();
    let steps_after = state.steps().saturating_add(ids.into_iter().filter(|id| fresh(id)).count());
    if steps_after > STEPS_PER_RUN_MAX {
        let message = format!("The function run exceeded the step limit of {STEPS_PER_RUN_MAX} steps.");
        return Err(Problem::named(Code::StepLimitExceeded, "InngestErrFunctionOverflowed", message));
    }
    let added = steps.iter().fold(0_usize, |bytes, step| match &step.what {
        What::Ran { data, .. } => bytes.saturating_add(data.get().len()),
        What::Stored { memo } => bytes.saturating_add(memo.get().len()),
        What::Asked { errand } => bytes.saturating_add(errand.body.len()),
        What::Invoked { payload: Some(payload), .. } => bytes.saturating_add(payload.get().len()),
        _ => bytes,
    });
    holds_more(state, added)
}

/// Whether the run may remember so many bytes more (SERVER §3.3).
///
/// # Errors
/// The problem that the run fails of.
pub fn holds_more(state: &State, added: usize) -> Result<(), Problem> {
    if state.memo_bytes.saturating_add(added) > RUN_STATE_BYTES_MAX {
        let message = format!("The function run exceeded the state size limit of {RUN_STATE_BYTES_MAX} bytes.");
        return Err(Problem::named(Code::StateLimitExceeded, "InngestErrStateOverflowed", message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{EventId, Millis, RunId};
    use crate::run::message::Start;

    fn state(memo_bytes: usize) -> State {
        let event = EventId::new(Millis(1), 1);
        let start = Start {
            event_ids: vec![event],
            event_name: "e".to_owned(),
            ..Start::of(RunId::derived(event, &"f".into()), "f".into(), 1)
        };
        let mut state = State::new(Millis(1), start);
        state.memo_bytes = memo_bytes;
        state
    }

    #[test]
    fn whatever_a_step_leaves_counts_as_state_up_to_the_limit() {
        let json = || RawValue::from_string("[1,2,3]".to_owned()).unwrap();
        let record = |id: &str, what| Record { id: id.into(), name: String::new(), race: false, what };
        let steps = [
            record("a", What::Ran { data: json(), kind: None, timing: None }),
            record("b", What::Stored { memo: json() }),
            record("c", What::Invoked { function: "f".to_owned(), payload: Some(json()), until_ms: Millis(1) }),
            record("d", What::Planned {}),
        ];
        for (count, bytes) in [(1, 7), (2, 14), (3, 21), (4, 21)] {
            let steps = steps.get(..count).unwrap();
            assert!(within_limits(&state(RUN_STATE_BYTES_MAX - bytes), steps).is_ok(), "{count}");
            let problem = within_limits(&state(RUN_STATE_BYTES_MAX - bytes + 1), steps).unwrap_err();
            assert_eq!(problem.code, Some(Code::StateLimitExceeded), "{count}");
        }
    }
}
