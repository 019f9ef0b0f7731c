//! How an SDK reads a call and finds what to do next (PROTOCOL §§3.4–3.6, 5).

use super::program::{Member, Program};
use serde_json::{Map, Value, json};

/// What an SDK does next.
#[derive(Debug)]
pub enum Next {
    /// Runs this step's code.
    Run {
        /// Which.
        name: String,
        /// How often it throws before it returns.
        throws: u32,
    },
    /// Answers with these ops.
    Report(Vec<Value>),
    /// The function returned.
    Return(Value),
    /// The function threw.
    Throw,
    /// It was asked for a step that is finished, or that it cannot reach.
    Lost,
}

/// Runs `program` over what is remembered, up to where something is to be done.
#[must_use]
pub fn next(program: &Program, memos: &Map<String, Value>, target: Option<&str>, must_plan: bool) -> Next {
    let mut output = Vec::new();
    for stage in &program.stages {
        let missing: Vec<&Member> =
            stage.members().iter().filter(|member| !memos.contains_key(member.name())).collect();
        if missing.is_empty() {
            for member in stage.members() {
                let memo = memos.get(member.name()).cloned().unwrap_or_default();
                if memo.get("error").is_some() && !matches!(member, Member::Step { caught: true, .. }) {
                    return Next::Throw;
                }
                output.push(json!([member.name(), memo]));
            }
            continue;
        }
        if let Some(target) = target {
            return missing.iter().find(|member| member.name() == target).map_or(Next::Lost, |member| found(member));
        }
        return match missing.as_slice() {
            [only] if !must_plan => found(only),
            [only @ Member::Sleep { .. }] => found(only),
            _ => Next::Report(missing.iter().map(|member| announce(member)).collect()),
        };
    }
    if target.is_some() { Next::Lost } else { Next::Return(Value::Array(output)) }
}

fn found(member: &Member) -> Next {
    match member {
        Member::Step { name, throws, .. } => Next::Run { name: name.clone(), throws: *throws },
        Member::Sleep { .. } => Next::Report(vec![announce(member)]),
    }
}

fn announce(member: &Member) -> Value {
    match member {
        Member::Step { name, .. } => op(name, "StepPlanned", name),
        Member::Sleep { name, seconds } => op(name, "Sleep", &format!("{seconds}s")),
    }
}

/// An op with what every SDK sends.
#[must_use]
pub fn op(id: &str, op: &str, name: &str) -> Value {
    json!({"id": id, "op": op, "name": name, "displayName": id, "opts": {}})
}

/// The op of a step that returned `data`.
#[must_use]
pub fn ran(name: &str, data: &Value) -> Value {
    json!({"id": name, "op": "StepRun", "name": name, "displayName": name, "opts": {}, "data": data})
}

/// The op of a step that threw.
#[must_use]
pub fn threw(name: &str) -> Value {
    json!({"id": name, "op": "StepError", "name": name, "displayName": name,
           "error": {"name": "Error", "message": "as the program says", "stack": ""}})
}

/// The op of a function that returned.
#[must_use]
pub fn complete(output: &Value) -> Value {
    json!({"id": "complete", "op": "RunComplete", "data": output})
}
