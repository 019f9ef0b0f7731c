//! How an SDK runs a function over what is remembered, and finds what is next (PROTOCOL §§3.4–3.6, 5).

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
    /// The function's code is at its end; this is what it would return.
    End(String),
    /// The function lets the error of a step through.
    Throw,
    /// It was asked for a step that is finished, or that it cannot reach.
    Lost,
}

/// Runs `program` over what is remembered, up to where something is to be done.
#[must_use]
pub fn next<'a>(program: &'a Program, memory: &Memory, target: Option<&str>, must_plan: bool) -> Next<'a> {
    let mut walk = Walk { memory, found: Vec::new(), output: Vec::new() };
    let at_end = program.stages.iter().all(|stage| walk.passes(stage));
    if walk.threw(program) {
        return Next::Throw;
    }
    if let Some(target) = target {
        let found = walk.found.iter().find(|(member, _)| member.id == target);
        return found.map_or(Next::Lost, |(member, _)| Next::Do(member));
    }
    if at_end {
        return Next::End(format!("[{}]", walk.output.join(",")));
    }
    match walk.found.as_slice() {
        [(only, _)] if !must_plan || !matches!(only.act, Act::Step(_)) => Next::Do(only),
        _ => Next::Plan(walk.found),
    }
}

struct Walk<'a, 'm> {
    memory: &'m Memory,
    /// What can be done now, and whether it races.
    found: Vec<(&'a Member, bool)>,
    output: Vec<String>,
}

impl<'a> Walk<'a, '_> {
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
