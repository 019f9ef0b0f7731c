//! The home of one object per actor: a turn commits its rows and its ledger together; messages and alarms come at least
//! once, in any order; objects are evicted at any moment; calls are made elsewhere, by callers who hold a lease.
//!
//! What an object keeps beside the actor's rows, and decides without the engine, is the crate `stepwell-ledger`, which the
//! deployed homes run as well. Here is only what the platform does with it.

mod guard;

use super::{Cell, ONLY_SEAT};
use crate::app::request::Sent;
use crate::fault::Fault;
use crate::invariant::{Invariant, Violation, require};
use crate::trace::Tone;
use crate::world::World;
use crate::world::agenda::Thing;
use std::collections::{BTreeMap, BTreeSet};
use stepwell_engine::turn::{ActorKind, Address, AppCall, CallOutcome, Effect, Message};
use stepwell_ledger::{Alarm, Decided, Ledger, Letter, Policy, Settled};

/// After so long the platform lets an alarm go off again whose handler did not come to its end.
const ALARM_AGAIN_MS: u64 = 2_400;
/// How long a caller waits before it hands an answer over again.
const HAND_OVER_AGAIN_MS: u64 = 1_000;
/// How often it tries; then the lease is left to run out.
const HAND_OVERS_MAX: u32 = 8;

/// What happens in this home.
#[derive(Debug)]
pub enum Event {
    /// A message for an object; the letter that it came with, if it did.
    Deliver(Address, Message, Option<Sender>),
    /// The sender of a letter hears that it was taken in.
    Confirm(Address, u64),
    /// Whoever guards an object has waited long enough: the number of the guard.
    GuardEnds(Address, u64),
    /// A caller says that its call is under way.
    Renew(Address, String),
    /// A caller hands an answer over, for the n-th time.
    HandOver(Address, Sent, Box<CallOutcome>, u32),
}

/// Whom a letter is from.
#[derive(Clone, Debug)]
pub struct Sender {
    from: Address,
    /// Its number within the sender's ledger.
    number: u64,
    /// Whoever delivers it stays with the object, if it arrives before this moment.
    guards_until: Option<u64>,
}

/// What is in the memory of objects, besides actors.
#[derive(Default)]
pub struct Memory {
    ledgers: BTreeMap<Address, Ledger>,
    /// Calls that are under way, and whose caller is there.
    callers: BTreeMap<String, Sent>,
    guards: guard::Guards,
    /// Letters that their receivers have made durable.
    taken_in: BTreeSet<(Address, u64)>,
}

/// Why a message was not taken in.
struct Evicted;

/// Lets an event happen.
///
/// # Errors
/// A promise is broken.
pub fn happen(world: &mut World, event: Event) -> Result<(), Violation> {
    match event {
        Event::Deliver(to, message, letter) => deliver(world, &to, message, letter).map(|_| ()),
        Event::Confirm(from, number) => {
            if let Some(ledger) = world.home.objects.ledgers.get_mut(&from) {
                ledger.confirm(number);
            }
            Ok(())
        }
        Event::GuardEnds(of, number) => guard::ends(world, &of, number),
        Event::Renew(from, call) => {
            renew(world, &from, call);
            Ok(())
        }
        Event::HandOver(to, sent, outcome, tries) => hand_over(world, &to, sent, *outcome, tries),
    }
}

/// A request asks an actor.
pub fn ask(world: &mut World, to: Address, message: Message) {
    world.travels(Thing::Objects(Event::Deliver(to, message, None)));
}

/// The ledger of an object: what is in its memory, or else what is stored.
fn ledger(world: &World, of: &Address, cell: &Cell) -> Result<Ledger, Violation> {
    if let Some(ledger) = world.home.objects.ledgers.get(of) {
        return Ok(ledger.clone());
    }
    cell.ledger().map_err(|e| Violation { invariant: Invariant::NoFault, what: format!("{of:?}: {e}") })
}

fn evict(world: &mut World, object: &Address, why: &str) {
    world.say(Tone::Fault, format_args!("{} is evicted {why}", super::spelt(object)));
    world.home.hot.remove(&(ONLY_SEAT, object.clone()));
    world.home.objects.ledgers.remove(object);
    world.home.objects.guards.forget(object);
}

/// Delivers a message: by the contract of the ledger, with a death between any two of its steps.
fn deliver(
    world: &mut World,
    to: &Address,
    message: Message,
    letter: Option<Sender>,
) -> Result<Result<(), Evicted>, Violation> {
    let token = if let Message::Ask { token, .. } = &message { Some(*token) } else { None };
    let outcome = take_in(world, to, &message, letter)?;
    if let (Err(Evicted), Some(token)) = (&outcome, token) {
        world.replied(token, None);
    }
    Ok(outcome)
}

fn take_in(
    world: &mut World,
    to: &Address,
    message: &Message,
    letter: Option<Sender>,
) -> Result<Result<(), Evicted>, Violation> {
    if world.point() {
        evict(world, to, "before its turn");
        return Ok(Err(Evicted));
    }
    let guards = letter.as_ref().and_then(|letter| letter.guards_until).is_some_and(|until| world.clock() < until);
    if guards {
        world.home.objects.guards.enter(to);
    }
    let mut cell = world.home.cells.get(to).cloned().unwrap_or_default();
    let mut ledger = ledger(world, to, &cell)?;
    let done = world.turn(ONLY_SEAT, to, message, &cell)?;
    cell.take_over(&done);
    let (mut decided, calls, others, snapshot) = sorted(done.effects, message);
    (decided.wake_at, decided.owing) = (done.wake_at.map(|at| at.0), done.owing);
    // An answer that changed nothing leaves everything as it is.
    let is_reading = matches!(message, Message::Ask { .. })
        && done.writes.is_empty()
        && decided.sends.is_empty()
        && decided.calls.is_empty();
    let settled = if is_reading {
        Settled { writes: None, alarm: Alarm::Keep, letters: Vec::new(), calls: Vec::new() }
    } else {
        let settled = ledger.settle(decided, world.clock(), &Policy::default());
        settled.map_err(|e| Violation { invariant: Invariant::NoFault, what: format!("{to:?}: {e}") })?
    };
    if let Some(writes) = settled.writes {
        cell.keep(writes);
    }
    if world.strikes(Fault::StorageRefuses) {
        evict(world, to, "because the storage refuses");
        return Ok(Err(Evicted));
    }
    let wakes = done.wake_at.is_some();
    let alarm = world.home.objects.guards.alarm(to, settled.alarm, wakes);
    set_alarm(world, to, &mut cell, alarm);
    world.commit(ONLY_SEAT, to, cell)?;
    if let Some(bytes) = snapshot {
        world.home.install(&bytes)?;
    }
    let goes_on = !settled.calls.is_empty();
    let (letters, needless) = world.home.objects.guards.share(to, settled.letters, goes_on && !wakes);
    for number in needless {
        ledger.confirm(number);
        // What came after it says it as well.
        world.home.objects.taken_in.insert((to.clone(), number));
    }
    world.home.objects.ledgers.insert(to.clone(), ledger);
    let late = world.home.objects.guards.leave_where_it_wakes(to, wakes);
    if let Some(Sender { from, number, .. }) = &letter {
        world.home.objects.taken_in.insert((from.clone(), *number));
    }
    if world.point() {
        evict(world, to, "after its commit");
        return Ok(Err(Evicted));
    }
    let is_going_on = goes_on || letters.iter().any(is_for_a_run);
    for letter in late.into_iter().chain(letters) {
        send(world, to, &letter);
    }
    for effect in others {
        if let Effect::Reply { token, body } = effect {
            world.replied(token, Some(body));
        } else {
            world.strikes(Fault::NewsLost);
        }
        if world.point() {
            evict(world, to, "between two effects");
            // Whoever asked and was not answered yet hears that nobody is there any more.
            if let Message::Ask { token, .. } = message {
                world.replied(*token, None);
            }
            return Ok(Ok(()));
        }
    }
    // Whoever delivered it hears that it is done.
    let is_safe = guard::is_safe(world, to, is_going_on);
    if let Some(Sender { from, number, .. }) = letter {
        if is_safe {
            confirm(world, from, number);
        } else if guards {
            guard::begin(world, to, (from, number));
        } else {
            // It has been left by whoever guarded it before.
            guard::begin(world, to, (from, number));
            guard::end(world, to, true)?;
        }
    } else if is_safe && !matches!(message, Message::Ask { .. }) {
        guard::end(world, to, false)?;
    } else if !goes_on && matches!(message, Message::Answered(_)) {
        // Whoever guards it has come to the end of what there was to do.
        guard::end(world, to, true)?;
    }
    for (place, call) in calls.into_iter().enumerate() {
        if settled.calls.contains(&place) {
            begin(world, to, call)?;
            if world.point() {
                evict(world, to, "between two calls");
                world.home.objects.guards.desert(to);
                return Ok(Ok(()));
            }
        }
    }
    Ok(Ok(()))
}

/// What a turn decided, as the ledger wants it; the calls; the other effects; and the catalog, if there is a new one.
pub(super) fn sorted(effects: Vec<Effect>, message: &Message) -> (Decided, Vec<AppCall>, Vec<Effect>, Option<Vec<u8>>) {
    let (mut decided, mut calls, mut others, mut snapshot) = (Decided::default(), Vec::new(), Vec::new(), None);
    match message {
        Message::Answered(outcome) => decided.over.push(outcome.id.clone()),
        Message::Lost(lost) => decided.over.extend(lost.iter().cloned()),
        _ => {}
    }
    for effect in effects {
        match effect {
            Effect::Send { to, body } => decided.sends.push((super::spelt(&to).into(), body.into())),
            Effect::Call(call) => {
                decided.calls.push(call.id.clone());
                calls.push(call);
            }
            Effect::Install { snapshot: bytes, .. } => snapshot = Some(bytes),
            other => others.push(other),
        }
    }
    (decided, calls, others, snapshot)
}

fn is_for_a_run(letter: &Letter) -> bool {
    super::read(&letter.to).is_some_and(|to| to.kind == ActorKind::Run)
}

/// A letter was taken in; its sender hears of it.
fn confirm(world: &mut World, from: Address, number: u64) {
    if !world.strikes(Fault::AckLost) {
        world.travels(Thing::Objects(Event::Confirm(from, number)));
    }
}

/// Sees to an alarm where something is pending and none is set.
fn set_pending(world: &mut World, of: &Address) -> Result<(), Violation> {
    let Some(mut cell) = world.home.cells.get(of).cloned() else { return Ok(()) };
    let pending = ledger(world, of, &cell)?.pending();
    if let Some(at) = pending.filter(|at| cell.alarm.is_none_or(|set| set > *at)) {
        set_alarm(world, of, &mut cell, Alarm::Set(at));
        world.home.cells.insert(of.clone(), cell);
    }
    Ok(())
}

/// Sets the alarm of an object that is stored.
fn set_own_alarm(world: &mut World, of: &Address, at: u64) {
    let Some(mut cell) = world.home.cells.get(of).cloned() else { return };
    set_alarm(world, of, &mut cell, Alarm::Set(at));
    world.home.cells.insert(of.clone(), cell);
}

fn set_alarm(world: &mut World, of: &Address, cell: &mut Cell, alarm: Alarm) {
    if let Alarm::Set(at) = alarm {
        cell.alarm = Some(at);
        world.set_alarm(of, Some(at));
    }
}

/// Sends a letter on its way.
fn send(world: &mut World, from: &Address, letter: &Letter) {
    let Some(to) = super::read(&letter.to) else { return };
    if world.strikes(Fault::MessageLost) {
        return;
    }
    let times = if world.strikes(Fault::MessageTwice) { 2 } else { 1 };
    for _ in 0..times {
        let guards_until = world.home.objects.guards.take_on(&to, letter.tries, world.clock());
        let sender = Some(Sender { from: from.clone(), number: letter.number, guards_until });
        world.travels(Thing::Objects(Event::Deliver(to.clone(), Message::Tell(letter.body.to_vec()), sender)));
    }
}

/// A caller makes a call, and says now and then that it is under way.
fn begin(world: &mut World, from: &Address, call: AppCall) -> Result<(), Violation> {
    let id = call.id.clone();
    let sent = world.call(ONLY_SEAT, from, call, 0)?;
    world.home.objects.callers.insert(id.clone(), sent);
    if world.call_fails(&from.key, sent, Fault::CallerGone) {
        world.home.objects.callers.remove(&id);
        world.home.objects.guards.desert(from);
        return Ok(());
    }
    world.after(Policy::default().renew_ms, Thing::Objects(Event::Renew(from.clone(), id)));
    Ok(())
}

fn renew(world: &mut World, from: &Address, call: String) {
    if !world.home.objects.callers.contains_key(&call) {
        return;
    }
    let Some(mut cell) = world.home.cells.get(from).cloned() else { return };
    let now = world.clock();
    let Ok(mut ledger) = ledger(world, from, &cell) else { return };
    match ledger.renew([call.as_str()], now, &Policy::default()) {
        Some(writes) => {
            cell.keep(writes);
            world.home.cells.insert(from.clone(), cell);
            world.home.objects.ledgers.insert(from.clone(), ledger);
            world.after(Policy::default().renew_ms, Thing::Objects(Event::Renew(from.clone(), call)));
        }
        // It counts as lost: its caller stops it.
        None => drop(world.home.objects.callers.remove(&call)),
    }
}

/// What came of a call reaches its caller, if there still is one.
///
/// # Errors
/// A promise is broken.
pub fn answered(world: &mut World, to: &Address, sent: Sent, outcome: CallOutcome) -> Result<(), Violation> {
    if world.home.objects.callers.get(&outcome.id).is_none_or(|caller| caller.number != sent.number) {
        return Ok(());
    }
    hand_over(world, to, sent, outcome, 1)
}

fn hand_over(world: &mut World, to: &Address, sent: Sent, outcome: CallOutcome, tries: u32) -> Result<(), Violation> {
    let id = outcome.id.clone();
    // The next call of the unit goes out within this delivery: by then this one is over, if it is taken in at all.
    let was_live = world.calls.is_live(&id);
    world.calls.end(&id);
    let again = outcome.clone();
    if deliver(world, to, Message::Answered(outcome), None)?.is_ok() || !has_lease(world, to, &id)? {
        world.home.objects.callers.remove(&id);
        return Ok(());
    }
    if was_live {
        world.calls.revive(&id);
    }
    if tries < HAND_OVERS_MAX {
        let again = Event::HandOver(to.clone(), sent, Box::new(again), tries.saturating_add(1));
        world.after(HAND_OVER_AGAIN_MS, Thing::Objects(again));
    } else {
        world.watch.disturb(&to.key);
        world.home.objects.callers.remove(&id);
    }
    Ok(())
}

fn has_lease(world: &World, of: &Address, call: &str) -> Result<bool, Violation> {
    let cell = world.home.cells.get(of).cloned().unwrap_or_default();
    Ok(ledger(world, of, &cell)?.leases().any(|(held, _)| held == call))
}

/// The alarm of an object goes off.
///
/// # Errors
/// A promise is broken.
pub fn ring(world: &mut World, at: &Address) -> Result<(), Violation> {
    // The platform lets it go off again unless its handler comes to its end, or sets another.
    let again = world.alarm_after(at, ALARM_AGAIN_MS);
    if world.point() || world.strikes(Fault::AlarmLost) {
        evict(world, at, "by its alarm");
        return Ok(());
    }
    let Some(mut cell) = world.home.cells.get(at).cloned() else {
        world.set_alarm(at, None);
        return Ok(());
    };
    let mut ledger = ledger(world, at, &cell)?;
    let rung = ledger.ring(world.clock(), &Policy::default());
    if world.strikes(Fault::StorageRefuses) {
        evict(world, at, "because the storage refuses its alarm");
        return Ok(());
    }
    if let Some(writes) = rung.writes {
        cell.keep(writes);
    }
    cell.alarm = None;
    set_alarm(world, at, &mut cell, rung.alarm);
    world.home.cells.insert(at.clone(), cell);
    world.home.objects.ledgers.insert(at.clone(), ledger);
    for letter in rung.letters {
        send(world, at, &letter);
    }
    if !rung.due.lost.is_empty() {
        world.watch.disturb(&at.key);
        for call in &rung.due.lost {
            world.say(Tone::Home, format_args!("{call} counts as lost"));
            world.calls.end(call);
        }
        if deliver(world, at, Message::Lost(rung.due.lost), None)?.is_err() {
            return Ok(());
        }
    }
    if rung.due.resume {
        world.watch.disturb(&at.key);
        if deliver(world, at, Message::Resume, None)?.is_err() {
            return Ok(());
        }
    }
    if rung.due.wake && deliver(world, at, Message::Wake, None)?.is_err() {
        return Ok(());
    }
    if world.home.alarms.get(at) == Some(&again) {
        world.set_alarm(at, None);
    }
    Ok(())
}

/// Every letter was taken in, every lease has ended, and no alarm is missing.
///
/// # Errors
/// It is not so.
pub fn owes_nothing(world: &World) -> Result<(), Violation> {
    for (address, cell) in &world.home.cells {
        let ledger = ledger(world, address, cell)?;
        let letter =
            ledger.letters().find(|letter| !world.home.objects.taken_in.contains(&(address.clone(), letter.number)));
        require(letter.is_none(), Invariant::EverythingEnds, || format!("{address:?} sends for ever: {letter:?}"))?;
        let lease = ledger.leases().next();
        require(lease.is_none(), Invariant::EverythingEnds, || format!("{address:?} holds the lease {lease:?}"))?;
    }
    Ok(())
}
