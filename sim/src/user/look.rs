//! At the end somebody looks back: what the API tells is what happened.

use super::{Task, add};
use crate::invariant::run::Ended;
use crate::invariant::{Invariant, Violation, require};
use crate::world::World;
use serde_json::Value;

/// Runs of one page: few, so that there are several.
const PAGE_RUNS: usize = 7;

/// Begins to look back, unless it was done: whether there is something to do.
pub fn look_back(world: &mut World) -> bool {
    if !world.users.is_restless || world.users.looked_back {
        return false;
    }
    world.users.looked_back = true;
    add(world, 0, Task::Page { cursor: None });
    true
}

pub(super) fn page(cursor: Option<&str>) -> String {
    let cursor = cursor.map_or_else(String::new, |cursor| format!("&cursor={cursor}"));
    format!("/v1/runs?limit={PAGE_RUNS}{cursor}")
}

/// A page of the list: every run on it is looked at; after the last page none is missing.
pub(super) fn listed(world: &mut World, body: &Value) -> Result<(), Violation> {
    for run in body["data"].as_array().into_iter().flatten() {
        let id = run["run_id"].as_str().unwrap_or_default().to_owned();
        is_true(world, &id, &run["status"], "listed")?;
        let is_new = world.users.listed.insert(id.clone());
        require(is_new, Invariant::ListsAreTrue, || format!("{id} is listed twice"))?;
        add(world, 0, Task::Inspect { run: id });
    }
    match body["metadata"]["next_cursor"].as_str().or_else(|| body["metadata"]["cursor"].as_str()) {
        Some(cursor) => add(world, 0, Task::Page { cursor: Some(cursor.to_owned()) }),
        None => {
            let runs = world.watch.runs().iter().filter(|(_, seen)| seen.rows > 0);
            let missing = runs.map(|(run, _)| run).find(|run| !world.users.listed.contains(*run));
            require(missing.is_none(), Invariant::ListsAreTrue, || format!("{missing:?} is not listed"))?;
        }
    }
    Ok(())
}

/// One run, as the API tells it.
pub(super) fn inspected(world: &World, run: &str, body: &Value) -> Result<(), Violation> {
    is_true(world, run, &body["data"]["status"], "told")?;
    let Some(Ended::Completed(output)) = world.watch.runs().get(run).and_then(|seen| seen.ended.as_ref()) else {
        return Ok(());
    };
    let output: Value = serde_json::from_str(output).unwrap_or_default();
    let told = &body["data"]["output"];
    require(*told == output, Invariant::ListsAreTrue, || format!("{run} returned {output} and is told as {told}"))
}

fn is_true(world: &World, run: &str, told: &Value, how: &str) -> Result<(), Violation> {
    let ended = world.watch.runs().get(run).and_then(|seen| seen.ended.as_ref());
    let status = match ended {
        Some(Ended::Completed(_)) => "Completed",
        Some(Ended::Failed) => "Failed",
        Some(Ended::Cancelled) => "Cancelled",
        Some(Ended::Skipped) => "Skipped",
        None => "Running",
    };
    require(told == status, Invariant::ListsAreTrue, || format!("{run} is {status} and is {how} as {told}"))
}
