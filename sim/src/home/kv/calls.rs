//! Calls to apps: made by an instance, under a lease that it renews for as long as they take.

use super::super::Seat;
use super::turn::Job;
use super::{Event, anyone, ledger};
use crate::app::request::Sent;
use crate::fault::Fault;
use crate::invariant::Violation;
use crate::world::World;
use crate::world::agenda::Thing;
use stepwell_engine::turn::{Address, AppCall, CallOutcome, Message};

/// How long a caller waits before it hands an answer over again.
const HAND_OVER_AGAIN_MS: u64 = 1_000;
/// How often it tries; then the lease is left to run out.
const HAND_OVERS_MAX: u32 = 8;

/// An instance makes a call, and says now and then that it is under way.
pub(super) fn begin(world: &mut World, seat: Seat, from: &Address, call: AppCall) -> Result<(), Violation> {
    let id = call.id.clone();
    let sent = world.call(seat, from, call, seat)?;
    world.home.kv.callers.insert(id.clone(), sent);
    if world.call_fails(&from.key, sent, Fault::CallerGone) {
        world.home.kv.callers.remove(&id);
        return Ok(());
    }
    world.after(super::policy().renew_ms, Thing::Kv(Event::Renew(from.clone(), id)));
    Ok(())
}

pub(super) fn renew(world: &mut World, from: &Address, call: String) -> Result<(), Violation> {
    let Some(Sent { life: seat, .. }) = world.home.kv.callers.get(&call).copied() else { return Ok(()) };
    let Some(mut cell) = world.home.cells.get(from).cloned() else { return Ok(()) };
    let mut ledger = ledger(world, seat, from, &cell)?;
    match ledger.renew([call.as_str()], world.clock(), &super::policy()) {
        Some(writes) => {
            super::forget(world, seat, from);
            cell.keep(writes);
            cell.version = cell.version.saturating_add(1);
            world.home.cells.insert(from.clone(), cell);
            world.after(super::policy().renew_ms, Thing::Kv(Event::Renew(from.clone(), call)));
        }
        // It counts as lost: its caller stops it.
        None => drop(world.home.kv.callers.remove(&call)),
    }
    Ok(())
}

/// What came of a call reaches its caller, if there still is one, which hands it over.
///
/// # Errors
/// A promise is broken.
pub fn answered(world: &mut World, to: &Address, sent: Sent, outcome: CallOutcome) -> Result<(), Violation> {
    if world.home.kv.callers.get(&outcome.id).is_none_or(|caller| caller.number != sent.number) {
        return Ok(());
    }
    let seat = anyone(world);
    // The app is done with it. Whether another attempt follows is for the run to decide.
    world.calls.end(&outcome.id);
    let job = Job { answer: Some((sent, 1)), ..Job::new(to.clone(), Message::Answered(outcome)) };
    world.after(0, Thing::Kv(Event::Work(seat, job)));
    Ok(())
}

/// It was not taken in, as far as the caller knows.
pub(super) fn hand_over_again(world: &mut World, job: Job) {
    let (Some((sent, tries)), Message::Answered(outcome)) = (job.answer, &job.message) else { return };
    let is_there = world.home.kv.callers.get(&outcome.id).is_some_and(|caller| caller.number == sent.number);
    if !is_there {
        return;
    }
    if tries >= HAND_OVERS_MAX {
        world.watch.disturb(&job.to.key);
        world.home.kv.callers.remove(&outcome.id);
        return;
    }
    let seat = anyone(world);
    let job = Job { answer: Some((sent, tries.saturating_add(1))), ..job };
    world.after(HAND_OVER_AGAIN_MS, Thing::Kv(Event::Work(seat, job)));
}
