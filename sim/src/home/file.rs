//! The home of one file: a batch of messages, and all that they send each other, in one transaction; then the effects.

use super::Cell;
use crate::fault::Fault;
use crate::invariant::{Invariant, Violation};
use crate::world::{Thing, World};
use std::collections::BTreeMap;
use stepwell_engine::catalog::Catalog;
use stepwell_engine::turn::{Address, Effect, Message};

/// Messages of one transaction.
const BATCH_MAX: u64 = 8;
/// How long a process takes to come back.
const RESTART_MS: u64 = 50;
/// How long a refused message waits.
const RETRY_MS: u64 = 1_000;

/// Why a transaction came to nothing.
enum Ended {
    /// The process died.
    Crashed,
    /// The storage refused.
    Refused,
}

/// Takes some messages in.
///
/// # Errors
/// A promise is broken.
pub fn drain(world: &mut World) -> Result<(), Violation> {
    let count = world.dice.between(1, BATCH_MAX);
    let mut batch = Vec::new();
    for _ in 0..count {
        let Some(message) = world.home.inbox.pop_front() else { break };
        batch.push(message);
    }
    if !world.home.inbox.is_empty() {
        world.after(0, Thing::Drain(world.home.life));
    }
    transact(world, batch)
}

fn transact(world: &mut World, batch: Vec<(Address, Message)>) -> Result<(), Violation> {
    let mut touched: BTreeMap<Address, Cell> = BTreeMap::new();
    let mut held = Vec::new();
    let before = world.home.catalog.clone();
    let ended = decide(world, &batch, &mut touched, &mut held)?;
    match ended {
        Some(Ended::Crashed) => {
            crash(world);
            return Ok(());
        }
        Some(Ended::Refused) => {
            world.say("the storage refuses; nothing of the transaction stays");
            world.home.hot.clear();
            world.home.catalog = before;
            if matches!(batch.as_slice(), [(_, Message::Resume)]) {
                // Without its catalog a process does not begin.
                crash(world);
                return Ok(());
            }
            for (to, message) in batch {
                refused(world, to, message);
            }
            return Ok(());
        }
        None => {}
    }
    let rows: Vec<_> = touched.keys().cloned().collect();
    for (address, cell) in touched {
        world.home.lost.remove(&address);
        world.commit(&address, cell)?;
    }
    for address in rows {
        world.arm(&address);
    }
    if world.point() {
        crash(world);
        return Ok(());
    }
    for (from, effect) in held {
        perform(world, &from, effect)?;
        if world.point() {
            crash(world);
            return Ok(());
        }
    }
    Ok(())
}

fn decide(
    world: &mut World,
    batch: &[(Address, Message)],
    touched: &mut BTreeMap<Address, Cell>,
    held: &mut Vec<(Address, Effect)>,
) -> Result<Option<Ended>, Violation> {
    let mut queue: std::collections::VecDeque<_> = batch.iter().cloned().collect();
    while let Some((to, message)) = queue.pop_front() {
        let is_lost = world.home.lost.contains(&to) && !touched.contains_key(&to);
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
            return Ok(Some(Ended::Crashed));
        }
        let mut cell = touched.get(&to).or_else(|| world.home.cells.get(&to)).cloned().unwrap_or_default();
        let done = world.turn(&to, &message, &cell)?;
        cell.take_over(&done);
        touched.insert(to.clone(), cell);
        for effect in done.effects {
            match effect {
                Effect::Send { to, body } => queue.push_back((to, Message::Tell(body))),
                Effect::Install { snapshot, .. } => install(world, &snapshot)?,
                other => held.push((to.clone(), other)),
            }
        }
    }
    if world.point() {
        return Ok(Some(Ended::Crashed));
    }
    Ok(world.strikes(Fault::StorageRefuses).then_some(Ended::Refused))
}

fn install(world: &mut World, snapshot: &[u8]) -> Result<(), Violation> {
    let catalog = Catalog::decode(snapshot);
    let catalog = catalog.map_err(|fault| Violation { invariant: Invariant::NoFault, what: fault.to_string() })?;
    world.home.catalog = catalog.into();
    Ok(())
}

fn perform(world: &mut World, from: &Address, effect: Effect) -> Result<(), Violation> {
    match effect {
        Effect::Call(call) => {
            if world.home.in_flight.insert(call.id.clone()) {
                return world.call(from, call);
            }
            Ok(())
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

/// A message whose transaction was refused: whoever asked is told so, the rest comes again.
fn refused(world: &mut World, to: Address, message: Message) {
    match message {
        Message::Ask { token, .. } => world.replied(token, None),
        // As the host does it: the answer is lost, and the run is asked again for its calls.
        Message::Answered(_) | Message::Wake => {
            let life = world.home.life;
            world.after(RETRY_MS, Thing::Queue(life, to, Message::Wake));
        }
        other => {
            let life = world.home.life;
            world.after(RETRY_MS, Thing::Queue(life, to, other));
        }
    }
}

/// The process dies and comes back with what the file holds.
pub fn crash(world: &mut World) {
    world.say("the process dies");
    world.home.life = world.home.life.saturating_add(1);
    world.home.is_up = false;
    world.home.hot.clear();
    world.home.inbox.clear();
    world.home.lost.clear();
    world.home.in_flight.clear();
    world.lose_exchanges();
    // What was not durable of the catalog is gone as well: the catalog actor installs it anew.
    world.home.catalog = std::sync::Arc::default();
    let life = world.home.life;
    world.after(RESTART_MS, Thing::Restart(life));
}

/// Brings the catalog back, resumes who owes, and sets the timers of the others.
///
/// # Errors
/// A promise is broken.
pub fn restart(world: &mut World) -> Result<(), Violation> {
    world.say("the process is back");
    let life = world.home.life;
    transact(world, vec![(Address::catalog(), Message::Resume)])?;
    if life != world.home.life {
        return Ok(());
    }
    world.home.is_up = true;
    let all: Vec<_> = world.home.cells.iter().map(|(address, cell)| (address.clone(), cell.owing)).collect();
    for (address, owing) in all {
        if owing {
            world.home.lost.insert(address.clone());
            world.queue(address, Message::Resume);
        } else {
            world.arm(&address);
        }
    }
    Ok(())
}

/// The kind of a message, for stories.
#[must_use]
pub const fn kind(message: &Message) -> &'static str {
    match message {
        Message::Tell(_) => "tell",
        Message::Ask { .. } => "ask",
        Message::Answered(_) => "answered",
        Message::Wake => "wake",
        Message::Resume => "resume",
        Message::Lost(_) => "lost",
    }
}
