//! The home of one file: a batch of messages, and all that they send each other, in one transaction; then the effects.
//!
//! A transaction is all or none. While it is being synced nothing else happens in the process; if it dies then, the file
//! may hold the transaction or not, and none of its effects has left.

use super::{Cell, ONLY_SEAT};
use crate::app::request::Sent;
use crate::fault::Fault;
use crate::invariant::Violation;
use crate::trace::Tone;
use crate::world::World;
use crate::world::agenda::Thing;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use stepwell_engine::turn::{Address, CallOutcome, Effect, Message};

/// Messages of one transaction.
const BATCH_MAX: u64 = 8;
/// How long a sync takes.
const SYNC_MS_MAX: u64 = 3;
/// How long a process takes to come back.
const RESTART_MS: u64 = 50;
/// How long a refused message waits.
const RETRY_MS: u64 = 1_000;
/// How long until there is room for a call that found none.
const ROOM_MS: u64 = 200;

/// What happens in this home: all of it in one life of the process.
#[derive(Debug)]
pub enum Event {
    /// The process takes messages in.
    Drain(u64),
    /// A message for an actor.
    Queue(u64, Address, Message),
    /// An actor whose calls found no room is asked for them again: made anew from its rows, and woken.
    Again(u64, Address),
    /// The transaction is durable.
    Synced(u64),
    /// The process is back.
    Restart(u64),
}

/// The process.
pub struct Process {
    /// Counts its lives.
    pub life: u64,
    /// Whether it is there.
    pub is_up: bool,
    /// Messages that wait for a transaction.
    inbox: VecDeque<(Address, Message)>,
    /// Actors that are to be resumed before they hear anything else.
    lost: BTreeSet<Address>,
    /// Calls that it knows to be in flight.
    in_flight: BTreeSet<String>,
    /// The transaction that is being synced.
    syncing: Option<Transaction>,
}

impl Default for Process {
    fn default() -> Self {
        Self {
            life: 0,
            is_up: true,
            inbox: VecDeque::new(),
            lost: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            syncing: None,
        }
    }
}

/// What a transaction came to.
#[derive(Default)]
struct Transaction {
    batch: Vec<(Address, Message)>,
    touched: BTreeMap<Address, Cell>,
    effects: Vec<(Address, Effect)>,
}

/// Lets an event happen, unless it belongs to an earlier life.
///
/// # Errors
/// A promise is broken.
pub fn happen(world: &mut World, event: Event) -> Result<(), Violation> {
    let (Event::Drain(life)
    | Event::Queue(life, ..)
    | Event::Again(life, _)
    | Event::Synced(life)
    | Event::Restart(life)) = event;
    if life != world.home.file.life {
        return Ok(());
    }
    match event {
        Event::Drain(_) => drain(world),
        Event::Queue(_, to, message) => {
            queue(world, to, message);
            Ok(())
        }
        Event::Again(_, actor) => {
            world.home.hot.remove(&(ONLY_SEAT, actor.clone()));
            queue(world, actor, Message::Wake);
            Ok(())
        }
        Event::Synced(_) => synced(world),
        Event::Restart(_) => restart(world),
    }
}

/// Hands a message to an actor.
pub fn queue(world: &mut World, to: Address, message: Message) {
    // What reaches a process that is down is lost; it looks at its file when it is back.
    let process = &mut world.home.file;
    if !process.is_up {
        return;
    }
    process.inbox.push_back((to, message));
    if process.inbox.len() == 1 && process.syncing.is_none() {
        let life = process.life;
        world.after(1, Thing::File(Event::Drain(life)));
    }
}

/// An actor's timer goes off.
pub fn ring(world: &mut World, at: &Address) {
    queue(world, at.clone(), Message::Wake);
}

/// What came of a call reaches the process, if it is the one that made it.
pub fn answered(world: &mut World, to: &Address, sent: Sent, outcome: CallOutcome) {
    if sent.life == world.home.file.life {
        world.calls.end(&outcome.id);
        queue(world, to.clone(), Message::Answered(outcome));
    }
}

fn drain(world: &mut World) -> Result<(), Violation> {
    if world.home.file.syncing.is_some() {
        return Ok(());
    }
    let count = world.dice.between(1, BATCH_MAX);
    let mut batch = Vec::new();
    for _ in 0..count {
        let Some(message) = world.home.file.inbox.pop_front() else { break };
        batch.push(message);
    }
    if batch.is_empty() { Ok(()) } else { transact(world, batch) }
}

fn transact(world: &mut World, batch: Vec<(Address, Message)>) -> Result<(), Violation> {
    let mut transaction = Transaction { batch, ..Transaction::default() };
    let catalog = world.home.catalog.clone();
    if !decide(world, &mut transaction)? || world.point() {
        crash(world);
        return Ok(());
    }
    if world.strikes(Fault::StorageRefuses) {
        world.home.catalog = catalog;
        refused(world, transaction);
        return Ok(());
    }
    world.home.file.syncing = Some(transaction);
    let (life, ms) = (world.home.file.life, world.dice.below(SYNC_MS_MAX));
    world.after(ms, Thing::File(Event::Synced(life)));
    Ok(())
}

/// Has the actors decide; false where the process died meanwhile.
fn decide(world: &mut World, transaction: &mut Transaction) -> Result<bool, Violation> {
    let mut queue: VecDeque<_> = transaction.batch.iter().cloned().collect();
    while let Some((to, message)) = queue.pop_front() {
        let is_lost = world.home.file.lost.contains(&to) && !transaction.touched.contains_key(&to);
        if matches!(message, Message::Resume) && !is_lost && to != Address::catalog() {
            continue;
        }
        // Whatever reaches it first: before it hears it, it gives up what a crash may have left running out there.
        if is_lost && !matches!(message, Message::Resume) {
            queue.push_front((to.clone(), message));
            queue.push_front((to, Message::Resume));
            continue;
        }
        if world.point() {
            return Ok(false);
        }
        let held = transaction.touched.get(&to).or_else(|| world.home.cells.get(&to));
        let mut cell = held.cloned().unwrap_or_default();
        let done = world.turn(ONLY_SEAT, &to, &message, &cell)?;
        cell.take_over(&done);
        transaction.touched.insert(to.clone(), cell);
        for effect in done.effects {
            match effect {
                Effect::Send { to, body } => queue.push_back((to, Message::Tell(body))),
                Effect::Install { snapshot, .. } => world.home.install(&snapshot)?,
                other => transaction.effects.push((to.clone(), other)),
            }
        }
    }
    Ok(true)
}

/// The transaction is in the file. What it decided leaves.
fn synced(world: &mut World) -> Result<(), Violation> {
    let Some(transaction) = world.home.file.syncing.take() else { return Ok(()) };
    if world.point() {
        world.say(Tone::Fault, format_args!("the process dies in a sync that came to nothing"));
        crash(world);
        return Ok(());
    }
    let actors: Vec<_> = transaction.touched.keys().cloned().collect();
    for (address, cell) in transaction.touched {
        world.home.file.lost.remove(&address);
        world.commit(ONLY_SEAT, &address, cell)?;
    }
    if world.point() {
        world.say(Tone::Fault, format_args!("the process dies in a sync that was done"));
        crash(world);
        return Ok(());
    }
    for address in actors {
        let wake_at = world.home.cells.get(&address).and_then(|cell| cell.wake_at);
        world.set_alarm(&address, wake_at);
    }
    for (from, effect) in transaction.effects {
        perform(world, &from, effect)?;
        if world.point() {
            crash(world);
            return Ok(());
        }
    }
    // Only now: what an actor asked for in this transaction before it heard the answer is not asked for any more.
    for (_, message) in &transaction.batch {
        if let Message::Answered(outcome) = message {
            world.home.file.in_flight.remove(&outcome.id);
        }
    }
    if !world.home.file.is_up {
        begin(world);
    } else if !world.home.file.inbox.is_empty() {
        let life = world.home.file.life;
        world.after(0, Thing::File(Event::Drain(life)));
    }
    Ok(())
}

fn perform(world: &mut World, from: &Address, effect: Effect) -> Result<(), Violation> {
    match effect {
        Effect::Call(call) => {
            let life = world.home.file.life;
            if world.home.file.in_flight.contains(&call.id) {
                return Ok(());
            }
            if world.strikes(Fault::CallNoRoom) {
                world.say(Tone::Fault, format_args!("there is no room for {}", call.id));
                world.after(ROOM_MS, Thing::File(Event::Again(life, from.clone())));
                return Ok(());
            }
            world.home.file.in_flight.insert(call.id.clone());
            world.call(ONLY_SEAT, from, call, life).map(|_| ())
        }
        Effect::Reply { token, body } => {
            world.replied(token, Some(body));
            Ok(())
        }
        // Who watches asks again anyway: in these worlds nobody watches.
        Effect::Publish { .. } => {
            world.strikes(Fault::NewsLost);
            Ok(())
        }
        Effect::Send { .. } | Effect::Install { .. } => Ok(()),
    }
}

/// Nothing of the transaction stays: whoever asked is told so, the rest comes again.
fn refused(world: &mut World, transaction: Transaction) {
    world.say(Tone::Fault, format_args!("the storage refuses; nothing of the transaction stays"));
    world.home.hot.clear();
    if !world.home.file.is_up {
        // Without its catalog a process does not begin.
        crash(world);
        return;
    }
    let life = world.home.file.life;
    for (to, message) in transaction.batch {
        if let Message::Answered(outcome) = &message {
            world.home.file.in_flight.remove(&outcome.id);
        }
        match message {
            Message::Ask { token, .. } => world.replied(token, None),
            // As the host does it: the answer is lost, and the run is asked again for its calls.
            Message::Answered(_) | Message::Wake => {
                world.watch.disturb(&to.key);
                world.after(RETRY_MS, Thing::File(Event::Again(life, to)));
            }
            other => world.after(RETRY_MS, Thing::File(Event::Queue(life, to, other))),
        }
    }
    if !world.home.file.inbox.is_empty() {
        world.after(RETRY_MS, Thing::File(Event::Drain(life)));
    }
}

/// The process dies and comes back with what the file holds.
fn crash(world: &mut World) {
    world.say(Tone::Fault, format_args!("the process dies"));
    let life = world.home.file.life.saturating_add(1);
    world.home.file = Process { life, is_up: false, ..Process::default() };
    world.home.hot.clear();
    world.home.alarms.clear();
    world.calls.end_all();
    world.lose_requests();
    // What was not durable of the catalog is gone as well: the catalog actor installs it anew.
    world.home.catalog = std::sync::Arc::default();
    world.after(RESTART_MS, Thing::File(Event::Restart(life)));
}

/// Brings the catalog back: no other actor decides before it is there.
fn restart(world: &mut World) -> Result<(), Violation> {
    world.say(Tone::Home, format_args!("the process is back"));
    transact(world, vec![(Address::catalog(), Message::Resume)])
}

/// Resumes who owes, and sets the timers of the others.
fn begin(world: &mut World) {
    world.home.file.is_up = true;
    let all: Vec<_> =
        world.home.cells.iter().map(|(address, cell)| (address.clone(), cell.owing, cell.wake_at)).collect();
    for (address, owing, wake_at) in all {
        // What began with the catalog's own transaction is under way in this life: nothing of it was lost.
        let prefix = format!("{}/", address.key);
        let is_busy = world.home.file.in_flight.iter().any(|call| call.starts_with(&prefix));
        if owing && !is_busy {
            world.home.file.lost.insert(address.clone());
            queue(world, address, Message::Resume);
        } else {
            world.set_alarm(&address, wake_at);
        }
    }
}
