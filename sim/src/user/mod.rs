//! Users: they sync the app, send events (some twice, some in batches, some with a seed) and signals, send nonsense, cancel
//! runs one by one and many at once, have some run again, look at what there is, and try again until they are told that it is done.

mod heard;
mod look;
mod nonsense;
mod plan;

pub use heard::heard;
pub use look::look_back;

use crate::dice::{Dice, Purpose};
use crate::invariant::reruns::Wish;
use crate::server::Asker;
use crate::world::agenda::Thing;
use crate::world::{EVENT_KEY, World};
use serde_json::json;
use std::collections::BTreeSet;
use stepwell_engine::ids::Millis;

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
        /// The number that conditions compare, where it is not the event's place that says it.
        k: Option<u64>,
    },
    /// A signal: its mark, and its name.
    Signal { mark: String, signal: String },
    /// Runs of a function are to end: those that began before now, and whose event has this number.
    CancelMany { function: String, k: Option<u64> },
    /// The n-th run is to end, once it is there.
    CancelNth(usize),
    /// A request without the key that it needs.
    Stranger(usize),
    /// A request that must be refused.
    Nonsense(usize),
    /// Which runs did the event start?
    Runs { event: String },
    /// This run is to end.
    Cancel { run: String },
    /// A run is to run again.
    Rerun(Wish),
    /// The n-th run is to run again, once it is there.
    RerunNth { place: usize, from: Option<&'static str>, input: Option<&'static str> },
    /// The app is deployed without schedules, once no other deployment is under way.
    Retire,
    /// Something is looked at, and nothing is made of it.
    Look(String),
    /// At the end: a page of the list of runs.
    Page { cursor: Option<String> },
    /// At the end: one run.
    Inspect { run: String },
}

/// What users do at a certain time after the app is known, in a world that is not random.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// They send an event of this name, with this number.
    Event(&'static str, u64),
    /// They send this signal.
    Signal(&'static str),
    /// They cancel the n-th run.
    Cancel(usize),
    /// They cancel all runs of this function that began before.
    CancelMany(&'static str),
    /// They deploy the app without schedules.
    Retire,
    /// They have the n-th run run again: from a step, perhaps with other arguments for it.
    Rerun(usize, Option<&'static str>, Option<&'static str>),
}

/// All users.
pub struct Users {
    dice: Dice,
    tasks: Vec<(Task, bool)>,
    events: usize,
    deeds: Vec<(u64, Deed)>,
    is_restless: bool,
    is_syncing: bool,
    looked_back: bool,
    listed: BTreeSet<String>,
}

impl Users {
    /// Users who will send so many events; restless ones also do all the rest.
    #[must_use]
    pub fn new(seed: u64, events: usize, is_restless: bool, deeds: Vec<(u64, Deed)>) -> Self {
        Self {
            dice: Dice::new(seed, Purpose::Users),
            tasks: vec![(Task::Sync, false)],
            events,
            deeds,
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
        Task::Send { events, not_before, seed, k } => {
            headers.extend(seed.map(|seed| ("x-inngest-event-id-seed", seed)));
            ("POST", format!("/e/{EVENT_KEY}"), written(world, &events, (not_before, k), !headers.is_empty()))
        }
        Task::Signal { mark, signal } => ("POST", "/v1/signals".to_owned(), world.watch.signals(&mark, &signal)),
        Task::CancelMany { function, k } => ("POST", "/v1/cancellations".to_owned(), cancellation(world, &function, k)),
        Task::Nonsense(which) => nonsense::request(which),
        Task::Stranger(which) => {
            let (method, path, body) = nonsense::of_stranger(which);
            world.request_with(Asker::User(user), method, &path, &[], body);
            return;
        }
        Task::Runs { event } => ("GET", format!("/v1/events/{event}/runs"), Vec::new()),
        Task::Cancel { run } => {
            world.watch.is_to_be_cancelled(&run);
            ("DELETE", format!("/v1/runs/{run}"), Vec::new())
        }
        Task::CancelNth(place) => {
            let Some(run) = world.watch.nth_run(place) else {
                world.after(AGAIN_MS, Thing::User(user));
                return;
            };
            world.watch.is_to_be_cancelled(&run);
            if let Some((task, _)) = world.users.tasks.get_mut(user) {
                *task = Task::Cancel { run: run.clone() };
            }
            ("DELETE", format!("/v1/runs/{run}"), Vec::new())
        }
        Task::Rerun(wish) => ("POST", format!("/v1/runs/{}/rerun", wish.run), wish.body()),
        Task::RerunNth { place, from, input } => {
            let Some(run) = world.watch.nth_run(place) else {
                world.after(AGAIN_MS, Thing::User(user));
                return;
            };
            let owned = |text: Option<&str>| text.map(ToOwned::to_owned);
            let wish = Wish { run, from: owned(from), input: owned(input) };
            if let Some((task, _)) = world.users.tasks.get_mut(user) {
                *task = Task::Rerun(wish.clone());
            }
            ("POST", format!("/v1/runs/{}/rerun", wish.run), wish.body())
        }
        Task::Retire if world.users.is_syncing => {
            world.after(AGAIN_MS, Thing::User(user));
            return;
        }
        Task::Retire => {
            world.app.deployed = world.app.deployed.retired();
            world.users.is_syncing = true;
            let now = world.clock();
            world.watch.schedules_end(now);
            if let Some((task, _)) = world.users.tasks.get_mut(user) {
                *task = Task::Sync;
            }
            ("POST", "/fn/register".to_owned(), world.app.registration())
        }
        Task::Look(path) => ("GET", path, Vec::new()),
        Task::Page { cursor } => ("GET", look::page(cursor.as_deref()), Vec::new()),
        Task::Inspect { run } => ("GET", format!("/v1/runs/{run}"), Vec::new()),
    };
    world.request(Asker::User(user), method, &path, &headers, body);
}

/// Events as a request carries them.
fn written(
    world: &mut World,
    events: &[(String, String)],
    (not_before, k): (Option<u64>, Option<u64>),
    is_seeded: bool,
) -> Vec<u8> {
    let one = |(own, name): &(String, String)| {
        let event = world.watch.sends(own, name, not_before, k);
        // With a seed the server makes the ids, the same ones each time.
        if is_seeded { event.replacen(&format!("\"id\":\"{own}\","), "", 1) } else { event }
    };
    let events: Vec<String> = events.iter().map(one).collect();
    if let [one] = events.as_slice() {
        one.clone().into_bytes()
    } else {
        format!("[{}]", events.join(",")).into_bytes()
    }
}

/// A bulk cancellation of what has begun by now.
fn cancellation(world: &World, function: &str, k: Option<u64>) -> Vec<u8> {
    let condition = k.map(|k| format!("event.data.k == {k}"));
    let before = Millis(world.clock()).rfc3339();
    json!({"app_id": "app", "function_id": function, "started_before": before, "if": condition})
        .to_string()
        .into_bytes()
}

fn add(world: &mut World, ms: u64, task: Task) {
    world.users.tasks.push((task, false));
    let user = world.users.tasks.len().saturating_sub(1);
    world.after(ms, Thing::User(user));
}
