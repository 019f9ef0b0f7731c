//! The home of one document per actor, in a key-value store: no order, no transactions, no timers, and many instances at
//! once, any of which may vanish between two steps.
//!
//! What holds all the same, and what this model tries to break:
//!
//! - A turn reads a document, decides, and **swaps** it for the next one. Whoever is beaten to it reads again ([`turn`]).
//!   A read may give what was there a moment ago; so what a turn says without writing is only said once a second look
//!   has shown the same version.
//! - A swap **on an absent key is unconditional**: a document that does not exist yet is never swapped. Its *place* is a
//!   number made by `increment`, which is exact; who creates the document puts an empty one where nobody looks, and swaps
//!   the place. Whoever dies on the way stops nobody.
//! - What is due is in an **index**, which is another document: so an alarm is there before the commit that needs it. A
//!   **tick** claims what is due ([`tick`]); it comes from outside, and with requests in passing.
//! - The ledger in the document says who performs effects: letters go out again until they are confirmed; calls hold a
//!   lease that their instance renews ([`calls`]).
//!
//! The ledger is the crate `stepwell-ledger`, as in the deployed home.

pub mod calls;
pub mod tick;
pub mod turn;

pub use calls::answered;

use super::{Cell, Seat};
use crate::app::request::Sent;
use crate::invariant::{Invariant, Violation, require};
use crate::trace::Tone;
use crate::world::World;
use crate::world::agenda::Thing;
use std::collections::{BTreeMap, BTreeSet};
use stepwell_engine::turn::{Address, Message};
use stepwell_ledger::{Ledger, Policy};
use turn::{Job, Pending};

/// Instances that are there at any time.
const INSTANCES: u64 = 3;

/// What happens in this home.
#[derive(Debug)]
pub enum Event {
    /// An instance begins with a job.
    Work(Seat, Job),
    /// The instance swaps what it has decided.
    Swap(u64),
    /// Whatever is due is to be seen to.
    Tick,
    /// The sender of a letter hears, in the instance that sent it, that it was taken in.
    Confirm(Seat, Address, u64),
    /// An instance says that its call is under way.
    Renew(Address, String),
}

/// The instances, and what is in the store besides documents.
#[derive(Default)]
pub struct Instances {
    seats: Vec<Seat>,
    last_seat: Seat,
    /// Which version of a document an instance has in memory.
    versions: BTreeMap<(Seat, Address), u64>,
    /// Confirmations that are in an instance's memory only.
    confirmed: BTreeMap<(Seat, Address), BTreeSet<u64>>,
    pending: BTreeMap<u64, Pending>,
    callers: BTreeMap<String, Sent>,
    /// Places that have been made; the number is the document's.
    places: BTreeMap<Address, u64>,
    /// What a stale read gives.
    older: BTreeMap<Address, Cell>,
    /// The index: what is due, and when, by the server's clock.
    due: BTreeSet<(u64, Address, tick::Entry)>,
    /// When the next tick comes.
    tick_at: Option<u64>,
    /// Letters that their receivers have made durable.
    taken_in: BTreeSet<(Address, u64)>,
}

/// The choices of this home. Here nothing lets an alarm go off again: another one is set before the turns that settle it.
fn policy() -> Policy {
    Policy { guard_ms: Some(tick::CLAIM_MS), ..Policy::default() }
}

/// Brings the instances up.
pub fn begin(world: &mut World) {
    for _ in 0..INSTANCES {
        start(&mut world.home.kv);
    }
}

fn start(instances: &mut Instances) {
    instances.last_seat = instances.last_seat.saturating_add(1);
    instances.seats.push(instances.last_seat);
}

/// Lets an event happen.
///
/// # Errors
/// A promise is broken.
pub fn happen(world: &mut World, event: Event) -> Result<(), Violation> {
    match event {
        Event::Work(seat, job) => turn::work(world, seat, job),
        Event::Swap(pending) => turn::swap(world, pending),
        Event::Tick => tick::tick(world),
        Event::Confirm(seat, from, number) => {
            if world.home.kv.seats.contains(&seat) {
                world.home.kv.confirmed.entry((seat, from)).or_default().insert(number);
            }
            Ok(())
        }
        Event::Renew(from, call) => calls::renew(world, &from, call),
    }
}

/// A request asks an actor; whoever serves it looks in passing for what is due.
pub fn ask(world: &mut World, to: Address, message: Message) {
    let seat = anyone(world);
    world.travels(Thing::Kv(Event::Work(seat, Job::new(to, message))));
    tick::in_passing(world);
}

/// One of the instances.
pub(super) fn anyone(world: &mut World) -> Seat {
    let Instances { seats, .. } = &world.home.kv;
    world.dice.pick(seats).copied().unwrap_or(0)
}

/// An instance is gone, with all that was in its memory and all that it was doing; another one comes up.
pub(super) fn vanish(world: &mut World, seat: Seat, why: &str) {
    world.say(Tone::Fault, format_args!("instance {seat} vanishes {why}"));
    world.home.hot.retain(|(held, _), _| *held != seat);
    let instances = &mut world.home.kv;
    instances.seats.retain(|held| *held != seat);
    start(instances);
    instances.versions.retain(|(held, _), _| *held != seat);
    instances.confirmed.retain(|(held, _), _| *held != seat);
    let (lost, kept): (BTreeMap<_, _>, _) =
        std::mem::take(&mut instances.pending).into_iter().partition(|(_, pending)| pending.seat == seat);
    instances.pending = kept;
    let callers = std::mem::take(&mut instances.callers);
    let (gone, kept): (BTreeMap<_, _>, _) = callers.into_iter().partition(|(_, sent)| sent.life == seat);
    instances.callers = kept;
    for call in gone.keys() {
        world.watch.disturb(call.split('/').next().unwrap_or_default());
    }
    for pending in lost.into_values() {
        turn::fail(world, pending.job);
    }
}

/// The memory that an instance has of an actor is of no use any more.
fn forget(world: &mut World, seat: Seat, actor: &Address) {
    let key = (seat, actor.clone());
    world.home.hot.remove(&key);
    world.home.kv.versions.remove(&key);
}

/// The ledger of a state, with the confirmations that this instance knows of. It is read anew each time: other instances write
/// to it as well.
fn ledger(world: &World, seat: Seat, of: &Address, cell: &Cell) -> Result<Ledger, Violation> {
    let key = (seat, of.clone());
    let ledger = cell.ledger();
    let mut ledger =
        ledger.map_err(|e| Violation { invariant: Invariant::NoFault, what: format!("the ledger of {of:?}: {e}") })?;
    for number in world.home.kv.confirmed.get(&key).into_iter().flatten() {
        ledger.confirm(*number);
    }
    Ok(ledger)
}

/// Every letter was taken in, every lease has ended, and nobody is at work.
///
/// # Errors
/// It is not so.
pub fn owes_nothing(world: &World) -> Result<(), Violation> {
    let busy = world.home.kv.pending.values().next().map(|pending| &pending.job);
    require(busy.is_none(), Invariant::EverythingEnds, || format!("a swap never comes: {busy:?}"))?;
    for (address, cell) in &world.home.cells {
        let ledger = cell
            .ledger()
            .map_err(|e| Violation { invariant: Invariant::NoFault, what: format!("{address:?}: {e}") })?;
        let letter =
            ledger.letters().find(|letter| !world.home.kv.taken_in.contains(&(address.clone(), letter.number)));
        require(letter.is_none(), Invariant::EverythingEnds, || format!("{address:?} sends for ever: {letter:?}"))?;
        let lease = ledger.leases().next();
        require(lease.is_none(), Invariant::EverythingEnds, || format!("{address:?} holds the lease {lease:?}"))?;
    }
    Ok(())
}
