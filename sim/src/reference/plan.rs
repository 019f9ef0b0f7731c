//! What a run of a program comes to, whatever happens around it.

use crate::app::canonical::canonical;
use crate::app::payload;
use crate::app::program::{Act, End, Member, Program, Saves, Stage, Throws};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// How long an invocation is waited for that says nothing of it.
const YEAR_MS: u64 = 365 * 24 * 60 * 60 * 1_000;

/// How a run ends when nobody cancels it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returns.
    Completes,
    /// It fails.
    Fails,
    /// Its code is not the same each time: it ends.
    Ends,
}

/// What is due of one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Its code runs so often, undisturbed.
    Step {
        /// How often.
        tries: u32,
    },
    /// It pauses so long at most, and a sleep not less.
    Pause {
        /// Milliseconds.
        ms: u64,
    },
}

/// What should become of a run.
#[derive(Clone, Debug)]
pub struct Plan {
    outcome: Outcome,
    /// Members whose errors the function lets through, and which have none of their own.
    through: BTreeSet<String>,
    members: BTreeMap<String, Planned>,
    /// What it returns: a place for each member, or for each race.
    output: Vec<BTreeSet<String>>,
    rows: Rows,
}

#[derive(Clone, Debug)]
struct Planned {
    due: Due,
    /// It is reached in every run that ends as planned; a race may do without some.
    is_needed: bool,
    /// Rows that it costs.
    rows: u32,
    /// Of each of these sets, one has ended before this one can.
    after: Vec<BTreeSet<String>>,
}

/// Rows of an undisturbed run.
#[derive(Clone, Copy, Debug)]
enum Rows {
    /// One member after another.
    Exactly(u32),
    /// Side by side: how many answers it takes to find them is not determined.
    AtMost(u32),
}

impl Plan {
    /// The plan of a program.
    #[must_use]
    pub fn of(program: &Program) -> Self {
        let mut plan = Self {
            outcome: Outcome::Completes,
            through: BTreeSet::new(),
            members: BTreeMap::new(),
            output: Vec::new(),
            rows: Rows::Exactly(0),
        };
        let mut before: Vec<BTreeSet<String>> = Vec::new();
        let (mut rows, mut is_sequential) = (1_u32, true);
        for stage in &program.stages {
            let is_reached = plan.outcome == Outcome::Completes;
            let mut ends: Vec<BTreeSet<String>> = Vec::new();
            let chains: Vec<&[Member]> = match stage {
                Stage::One(member) => vec![std::slice::from_ref(member)],
                Stage::Parallel(chains) => chains.iter().map(Vec::as_slice).collect(),
                Stage::Race(members) => members.iter().map(std::slice::from_ref).collect(),
            };
            let is_race = matches!(stage, Stage::Race(_));
            is_sequential &= matches!(stage, Stage::One(_));
            for chain in chains {
                let mut after = before.clone();
                // An answer that says no more than what is deferred costs a row; one that says more costs none.
                let said =
                    u32::try_from(chain.iter().filter(|member| !member.is_remembered()).count()).unwrap_or(u32::MAX);
                (rows, is_sequential) = (rows.saturating_add(said), is_sequential && said == 0);
                for member in chain.iter().filter(|member| member.is_remembered()) {
                    let (due, cost) = due_of(member, program.retries);
                    let (is_needed, counted) = (is_reached && !is_race, if is_reached { cost } else { 0 });
                    let planned = Planned { due, is_needed, rows: counted, after: after.clone() };
                    plan.members.insert(member.id.clone(), planned);
                    rows = rows.saturating_add(counted);
                    after.push(BTreeSet::from([member.id.clone()]));
                    ends.push(BTreeSet::from([member.id.clone()]));
                    if is_lost(member) {
                        plan.outcome = Outcome::Fails;
                    } else if matches!(member.act, Act::Invoke { .. }) && member.lets_through() {
                        plan.through.insert(member.id.clone());
                    }
                }
            }
            if plan.outcome == Outcome::Fails && is_reached && !matches!(stage, Stage::One(_)) {
                // Of what stands beside a step that fails the run, some may never be reached.
                for member in stage.members() {
                    plan.members.entry(member.id.clone()).and_modify(|planned| planned.is_needed = false);
                }
            }
            if is_race {
                ends = vec![ends.into_iter().flatten().collect()];
            }
            plan.output.extend(ends.iter().cloned());
            before.extend(ends);
        }
        plan.close(program, rows, is_sequential);
        plan
    }

    fn close(&mut self, program: &Program, rows: u32, is_sequential: bool) {
        let mut rows = rows.saturating_add(1);
        match program.end {
            End::Throws(times) if self.outcome == Outcome::Completes => rows = rows.saturating_add(times),
            End::GivesUp => self.outcome = Outcome::Fails,
            _ => {}
        }
        let members = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        // A discovery for each end, and for each member an answer that finds it.
        let beside = members.saturating_mul(3);
        let saves_each = matches!(program.sdk.saves, Saves::Never | Saves::Every(1));
        let is_certain = is_sequential && saves_each && self.through.is_empty();
        self.rows = if is_certain { Rows::Exactly(rows) } else { Rows::AtMost(rows.saturating_add(beside)) };
        if program.wanders {
            self.outcome = Outcome::Ends;
        }
    }

    /// How a run ends, given what its steps came to: none for those that threw.
    #[must_use]
    pub fn outcome(&self, ended: &BTreeMap<String, Option<String>>) -> Outcome {
        if self.is_stopped(ended) && self.outcome == Outcome::Completes { Outcome::Fails } else { self.outcome }
    }

    /// Whether a function has let the error of another one through: then it comes no further.
    fn is_stopped(&self, ended: &BTreeMap<String, Option<String>>) -> bool {
        self.through.iter().any(|id| ended.get(id).is_some_and(Option::is_none))
    }

    /// What is due of a member.
    #[must_use]
    pub fn due(&self, id: &str) -> Option<Due> {
        (self.outcome != Outcome::Ends).then(|| self.members.get(id).map(|member| member.due)).flatten()
    }

    /// What the program puts before `id` and has not ended: one of these would have to. A step that the program does not know
    /// is missing itself.
    #[must_use]
    pub fn missing_before(&self, id: &str, ended: &BTreeMap<String, Option<String>>) -> Option<Vec<String>> {
        if self.outcome == Outcome::Ends {
            return None;
        }
        let Some(member) = self.members.get(id) else { return Some(vec![format!("{id} is not in the program")]) };
        let missing = member.after.iter().find(|one_of| !one_of.iter().any(|id| ended.contains_key(id)));
        missing.map(|one_of| one_of.iter().cloned().collect())
    }

    /// What is wrong with what a run returned, given what its steps came to.
    #[must_use]
    pub fn compare(&self, output: &str, ended: &BTreeMap<String, Option<String>>, is_signed: bool) -> Option<String> {
        if self.outcome == Outcome::Ends {
            return None;
        }
        let Ok(told) = serde_json::from_str::<Vec<(String, &RawValue)>>(output) else {
            return Some(format!("it returned {output}"));
        };
        if told.len() != self.output.len() {
            return Some(format!("it returned {} values, and {} are due", told.len(), self.output.len()));
        }
        for ((id, memo), one_of) in told.iter().zip(&self.output) {
            if !one_of.contains(id) {
                return Some(format!("it returned {id} where one of {one_of:?} is due"));
            }
            match ended.get(id) {
                Some(Some(recorded)) if is_told(recorded, memo.get(), is_signed) => {}
                Some(None) if memo.get().starts_with("{\"error\":") => {}
                recorded => return Some(format!("it was told that {id} came to {memo}, but {recorded:?} is recorded")),
            }
        }
        let missing = self.members.iter().find(|(id, member)| member.is_needed && !ended.contains_key(*id));
        missing.map(|(id, _)| format!("it never ran {id}"))
    }

    /// A step whose code did not run as often as it should, given what steps came to, and which of that was copied.
    #[must_use]
    pub fn odd_tries(
        &self,
        tries: &impl Fn(&str) -> u32,
        ended: &BTreeMap<String, Option<String>>,
        copied: &BTreeSet<&str>,
    ) -> Option<String> {
        if self.outcome == Outcome::Ends {
            return None;
        }
        let went_on = !self.is_stopped(ended);
        self.members.iter().find_map(|(id, member)| {
            let (Due::Step { tries: due }, had) = (member.due, tries(id)) else { return None };
            let due = if copied.contains(id.as_str()) { 0 } else { due };
            let is_odd = had > due || (member.is_needed && went_on && had < due);
            is_odd.then(|| format!("{id} ran {had} times instead of {due}"))
        })
    }

    /// Whether an undisturbed run may have so many rows that begins with what these steps came to.
    #[must_use]
    pub fn allows_rows(&self, rows: u32, copied: &BTreeSet<&str>) -> bool {
        match (self.outcome, self.rows_without(copied)) {
            (Outcome::Ends, _) => true,
            (_, Rows::Exactly(due)) => rows == due,
            (_, Rows::AtMost(due)) => rows <= due,
        }
    }

    fn rows_without(&self, copied: &BTreeSet<&str>) -> Rows {
        let saved = self.members.iter().filter(|(id, _)| copied.contains(id.as_str()));
        let saved: u32 = saved.map(|(_, member)| member.rows).sum();
        match self.rows {
            Rows::Exactly(rows) => Rows::Exactly(rows.saturating_sub(saved)),
            Rows::AtMost(rows) => Rows::AtMost(rows.saturating_sub(saved)),
        }
    }

    /// How many rows are due, for people.
    #[must_use]
    pub fn rows_told(&self, copied: &BTreeSet<&str>) -> String {
        match self.rows_without(copied) {
            Rows::Exactly(rows) => format!("{rows} are due"),
            Rows::AtMost(rows) => format!("at most {rows} are due"),
        }
    }
}

/// What is due of a member, and how many rows that costs.
fn due_of(member: &Member, retries: u32) -> (Due, u32) {
    match &member.act {
        Act::Sleep { seconds } | Act::Wait { seconds, .. } | Act::AwaitSignal { seconds, .. } => {
            (Due::Pause { ms: seconds.saturating_mul(1_000) }, 2)
        }
        Act::Invoke { seconds, .. } => (Due::Pause { ms: seconds.map_or(YEAR_MS, |s| s.saturating_mul(1_000)) }, 2),
        Act::Defer { .. } | Act::TakeBack { .. } => (Due::Pause { ms: 0 }, 0),
        // A row says that it is asked for.
        Act::Infer { refuses } => (Due::Step { tries: refuses.saturating_add(1) }, refuses.saturating_add(2)),
        Act::Step(step) => {
            let tries = match step.throws {
                Throws::Times(times) => times.saturating_add(1),
                Throws::Always => retries.saturating_add(1),
                Throws::AtOnce => 1,
            };
            (Due::Step { tries }, tries)
        }
    }
}

/// Whether a function that was sent `recorded` tells it as `told`: where calls are signed it was sent its canonical form, unless
/// the step ran in the same request.
fn is_told(recorded: &str, told: &str, is_signed: bool) -> bool {
    let as_sent = || canonical(recorded).is_some_and(|text| payload::told(&text) == told);
    payload::told(recorded) == told || is_signed && as_sent()
}

/// Whether the function fails of it.
fn is_lost(member: &Member) -> bool {
    matches!(&member.act, Act::Step(step) if step.throws.is_final() && !step.is_caught)
}
