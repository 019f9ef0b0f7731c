//! How an SDK runs a function over what is remembered, and finds what is next (PROTOCOL §§3.4–3.6, 5, 7.14).

use super::payload;
use super::program::{Act, Member, Program, Stage};
use std::collections::BTreeMap;

/// What is remembered of a run: memos as the text that came, and the order in which their steps ended.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    /// By step id.
    pub memos: BTreeMap<String, String>,
    /// Ids, the first first.
    pub order: Vec<String>,
    /// What is deferred, and whether it can be taken back.
    pub defers: BTreeMap<String, bool>,
}

impl Memory {
    /// Remembers one more.
    pub fn remember(&mut self, id: &str, memo: String) {
        self.memos.insert(id.to_owned(), memo);
        self.order.push(id.to_owned());
    }

    fn has(&self, member: &Member) -> bool {
        self.memos.contains_key(&member.id)
    }

    fn threw(&self, member: &Member) -> bool {
        member.lets_through() && self.memos.get(&member.id).is_some_and(|memo| memo.starts_with("{\"error\":"))
    }
}

/// What an SDK does next.
#[derive(Debug)]
pub enum Next<'a> {
    /// Runs this step's code, or reports this pause.
    Do(&'a Member),
    /// Reports these, each with whether it races.
    Plan(Vec<(&'a Member, bool)>),
    /// Says what it has deferred: no step was found before its time was up.
    Tell,
    /// The function's code is at its end; this is what it would return.
    End(String),
    /// The function lets the error of a step through.
    Throw,
    /// It was asked for a step that is finished, or that it cannot reach.
    Lost,
}

/// How a request is answered.
#[derive(Clone, Copy, Debug)]
pub struct Manner<'a> {
    /// The one step that it is about.
    pub target: Option<&'a str>,
    /// Steps are to be planned.
    pub must_plan: bool,
    /// Steps are saved as they run: then whatever takes its time is waited for.
    pub saves: bool,
}

/// Runs `program` over what is remembered, up to where something is to be done. Gives besides what is said of deferrals for the
/// first time.
#[must_use]
pub fn next<'a>(program: &'a Program, memory: &Memory, manner: Manner<'_>) -> (Next<'a>, Vec<&'a Member>) {
    let mut walk = Walk { memory, is_patient: manner.saves, found: Vec::new(), said: Vec::new(), output: Vec::new() };
    let at_end = program.stages.iter().all(|stage| walk.passes(stage));
    let next = if walk.threw(program) { Next::Throw } else { walk.next(manner, at_end) };
    (next, walk.said)
}

struct Walk<'a, 'm> {
    memory: &'m Memory,
    is_patient: bool,
    /// What can be done now, and whether it races.
    found: Vec<(&'a Member, bool)>,
    /// What is said of deferrals.
    said: Vec<&'a Member>,
    output: Vec<String>,
}

impl<'a> Walk<'a, '_> {
    fn next(&mut self, manner: Manner<'_>, at_end: bool) -> Next<'a> {
        let found = std::mem::take(&mut self.found);
        let is_cut_short = !at_end && !self.said.is_empty();
        if let Some(target) = manner.target {
            let found = found.iter().find(|(member, _)| member.id == target);
            let missing = if is_cut_short { Next::Tell } else { Next::Lost };
            return found.map_or(missing, |(member, _)| Next::Do(member));
        }
        if at_end {
            return Next::End(format!("[{}]", self.output.join(",")));
        }
        match found.as_slice() {
            [] if is_cut_short => Next::Tell,
            [(only, _)] if !manner.must_plan || !matches!(only.act, Act::Step(_)) => Next::Do(only),
            _ => Next::Plan(found),
        }
    }

    /// Goes through a stage; false where the function stands still there.
    fn passes(&mut self, stage: &'a Stage) -> bool {
        match stage {
            Stage::One(member) => self.all(std::slice::from_ref(member)),
            // Every chain is begun, also where an earlier one stands still.
            Stage::Parallel(chains) => {
                let standing = chains.iter().filter(|chain| !self.all(chain)).count();
                standing == 0
            }
            Stage::Race(members) => {
                let first = self.memory.order.iter().find_map(|id| members.iter().find(|member| member.id == *id));
                if let Some(first) = first {
                    self.tell(first);
                }
                let missing = members.iter().filter(|member| !self.memory.has(member));
                self.found.extend(missing.map(|member| (member, true)));
                first.is_some()
            }
        }
    }

    fn all(&mut self, chain: &'a [Member]) -> bool {
        for member in chain {
            match &member.act {
                Act::Defer { thinks, .. } => {
                    if !self.memory.defers.contains_key(&member.id) {
                        self.said.push(member);
                        if *thinks && !self.is_patient {
                            return false;
                        }
                    }
                    continue;
                }
                Act::TakeBack { of } => {
                    let is_new = self.said.iter().any(|said| said.id == *of);
                    if is_new || self.memory.defers.get(of) == Some(&true) {
                        self.said.push(member);
                    }
                    continue;
                }
                _ => {}
            }
            if !self.memory.has(member) {
                self.found.push((member, false));
                return false;
            }
            self.tell(member);
        }
        true
    }

    fn tell(&mut self, member: &Member) {
        let memo = self.memory.memos.get(&member.id).map_or("null", String::as_str);
        self.output.push(format!("[\"{}\",{}]", member.id, payload::told(memo)));
    }

    /// Whether a step that the function has come to threw for good, and nothing catches it.
    fn threw(&self, program: &Program) -> bool {
        program.members().any(|member| self.memory.threw(member))
    }
}
