//! Users: they sync the app, send events (some twice), cancel runs, and try again until they are told that it is done.

use crate::fault::Fault;
use crate::server::Asker;
use crate::world::{Thing, World};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use stepwell_engine::http::Response;

/// Within this time all events are sent.
const SENDING_MS: u64 = 120_000;
/// How long a user waits before trying again.
const AGAIN_MS: u64 = 1_500;

/// One thing that a user wants done.
#[derive(Clone, Debug)]
enum Task {
    /// The app announces itself.
    Sync(u64),
    /// An event, by the user's id.
    Send { id: String, name: String },
    /// Which runs did the event start?
    Runs { event: String },
    /// This run is to end.
    Cancel { run: String },
}

/// All users.
pub struct Users {
    /// Events that were answered with 200: the user's id, and the name.
    pub acknowledged: BTreeMap<String, String>,
    /// Runs that somebody tried to cancel.
    pub cancelled: BTreeSet<String>,
    tasks: Vec<(Task, bool)>,
    events: usize,
    restless: bool,
}

impl Users {
    /// Users who will send so many events; restless ones also send twice, and cancel.
    #[must_use]
    pub fn new(events: usize, restless: bool) -> Self {
        let tasks = vec![(Task::Sync(0), false)];
        Self { acknowledged: BTreeMap::new(), cancelled: BTreeSet::new(), tasks, events, restless }
    }

    /// Whether everything was done.
    #[must_use]
    pub fn are_done(&self) -> bool {
        self.tasks.iter().all(|(_, done)| *done)
    }
}

/// Does what the task wants.
pub fn act(world: &mut World, user: usize) {
    let Some((task, false)) = world.users.tasks.get(user).cloned() else { return };
    let (method, path, body) = match task {
        Task::Sync(edition) => ("POST", "/fn/register".to_owned(), world.app.registration(edition)),
        Task::Send { id, name } => {
            ("POST", "/e/key".to_owned(), json!({"id": id, "name": name, "data": {"of": id}}).to_string().into_bytes())
        }
        Task::Runs { event } => ("GET", format!("/v1/events/{event}/runs"), Vec::new()),
        Task::Cancel { run } => {
            world.users.cancelled.insert(run.clone());
            ("DELETE", format!("/v1/runs/{run}"), Vec::new())
        }
    };
    world.request(Asker::User(user), method, &path, body);
}

/// Hears what came of it; what failed is tried again.
pub fn heard(world: &mut World, user: usize, response: Option<Response>) {
    let response = response.filter(|response| response.status < 500);
    let Some((task, done)) = world.users.tasks.get_mut(user) else { return };
    let Some(response) = response else {
        if !*done {
            world.after(AGAIN_MS, Thing::User(user));
        }
        return;
    };
    *done = true;
    let task = task.clone();
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match task {
        Task::Sync(0) if response.status == 200 => plan(world),
        Task::Send { id, name } if response.status == 200 => {
            world.users.acknowledged.insert(id, name);
            let event = body["ids"][0].as_str().unwrap_or_default().to_owned();
            if world.users.restless && world.dice.chance(150) {
                let ms = world.dice.below(SENDING_MS);
                add(world, ms, Task::Runs { event });
            }
            if world.strikes(Fault::Redeploy) {
                let edition = world.fresh();
                add(world, 0, Task::Sync(edition));
            }
        }
        Task::Runs { .. } => {
            let runs: Vec<String> = body["data"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|run| Some(run["run_id"].as_str()?.to_owned()))
                .collect();
            for run in runs {
                let ms = world.dice.below(AGAIN_MS);
                add(world, ms, Task::Cancel { run });
            }
        }
        _ => {}
    }
}

/// The app is known: from now on events are sent.
fn plan(world: &mut World) {
    let names: Vec<String> = world.app.programs.iter().flat_map(|program| program.triggers.clone()).collect();
    for number in 0..world.users.events {
        let place = world.dice.below(u64::try_from(names.len()).unwrap_or(0));
        let name = usize::try_from(place).ok().and_then(|place| names.get(place)).cloned().unwrap_or_default();
        let send = Task::Send { id: format!("e{number}"), name };
        let ms = world.dice.below(SENDING_MS);
        if world.users.restless && world.dice.chance(200) {
            let again = ms.saturating_add(world.dice.below(AGAIN_MS));
            add(world, again, send.clone());
        }
        add(world, ms, send);
    }
}

fn add(world: &mut World, ms: u64, task: Task) {
    world.users.tasks.push((task, false));
    let user = world.users.tasks.len().saturating_sub(1);
    world.after(ms, Thing::User(user));
}
