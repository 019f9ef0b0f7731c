//! Time, where nobody is there to keep it: whoever comes by looks at what is due.

use super::turn::{Job, send};
use super::{Event, anyone, forget, ledger, vanish};
use crate::fault::Fault;
use crate::invariant::Violation;
use crate::world::World;
use crate::world::agenda::{LATE_MS_MAX, Thing};
use stepwell_engine::turn::{Address, Message};
use stepwell_ledger::Alarm;

/// How often a tick comes from outside.
const TICK_MS: u64 = 15_000;
/// How often requests look in passing.
const PASSING_MS: u64 = 1_000;
/// How long whoever claimed an alarm has for it.
pub(super) const CLAIM_MS: u64 = 30_000;
/// Alarms that one tick claims.
const CLAIMED_MAX: usize = 32;

/// What is in the index. A claim is no alarm: whoever has seen to it removes it, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// Somebody is to be rung.
    Alarm,
    /// Somebody is at it until then.
    Claim,
}

/// Sees to it that an actor is rung at `at` or soon after.
pub(super) fn set(world: &mut World, of: &Address, at: u64) {
    world.home.kv.due.insert((at, of.clone(), Entry::Alarm));
    come(world);
}

/// Sees to it that ticks come: a tick when nothing is due does nothing, so those before the first alarm are left out.
fn come(world: &mut World) {
    let Some(first) = world.home.kv.due.first().map(|(at, ..)| *at) else { return };
    let first = world.true_moment(first).max(world.now.saturating_add(1));
    // Those from outside come at their own times.
    let at = first.div_ceil(TICK_MS).saturating_mul(TICK_MS);
    if world.home.kv.tick_at.is_some_and(|held| held > world.now && held <= at) {
        return;
    }
    world.home.kv.tick_at = Some(at);
    world.after(at.saturating_sub(world.now), Thing::Kv(Event::Tick));
}

/// A request looks for what is due, and whoever has made a wake known keeps a timer for it.
pub(super) fn in_passing(world: &mut World) {
    world.after(PASSING_MS, Thing::Kv(Event::Tick));
}

/// Sees to whatever is due.
pub(super) fn tick(world: &mut World) -> Result<(), Violation> {
    world.home.kv.tick_at = world.home.kv.tick_at.filter(|at| *at > world.now);
    if world.strikes(Fault::AlarmLost) {
        come(world);
        return Ok(());
    }
    if world.strikes(Fault::AlarmLate) {
        let late = world.dice.below(LATE_MS_MAX);
        world.after(late, Thing::Kv(Event::Tick));
    }
    let times = if world.strikes(Fault::AlarmTwice) { 2 } else { 1 };
    for _ in 0..times {
        let seat = anyone(world);
        let now = world.clock();
        let due: Vec<_> =
            world.home.kv.due.iter().take_while(|(at, ..)| *at <= now).take(CLAIMED_MAX).cloned().collect();
        for alarm in due {
            // Until the end of the claim nobody else rings there.
            let claim = (now.saturating_add(CLAIM_MS), alarm.1.clone(), Entry::Claim);
            world.home.kv.due.remove(&alarm);
            world.home.kv.due.insert(claim.clone());
            if world.point() {
                vanish(world, seat, "between a claim and its alarm");
                break;
            }
            // One that the document does not name may belong to a commit that is on its way: the claim rings once more.
            let named = world.home.cells.get(&alarm.1).and_then(|cell| cell.alarm);
            let is_settled = alarm.2 == Entry::Claim || named == Some(alarm.0);
            if ring(world, seat, &alarm.1)? && is_settled {
                world.home.kv.due.remove(&claim);
            }
        }
    }
    if world.strikes(Fault::AlarmEarly) {
        let early = world.dice.below(TICK_MS);
        world.after(early, Thing::Kv(Event::Tick));
    }
    come(world);
    Ok(())
}

/// The alarm of an actor goes off; whether it was seen to.
fn ring(world: &mut World, seat: u64, at: &Address) -> Result<bool, Violation> {
    let Some(mut cell) = world.home.cells.get(at).cloned() else { return Ok(true) };
    let mut ledger = ledger(world, seat, at, &cell)?;
    let rung = ledger.ring(world.clock(), &super::policy());
    if world.strikes(Fault::StorageRefuses) {
        return Ok(false);
    }
    let had_alarm = cell.alarm.take().is_some();
    if let Alarm::Set(next) = rung.alarm {
        set(world, at, next);
        cell.alarm = Some(next);
    }
    if ledger.is_at_rest() {
        cell.alarm = None;
    }
    // What a document says of its alarm must be true whatever clocks say: a ring writes it each time.
    if rung.writes.is_some() || rung.alarm != Alarm::Keep || had_alarm {
        forget(world, seat, at);
        if let Some(writes) = rung.writes {
            cell.keep(writes);
        }
        cell.version = cell.version.saturating_add(1);
        world.home.cells.insert(at.clone(), cell);
    }
    if world.point() {
        vanish(world, seat, "by an alarm");
        return Ok(false);
    }
    for letter in rung.letters {
        send(world, seat, at, &letter);
    }
    if !rung.due.lost.is_empty() {
        world.watch.disturb(&at.key);
        world.after(0, Thing::Kv(Event::Work(seat, Job::new(at.clone(), Message::Lost(rung.due.lost)))));
    }
    if rung.due.resume {
        world.watch.disturb(&at.key);
        world.after(0, Thing::Kv(Event::Work(seat, Job::new(at.clone(), Message::Resume))));
    }
    if rung.due.wake {
        world.after(0, Thing::Kv(Event::Work(seat, Job::new(at.clone(), Message::Wake))));
    }
    Ok(true)
}
