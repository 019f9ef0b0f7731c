//! The home of one object per actor: a turn commits its rows, its outgoing messages and the leases of its calls together;
//! messages and alarms come at least once, in any order; objects are evicted at any moment; calls are made elsewhere.

use crate::fault::Fault;
use crate::invariant::{Invariant, Violation};
use crate::world::{Thing, World};
use stepwell_engine::catalog::Catalog;
use stepwell_engine::turn::{Address, Effect, Message};

/// After this a call is given up for lost: longer than any call may take.
pub const LEASE_MS: u64 = 3 * 3_600_000;
/// How long after it was sent a message that nobody confirmed is sent again.
const RESEND_MS: u64 = 5_000;

/// Delivers `message`; `sent` names the message in its sender's outbox.
///
/// # Errors
/// A promise is broken.
pub fn deliver(
    world: &mut World,
    to: &Address,
    message: Message,
    sent: Option<(Address, u64)>,
) -> Result<(), Violation> {
    let token = if let Message::Ask { token, .. } = &message { Some(*token) } else { None };
    let lost = |world: &mut World, why: &str| {
        world.say(&format!("{to:?} is evicted {why}"));
        world.home.hot.remove(to);
        if let Some(token) = token {
            world.replied(token, None);
        }
    };
    if world.point() {
        lost(world, "before its turn");
        return Ok(());
    }
    let mut cell = world.home.cells.get(to).cloned().unwrap_or_default();
    if let Message::Answered(outcome) = &message {
        cell.leases.remove(&outcome.id);
    }
    let done = world.turn(to, &message, &cell)?;
    cell.take_over(&done);
    let until = world.now.saturating_add(LEASE_MS);
    let (mut calls, mut others, mut sends, mut snapshot) = (Vec::new(), Vec::new(), Vec::new(), None);
    for effect in done.effects {
        match effect {
            Effect::Send { to, body } => {
                sends.push(cell.next_out);
                cell.outbox.insert(cell.next_out, (to, body));
                cell.next_out = cell.next_out.saturating_add(1);
            }
            Effect::Call(call) => {
                if cell.leases.insert(call.id.clone(), until).is_none() {
                    calls.push(call);
                }
            }
            Effect::Install { snapshot: bytes, .. } => snapshot = Some(bytes),
            other => others.push(other),
        }
    }
    if world.strikes(Fault::StorageRefuses) {
        lost(world, "because the storage refuses");
        return Ok(());
    }
    world.commit(to, cell)?;
    if let Some(bytes) = snapshot {
        let catalog = Catalog::decode(&bytes);
        let catalog = catalog.map_err(|fault| Violation { invariant: Invariant::NoFault, what: fault.to_string() })?;
        world.home.catalog = catalog.into();
    }
    world.arm(to);
    // The alarm covers the outbox: what is not sent in the next moment is sent then.
    for number in &sends {
        world.after(RESEND_MS, Thing::Resend(to.clone(), *number));
    }
    if let Some((from, number)) = sent
        && !world.strikes(Fault::AckLost)
    {
        world.travels(Thing::Confirm(from, number));
    }
    if world.point() {
        lost(world, "after its commit");
        return Ok(());
    }
    for number in sends {
        send(world, to, number);
    }
    for effect in others {
        if let Effect::Reply { token, body } = effect {
            world.replied(token, Some(body));
        } else {
            world.strikes(Fault::NewsLost);
        }
        if world.point() {
            lost(world, "between two effects");
            return Ok(());
        }
    }
    for call in calls {
        world.call(to, call)?;
        if world.point() {
            world.home.hot.remove(to);
            return Ok(());
        }
    }
    Ok(())
}

/// Sends a message again unless somebody confirmed it, and sees to it that it is sent once more.
pub fn resend(world: &mut World, from: &Address, number: u64) {
    if world.home.cells.get(from).is_some_and(|cell| cell.outbox.contains_key(&number)) {
        world.after(RESEND_MS, Thing::Resend(from.clone(), number));
        send(world, from, number);
    }
}

/// Sends a message of the outbox on its way.
fn send(world: &mut World, from: &Address, number: u64) {
    if world.strikes(Fault::MessageLost) {
        return;
    }
    if world.strikes(Fault::MessageTwice) {
        world.travels(Thing::Carry(from.clone(), number));
    }
    world.travels(Thing::Carry(from.clone(), number));
}

/// A message arrives.
///
/// # Errors
/// A promise is broken.
pub fn carry(world: &mut World, from: &Address, number: u64) -> Result<(), Violation> {
    // It was under way already when its sender heard that another copy of it had arrived.
    let held = world.home.cells.get(from).and_then(|cell| cell.outbox.get(&number)).cloned();
    let Some((to, body)) = held else { return Ok(()) };
    deliver(world, &to, Message::Tell(body), Some((from.clone(), number)))
}

/// The alarm of an object.
///
/// # Errors
/// A promise is broken.
pub fn alarm(world: &mut World, at: &Address) -> Result<(), Violation> {
    let now = world.now;
    // It comes again unless a commit sets another.
    world.arm_after(at, RESEND_MS);
    let Some(cell) = world.home.cells.get_mut(at) else { return Ok(()) };
    let lost = cell.leases.values().any(|until| *until <= now);
    if lost {
        cell.leases.clear();
        return deliver(world, at, Message::Resume, None);
    }
    deliver(world, at, Message::Wake, None)
}
