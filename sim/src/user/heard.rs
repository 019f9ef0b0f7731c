//! What users make of a response; what failed is tried again.

use super::plan::SENDING_MS;
use super::{AGAIN_MS, Task, add, look, plan};
use crate::fault::Fault;
use crate::invariant::{Invariant, Violation, require};
use crate::world::World;
use crate::world::agenda::Thing;
use serde_json::Value;
use stepwell_engine::http::Response;

/// So many of a thousand runs that run again are to do so once more.
const AGAIN_PERMILLE: u64 = 150;

/// Hears what came of a task.
///
/// # Errors
/// A promise is broken.
pub fn heard(world: &mut World, user: usize, response: Option<Response>) -> Result<(), Violation> {
    let response = response.filter(|response| response.status < 500);
    let Some((task, done)) = world.users.tasks.get_mut(user) else { return Ok(()) };
    let Some(response) = response else {
        if !*done {
            world.after(AGAIN_MS, Thing::User(user));
        }
        return Ok(());
    };
    if std::mem::replace(done, true) {
        return Ok(());
    }
    let task = task.clone();
    let status = response.status;
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if status >= 400 {
        says_why(&task, status, &body)?;
    }
    match task {
        Task::Sync if status == 200 => {
            let is_first = world.app.deployed.edition == 0;
            world.watch.synced(&world.app.deployed);
            world.users.is_syncing = false;
            if is_first {
                plan::make(world);
            }
        }
        Task::Send { events, .. } if status == 200 => {
            for (own, _) in &events {
                world.acknowledged(own)?;
            }
            let event = body["ids"][0].as_str().unwrap_or_default().to_owned();
            after_sending(world, event);
        }
        Task::Nonsense(_) | Task::Stranger(_) => {
            require((400..500).contains(&status), Invariant::RefusedMeansNothing, || {
                format!("{task:?} was answered with {status} {body}")
            })?;
        }
        Task::Cancel { run } if status == 200 => {
            let ended = world.watch.runs().get(&run).is_some_and(|seen| seen.ended.is_some());
            require(ended, Invariant::CancelledRunsStop, || format!("{run} was cancelled and has not ended"))?;
        }
        Task::CancelMany { .. } if status == 200 => {
            let id = body["data"]["id"].as_str().unwrap_or_default();
            let is_kept = world.home.cells.values().any(|cell| cell.rows.contains_key(&format!("cancel/{id}")));
            require(is_kept, Invariant::DurableBeforeVisible, || format!("the cancellation {id} is not stored"))?;
        }
        Task::Runs { .. } => {
            let runs = body["data"].as_array().into_iter().flatten();
            let runs: Vec<String> = runs.filter_map(|run| Some(run["run_id"].as_str()?.to_owned())).collect();
            for run in runs {
                if world.users.dice.chance(500) {
                    plan::run_again(world, run);
                } else {
                    let ms = world.users.dice.below(AGAIN_MS);
                    add(world, ms, Task::Cancel { run });
                }
            }
        }
        Task::Rerun(wish) if status == 200 => {
            let run = body["data"]["run_id"].as_str().unwrap_or_default().to_owned();
            world.watch.rerun_is_told(wish, &run);
            if world.users.is_restless && world.users.dice.chance(AGAIN_PERMILLE) {
                plan::run_again(world, run);
            }
        }
        Task::Rerun(wish) => world.watch.rerun_is_refused(&wish, body["code"].as_str().unwrap_or_default())?,
        Task::Page { .. } => look::listed(world, &body)?,
        Task::Inspect { run } => look::inspected(world, &run, &body)?,
        _ => {}
    }
    Ok(())
}

fn says_why(task: &Task, status: u16, body: &Value) -> Result<(), Violation> {
    let text = |name: &str| body[name].as_str().is_some_and(|text| !text.is_empty());
    require(text("error") && text("code"), Invariant::RefusalsSayWhy, || {
        format!("{task:?} was refused with {status} {body}")
    })
}

/// Some look what their event has started, and cancel it; and now and then the app is deployed anew.
fn after_sending(world: &mut World, event: String) {
    if world.users.is_restless && world.users.dice.chance(150) {
        let ms = world.users.dice.below(SENDING_MS);
        add(world, ms, Task::Runs { event });
    }
    // One deployment at a time.
    if !world.users.is_syncing && world.strikes(Fault::Redeploy) {
        world.app.deployed = world.app.deployed.next(&world.app.programs, &mut world.users.dice);
        world.watch.deployed(&world.app.deployed);
        world.users.is_syncing = true;
        add(world, 0, Task::Sync);
    }
}

impl World {
    /// An event was acknowledged to whoever sent it.
    ///
    /// # Errors
    /// It is not in the store.
    pub fn acknowledged(&mut self, own: &str) -> Result<(), Violation> {
        self.watch.acknowledged(own, &self.home)
    }
}
