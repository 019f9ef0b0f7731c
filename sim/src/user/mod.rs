//! Users: they sync the app, send events (some twice, some in batches, some with a seed), send nonsense, cancel runs, look
//! at what there is, and try again until they are told that it is done.

mod heard;
mod look;
mod nonsense;
mod plan;

pub use heard::heard;
pub use look::look_back;

use crate::dice::{Dice, Purpose};
use crate::server::Asker;
use crate::world::World;
use crate::world::agenda::Thing;
use std::collections::BTreeSet;

/// How long a user waits before trying again.
const AGAIN_MS: u64 = 1_500;

/// One thing that a user wants done.
#[derive(Clone, Debug)]
enum Task {
    /// The app, as it is deployed now, announces itself.
    Sync,
    /// Events, in one request.
    Send {
        /// Their own names, and what they are called.
        events: Vec<(String, String)>,
        /// The time of the first, where that is in the future.
        not_before: Option<u64>,
        /// The seed of their ids, instead of ids of their own (PROTOCOL §8.5).
        seed: Option<String>,
    },
    /// A request that must be refused.
    Nonsense(usize),
    /// Which runs did the event start?
    Runs { event: String },
    /// This run is to end.
    Cancel { run: String },
    /// Something is looked at, and nothing is made of it.
    Look(String),
    /// At the end: a page of the list of runs.
    Page { cursor: Option<String> },
    /// At the end: one run.
    Inspect { run: String },
}

/// All users.
pub struct Users {
    /// Runs that somebody tried to cancel.
    pub cancelled: BTreeSet<String>,
    dice: Dice,
    tasks: Vec<(Task, bool)>,
    events: usize,
    is_restless: bool,
    is_syncing: bool,
    looked_back: bool,
    listed: BTreeSet<String>,
}

impl Users {
    /// Users who will send so many events; restless ones also do all the rest.
    #[must_use]
    pub fn new(seed: u64, events: usize, is_restless: bool) -> Self {
        Self {
            cancelled: BTreeSet::new(),
            dice: Dice::new(seed, Purpose::Users),
            tasks: vec![(Task::Sync, false)],
            events,
            is_restless,
            is_syncing: true,
            looked_back: false,
            listed: BTreeSet::new(),
        }
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
    let mut headers = Vec::new();
    let (method, path, body) = match task {
        Task::Sync => ("POST", "/fn/register".to_owned(), world.app.registration()),
        Task::Send { events, not_before, seed } => {
            headers.extend(seed.map(|seed| ("x-inngest-event-id-seed", seed)));
            let is_seeded = !headers.is_empty();
            let one = |(own, name): &(String, String)| {
                let event = world.watch.sends(own, name, not_before);
                // With a seed the server makes the ids, the same ones each time.
                if is_seeded { event.replacen(&format!("\"id\":\"{own}\","), "", 1) } else { event }
            };
            let events: Vec<String> = events.iter().map(one).collect();
            let body = if let [one] = events.as_slice() { one.clone() } else { format!("[{}]", events.join(",")) };
            ("POST", "/e/key".to_owned(), body.into_bytes())
        }
        Task::Nonsense(which) => nonsense::request(which),
        Task::Runs { event } => ("GET", format!("/v1/events/{event}/runs"), Vec::new()),
        Task::Cancel { run } => {
            world.users.cancelled.insert(run.clone());
            ("DELETE", format!("/v1/runs/{run}"), Vec::new())
        }
        Task::Look(path) => ("GET", path, Vec::new()),
        Task::Page { cursor } => ("GET", look::page(cursor.as_deref()), Vec::new()),
        Task::Inspect { run } => ("GET", format!("/v1/runs/{run}"), Vec::new()),
    };
    world.request(Asker::User(user), method, &path, &headers, body);
}

fn add(world: &mut World, ms: u64, task: Task) {
    world.users.tasks.push((task, false));
    let user = world.users.tasks.len().saturating_sub(1);
    world.after(ms, Thing::User(user));
}
