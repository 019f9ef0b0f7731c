//! Runs that have just begun are guarded: whoever brought them their first letter stays with them for a moment.
//!
//! Most runs are over soon, and an alarm and news for the history that nobody would miss cost money. So the Worker that delivers a
//! run's first letter goes on with the run and does not confirm the letter; meanwhile the run's object sets no alarm, and keeps its
//! news for the history. If either of them vanishes, the letter comes again.

use super::{Alarm, Event};
use crate::home::read;
use crate::invariant::Violation;
use crate::world::World;
use crate::world::agenda::Thing;
use std::collections::BTreeMap;
use stepwell_engine::turn::{ActorKind, Address};
use stepwell_ledger::{Letter, Policy};

/// How long somebody stays with a run at most.
const GUARD_MS: u64 = 3_000;
/// Runs that are guarded at a time.
const GUARDED_MAX: usize = 3;

/// Who is guarded.
#[derive(Default)]
pub struct Guards {
    /// By whom, outside of the object.
    outside: BTreeMap<Address, Vec<Guard>>,
    /// In the object's memory: the alarm that is not set, and letters that wait.
    inside: BTreeMap<Address, Inside>,
}

/// Somebody who stays with an object.
struct Guard {
    /// The letter that is to be confirmed: from whom, and its number there.
    letter: (Address, u64),
    number: u64,
}

#[derive(Default)]
struct Inside {
    alarm: Option<u64>,
    late: Vec<Letter>,
}

impl Guards {
    /// Until when a letter that is sent for the `tries`-th time is to be delivered with a guard, if at all. Later than that it may have come again
    /// before, and been confirmed.
    pub(super) fn take_on(&self, to: &Address, tries: u32, now: u64) -> Option<u64> {
        let guards = to.kind == ActorKind::Run && tries == 1 && self.outside.len() < GUARDED_MAX;
        guards.then(|| now.saturating_add(GUARD_MS.min(Policy::default().resend_ms_min)))
    }

    /// The object sets no alarm from now on.
    pub(super) fn enter(&mut self, of: &Address) {
        self.inside.entry(of.clone()).or_default();
    }

    /// What is in the object's memory is gone.
    pub(super) fn forget(&mut self, of: &Address) {
        self.inside.remove(of);
    }

    /// Whoever guarded it is gone: the letter is not confirmed.
    pub(super) fn desert(&mut self, of: &Address) {
        self.outside.remove(of);
    }

    /// The alarm to set with a turn: none as long as the object is guarded, unless its actor wants to be woken.
    pub(super) fn alarm(&mut self, of: &Address, settled: Alarm, wakes: bool) -> Alarm {
        let Some(inside) = self.inside.get_mut(of) else { return settled };
        let own = if let Alarm::Set(at) = settled { Some(at) } else { None };
        let earliest = [inside.alarm, own].into_iter().flatten().min();
        if !wakes {
            inside.alarm = earliest;
            return Alarm::Keep;
        }
        inside.alarm = None;
        earliest.map_or(Alarm::Keep, Alarm::Set)
    }

    /// Once the alarm is set the object is guarded no longer.
    pub(super) fn leave_where_it_wakes(&mut self, of: &Address, wakes: bool) -> Vec<Letter> {
        if wakes { self.inside.remove(of).map(|inside| inside.late).unwrap_or_default() } else { Vec::new() }
    }

    /// What of these letters goes out now; and those that newer ones have made needless. As long as a guarded run goes on, news for
    /// the history waits.
    pub(super) fn share(&mut self, of: &Address, letters: Vec<Letter>, goes_on: bool) -> (Vec<Letter>, Vec<u64>) {
        let Some(inside) = self.inside.get_mut(of) else { return (letters, Vec::new()) };
        let is_news = |letter: &Letter| read(&letter.to).is_some_and(|to| to.kind == ActorKind::History);
        let (news, mut out): (Vec<Letter>, Vec<Letter>) = letters.into_iter().partition(is_news);
        let early = std::mem::take(&mut inside.late);
        let (needless, kept): (Vec<Letter>, Vec<Letter>) =
            early.into_iter().partition(|early| news.iter().any(|letter| letter.to == early.to));
        let held = kept.into_iter().chain(news);
        if goes_on {
            inside.late = held.collect();
        } else {
            out.extend(held);
        }
        (out, needless.iter().map(|letter| letter.number).collect())
    }
}

/// A guarded letter was taken in, by an object that still needs it: somebody stays with it.
pub(super) fn begin(world: &mut World, of: &Address, letter: (Address, u64)) {
    let number = world.fresh();
    world.home.objects.guards.outside.entry(of.clone()).or_default().push(Guard { letter, number });
    world.after(GUARD_MS, Thing::Objects(Event::GuardEnds(of.clone(), number)));
}

/// The object is safe without a guard, where `is_safe`: it has an alarm, or nothing is pending.
pub(super) fn is_safe(world: &mut World, of: &Address, goes_on: bool) -> bool {
    if !world.home.objects.guards.inside.contains_key(of) {
        return true;
    }
    let is_pending = world.home.objects.ledgers.get(of).is_some_and(|ledger| ledger.pending().is_some());
    if goes_on || is_pending {
        return false;
    }
    world.home.objects.guards.forget(of);
    // It believes in the alarm that was not set.
    world.home.objects.ledgers.remove(of);
    true
}

/// The guard of that number has waited long enough.
///
/// # Errors
/// A promise is broken.
pub(super) fn ends(world: &mut World, of: &Address, number: u64) -> Result<(), Violation> {
    let guards = world.home.objects.guards.outside.get(of);
    if guards.is_some_and(|guards| guards.iter().any(|guard| guard.number == number)) {
        end(world, of, true)?;
    }
    Ok(())
}

/// Whoever guards it does so no longer: the alarm is set (`release`), and the letter is confirmed.
///
/// # Errors
/// A promise is broken.
pub(super) fn end(world: &mut World, of: &Address, release: bool) -> Result<(), Violation> {
    let Some(guards) = world.home.objects.guards.outside.remove(of) else { return Ok(()) };
    if release {
        match world.home.objects.guards.inside.remove(of) {
            Some(Inside { alarm, late }) => {
                // Also where nothing is pending any more: the object believes that it is set.
                if let Some(at) = alarm {
                    super::set_own_alarm(world, of, at);
                }
                for letter in late {
                    super::send(world, of, &letter);
                }
            }
            // It was made anew since, and knows nothing of an alarm that was not set; the letter that would bring it back is confirmed
            // after this.
            None => super::set_pending(world, of)?,
        }
    }
    for Guard { letter: (from, number), .. } in guards {
        super::confirm(world, from, number);
    }
    Ok(())
}
