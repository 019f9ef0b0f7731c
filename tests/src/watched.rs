//! Runs that are looked at again and again while things go wrong.

use crate::{Execution, Finished, Journal, Lane};
use std::collections::HashMap;

/// One run under observation.
pub struct Watched<'a> {
    /// Where it runs.
    pub lane: &'a Lane<'a>,
    /// Its id.
    pub run: String,
    /// Its journal when it was looked at last.
    pub earlier: Journal,
}

impl<'a> Watched<'a> {
    /// The run that an event starts in a function of a lane, as soon as it is there.
    pub fn new(lane: &'a Lane<'a>, event: &str, function: &str) -> Self {
        let run = lane.client.run_of(event, &lane.slug(function));
        let earlier = lane.client.journal(&run);
        Self { lane, run, earlier }
    }

    /// Its end, after which everything that must hold of a run is asserted.
    pub fn finish(&self) -> Finished {
        let run = self.finish_by_leases();
        assert_nothing_recorded_runs_again(&run);
        run
    }

    /// As [`Watched::finish`], where a sending counts as lost by the clock: it may arrive after the one that came in its stead. What is recorded does not
    /// change by that, and [`assert_repeats_have_a_reason`] says how often a body may run.
    pub fn finish_by_leases(&self) -> Finished {
        let run = self.lane.finish(&self.run);
        assert!(run.journal.continues(&self.earlier), "{run:?} was {:#?}", self.earlier.outline());
        assert_calls_carry_what_is_recorded(&run);
        run
    }

    /// Asserts that its journal goes on from where it was.
    pub fn look_again(&mut self) {
        let now = self.lane.client.journal(&self.run);
        assert!(now.continues(&self.earlier), "{} was {:#?}, is {:#?}", self.run, self.earlier, now);
        self.earlier = now;
    }

    /// Asserts that a run whose output is the list of what its steps gave gives what is recorded of them.
    pub fn assert_outputs_are_the_recorded_ones(run: &Finished) {
        let recorded = run.journal.results();
        let ids: HashMap<&str, &str> = run.executions.iter().map(|one| (one.step.as_str(), one.id.as_str())).collect();
        for (i, result) in run.output().as_array().into_iter().flatten().enumerate() {
            let step = format!("s{i}");
            assert_eq!(recorded[ids[step.as_str()]].1["data"], *result, "the result of {step}: {run:?}");
        }
    }
}

/// How many steps have a result, in all runs.
pub fn recorded(watched: &[Watched<'_>]) -> usize {
    watched.iter().map(|one| one.earlier.results().len()).sum()
}

/// Neither after the row was decided that records the step, nor after a checkpoint of it was answered with 200.
fn assert_nothing_recorded_runs_again(run: &Finished) {
    let recorded = run.journal.results();
    let mut known_at_ms: HashMap<&str, u64> = recorded.iter().map(|(id, (at_ms, _))| (id.as_str(), *at_ms)).collect();
    for request in run.requests.iter().filter(|request| request["status"] == 200) {
        for step in request["steps"].as_array().into_iter().flatten().filter(|step| step["op"] == "StepRun") {
            let id = step["id"].as_str().expect("a step id");
            let at_ms = request["answered_at_ms"].as_u64().expect("a moment");
            let known = known_at_ms.get_mut(id).unwrap_or_else(|| panic!("a saved {id} is lost: {run:?}"));
            *known = at_ms.min(*known);
        }
    }
    let used_again = |step: &str| step == "loop";
    for Execution { step, id, at_ms, .. } in run.executions.iter().filter(|one| !used_again(&one.step)) {
        // A step that threw has no result yet.
        let Some(known_at_ms) = known_at_ms.get(id.as_str()) else { panic!("{step} is in no journal: {run:?}") };
        assert!(at_ms <= known_at_ms, "{step} ran at {at_ms} although known at {known_at_ms}: {run:?}");
    }
}

/// Asserts that a step's body ran again only where a crash or a lost lease hid a sending, which is in the journal each time. For functions whose
/// steps do not fail.
pub fn assert_repeats_have_a_reason(run: &Finished) {
    let mut times: HashMap<&str, usize> = HashMap::new();
    for execution in &run.executions {
        *times.entry(execution.id.as_str()).or_default() += 1;
    }
    let sent_again = run.journal.outline().iter().filter(|line| *line == "sent again").count();
    for (step, times) in times {
        assert!(
            times <= 1 + sent_again,
            "{step} ran {times} times, and only {sent_again} calls were sent again: {run:?}"
        );
    }
}

/// A call never says of a step what the journal does not.
fn assert_calls_carry_what_is_recorded(run: &Finished) {
    let recorded = run.journal.results();
    for call in &run.calls {
        for (id, memo) in call.seen()["steps"].as_object().expect("steps") {
            // Sleeps have no result; large ones are seen by their hash alone.
            let Some((_, result)) = recorded.get(id).filter(|_| memo.get("value").is_some()) else { continue };
            assert_eq!(memo["value"]["data"], result["data"], "{id} changed: {run:?}");
        }
    }
}
