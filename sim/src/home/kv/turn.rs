//! One message to one actor: read, decide, swap. Whoever is beaten to it decides anew.

use super::super::objects::sorted;
use super::super::{Cell, Seat};
use super::{Event, calls, forget, ledger, tick, vanish};
use crate::app::request::Sent;
use crate::fault::Fault;
use crate::invariant::{Invariant, Violation};
use crate::sabotage::Sabotage;
use crate::trace::Tone;
use crate::world::World;
use crate::world::agenda::Thing;
use stepwell_engine::turn::{Address, AppCall, Effect, Message};
use stepwell_ledger::{Alarm, Ledger, Letter};

/// How long an instance waits for another one that is at the same actor in its memory.
const BUSY_MS: u64 = 2;
/// How long a swap takes.
const SWAP_MS_MAX: u64 = 6;
/// How long whoever was beaten waits before deciding anew.
const CONFLICT_MS_MAX: u64 = 50;
/// How often one message is decided anew.
const CONFLICTS_MAX: u32 = 200;

/// A message to be worked on.
#[derive(Clone, Debug)]
pub struct Job {
    /// To whom.
    pub to: Address,
    /// What.
    pub message: Message,
    /// The letter that it came with: the instance that sent it, its sender, its number.
    pub letter: Option<(Seat, Address, u64)>,
    /// Who made the call that it answers, and how often that was handed over.
    pub answer: Option<(Sent, u32)>,
    /// How often another instance was faster.
    pub conflicts: u32,
}

impl Job {
    /// A message that nobody confirms.
    #[must_use]
    pub const fn new(to: Address, message: Message) -> Self {
        Self { to, message, letter: None, answer: None, conflicts: 0 }
    }
}

/// What an instance has decided and not swapped yet.
pub struct Pending {
    /// Which instance.
    pub seat: Seat,
    /// What it works on.
    pub job: Job,
    cell: Cell,
    /// The version that the swap replaces.
    replaces: u64,
    out: Out,
}

/// What leaves once it is durable.
struct Out {
    letters: Vec<Letter>,
    calls: Vec<AppCall>,
    others: Vec<Effect>,
    snapshot: Option<Vec<u8>>,
}

/// An instance reads a document and decides.
///
/// # Errors
/// A promise is broken.
pub fn work(world: &mut World, seat: Seat, job: Job) -> Result<(), Violation> {
    if !world.home.kv.seats.contains(&seat) {
        fail(world, job);
        return Ok(());
    }
    if world.home.kv.pending.values().any(|pending| pending.seat == seat && pending.job.to == job.to) {
        world.after(BUSY_MS, Thing::Kv(Event::Work(seat, job)));
        return Ok(());
    }
    if world.point() {
        fail(world, job);
        vanish(world, seat, "before its turn");
        return Ok(());
    }
    let mut cell = read(world, &job.to);
    let replaces = cell.version;
    let key = (seat, job.to.clone());
    if world.home.kv.versions.get(&key).copied() != Some(replaces) {
        forget(world, seat, &job.to);
    }
    let mut ledger = ledger(world, seat, &job.to, &cell)?;
    let Some(job) = still_due(&ledger, world.clock(), job) else { return Ok(()) };
    let done = world.turn(seat, &job.to, &job.message, &cell)?;
    let writes_rows = !done.writes.is_empty();
    cell.take_over(&done);
    let (mut decided, calls, others, snapshot) = sorted(done.effects, &job.message);
    (decided.wake_at, decided.owing) = (done.wake_at.map(|at| at.0), done.owing);
    let settled = ledger.settle(decided, world.clock(), &super::policy());
    let settled =
        settled.map_err(|e| Violation { invariant: Invariant::NoFault, what: format!("{:?}: {e}", job.to) })?;
    let calls = calls.into_iter().enumerate().filter(|(place, _)| settled.calls.contains(place));
    let out = Out { letters: settled.letters, calls: calls.map(|(_, call)| call).collect(), others, snapshot };
    let writes = writes_rows || settled.writes.is_some();
    if let Some(kept) = settled.writes {
        cell.keep(kept);
    }
    if !writes {
        return say(world, seat, job, &cell, out);
    }
    // Before the commit: an alarm for nothing is harmless, a missing one is not.
    if let Alarm::Set(at) = settled.alarm {
        tick::set(world, &job.to, at);
        cell.alarm = Some(at);
    }
    if ledger.is_at_rest() {
        // The one in the index rings for nothing, and nobody needs to be told of it then.
        cell.alarm = None;
    }
    cell.version = replaces.saturating_add(1);
    let id = world.fresh();
    world.home.kv.pending.insert(id, Pending { seat, job, cell, replaces, out });
    let ms = world.dice.below(SWAP_MS_MAX);
    world.after(ms, Thing::Kv(Event::Swap(id)));
    Ok(())
}

/// The job, unless its message tells of something that a ring has found due and that is not due any more.
fn still_due(ledger: &Ledger, now: u64, job: Job) -> Option<Job> {
    let due = match job.message {
        Message::Lost(_) | Message::Resume | Message::Wake => ledger.due(now),
        _ => return Some(job),
    };
    match job.message {
        Message::Lost(_) => (!due.lost.is_empty()).then_some(Job { message: Message::Lost(due.lost), ..job }),
        Message::Resume => due.resume.then_some(job),
        _ => due.wake.then_some(job),
    }
}

/// What the store gives: now and then what was there a moment ago.
fn read(world: &mut World, of: &Address) -> Cell {
    if world.home.kv.older.contains_key(of) && world.strikes(Fault::StaleRead) {
        return world.home.kv.older.get(of).cloned().unwrap_or_default();
    }
    world.home.cells.get(of).cloned().unwrap_or_default()
}

/// Nothing is to be written: it is said once a second look has shown that the state is the newest.
fn say(world: &mut World, seat: Seat, job: Job, cell: &Cell, out: Out) -> Result<(), Violation> {
    if version(world, &job.to) != cell.version {
        again(world, seat, job);
        return Ok(());
    }
    let key = (seat, job.to.clone());
    world.home.kv.versions.insert(key, cell.version);
    release(world, seat, job, out)
}

fn version(world: &World, of: &Address) -> u64 {
    world.home.cells.get(of).map_or(0, |cell| cell.version)
}

/// The instance swaps what it has decided.
///
/// # Errors
/// A promise is broken.
pub fn swap(world: &mut World, id: u64) -> Result<(), Violation> {
    let Some(Pending { seat, job, cell, replaces, out }) = world.home.kv.pending.remove(&id) else {
        return Ok(());
    };
    if world.point() {
        fail(world, job);
        vanish(world, seat, "before its swap");
        return Ok(());
    }
    if world.strikes(Fault::StorageRefuses) {
        forget(world, seat, &job.to);
        world.say(Tone::Fault, format_args!("the store does not answer for {}", super::super::spelt(&job.to)));
        fail(world, job);
        return Ok(());
    }
    let is_blind = world.sabotage.as_ref().is_some_and(|saboteur| saboteur.what == Sabotage::CreatesBlindly);
    let is_blind = is_blind && replaces == 0;
    if replaces == 0 && !is_blind && !create(world, seat, &job)? {
        fail(world, job);
        return Ok(());
    }
    if version(world, &job.to) != replaces && !is_blind {
        again(world, seat, job);
        return Ok(());
    }
    if let Some(older) = world.home.cells.get(&job.to).cloned() {
        world.home.kv.older.insert(job.to.clone(), older);
    }
    let key = (seat, job.to.clone());
    world.home.kv.versions.insert(key, cell.version);
    world.commit(seat, &job.to, cell)?;
    if let Message::Lost(calls) = &job.message {
        for call in calls {
            world.say(Tone::Home, format_args!("{call} counts as lost"));
            world.calls.end(call);
        }
    }
    if let Some(snapshot) = &out.snapshot {
        world.home.install(snapshot)?;
    }
    if world.strikes(Fault::CommitUnheard) {
        world.say(Tone::Fault, format_args!("the store swaps {} and does not say so", super::super::spelt(&job.to)));
        forget(world, seat, &job.to);
        world.watch.disturb(&job.to.key);
        fail(world, job);
        return Ok(());
    }
    if world.point() {
        world.watch.disturb(&job.to.key);
        fail(world, job);
        vanish(world, seat, "after its swap");
        return Ok(());
    }
    release(world, seat, job, out)
}

/// Sees to a place for a document that does not exist yet; false where the instance vanished on the way.
fn create(world: &mut World, seat: Seat, job: &Job) -> Result<bool, Violation> {
    if world.home.kv.places.contains_key(&job.to) {
        return Ok(true);
    }
    // An empty document where nobody looks; who vanishes now leaves it there, and stops nobody.
    let mine = world.fresh();
    if world.point() {
        vanish(world, seat, "between a document and its place");
        return Ok(false);
    }
    world.home.kv.places.insert(job.to.clone(), mine);
    if world.point() {
        vanish(world, seat, "after it made a place");
        return Ok(false);
    }
    Ok(true)
}

/// What is durable leaves.
fn release(world: &mut World, seat: Seat, job: Job, out: Out) -> Result<(), Violation> {
    if let Some((sender, from, number)) = job.letter {
        world.home.kv.taken_in.insert((from.clone(), number));
        if !world.strikes(Fault::AckLost) {
            world.travels(Thing::Kv(Event::Confirm(sender, from, number)));
        }
    }
    for letter in out.letters {
        send(world, seat, &job.to, &letter);
    }
    for effect in out.others {
        if let Effect::Reply { token, body } = effect {
            world.replied(token, Some(body));
        } else {
            world.strikes(Fault::NewsLost);
        }
        if world.point() {
            vanish(world, seat, "between two effects");
            // Whoever asked and was not answered yet hears that nobody is there any more.
            if let Message::Ask { token, .. } = job.message {
                world.replied(token, None);
            }
            return Ok(());
        }
    }
    for call in out.calls {
        calls::begin(world, seat, &job.to, call)?;
        if world.point() {
            vanish(world, seat, "between two calls");
            return Ok(());
        }
    }
    Ok(())
}

/// Sends a letter on its way to whichever instance takes it.
pub fn send(world: &mut World, seat: Seat, from: &Address, letter: &Letter) {
    let Some(to) = super::super::read(&letter.to) else { return };
    if world.strikes(Fault::MessageLost) {
        return;
    }
    let times = if world.strikes(Fault::MessageTwice) { 2 } else { 1 };
    for _ in 0..times {
        let at = super::anyone(world);
        let job = Job {
            letter: Some((seat, from.clone(), letter.number)),
            ..Job::new(to.clone(), Message::Tell(letter.body.to_vec()))
        };
        world.travels(Thing::Kv(Event::Work(at, job)));
    }
}

/// Another instance was faster.
fn again(world: &mut World, seat: Seat, job: Job) {
    forget(world, seat, &job.to);
    world.say(Tone::Home, format_args!("instance {seat} was beaten to {}", super::super::spelt(&job.to)));
    let job = Job { conflicts: job.conflicts.saturating_add(1), ..job };
    if job.conflicts > CONFLICTS_MAX {
        fail(world, job);
        return;
    }
    let ms = world.dice.below(CONFLICT_MS_MAX);
    world.after(ms, Thing::Kv(Event::Work(seat, job)));
}

/// It did not work, or nobody knows whether it did: whoever wants it tries again.
pub fn fail(world: &mut World, job: Job) {
    if let Message::Ask { token, .. } = &job.message {
        world.replied(*token, None);
    }
    if job.answer.is_some() {
        calls::hand_over_again(world, job);
    }
}
