//! What a home that stores each actor by itself keeps beside the actor's rows, and what it decides without the engine.
//!
//! On one file, messages travel inside a transaction and the process knows its calls. A home of many stores (an object, a
//! document per actor) has neither: a message leaves one store and arrives in another, and a call is made by somebody who
//! may vanish. So each actor has a [`Ledger`]:
//!
//! - the **outbox**: numbered letters that nobody has confirmed yet;
//! - the **leases** of calls in flight, each with the moment at which it counts as lost;
//! - what the last turn said of the next **wake**, and whether calls are owed;
//! - the one **alarm** that is set.
//!
//! There is no I/O here, no clock, no randomness: every time comes in as `now`, in milliseconds since the Unix epoch.
//!
//! # The contract
//!
//! For every message to an actor:
//!
//! 1. Let the engine decide; it is not told of any of this.
//! 2. [`Ledger::settle`] on a *clone*, with what was decided. An error means that the turn must not be kept: drop actor and clone.
//! 3. Make the actor's rows, [`Settled::writes`] and [`Settled::alarm`] durable together, all or none. Where that fails, drop
//!    actor and clone; otherwise the clone is the ledger from now on.
//! 4. Only then let [`Settled::letters`] and [`Settled::calls`] out.
//!
//! When a letter's receiver has made it durable, [`Ledger::confirm`] it. That writes nothing: the next writes carry it, and if
//! they never come, the letter goes out again, which receivers recognise.
//!
//! While a call is under way, [`Ledger::renew`] its lease every [`Policy::renew_ms`], and stop the call where that says that
//! the lease is gone.
//!
//! When the alarm goes off, early, late, or twice, [`Ledger::ring`] on a clone. Make its writes and its alarm durable, let its
//! letters out, and then deliver to the actor what is [`Due`], each by the steps above: `lost` first, then `resume`, then `wake`.
//! Where others may be at the actor between the ring and such a turn, the turn asks its own ledger for what is still [`Ledger::due`], and
//! delivers no more than that: whoever makes a call may renew its lease until the turn that counts it as lost is durable.
//! After a turn that failed (a trap, a store that refuses) call [`Ledger::again_later`], and set that alarm. Until one of these
//! was done no alarm is set: the platform must bring the alarm again where it was cut short, or [`Policy::guard_ms`] be given.
//!
//! **An alarm is set whenever something is pending, at the latest for the first moment at which something becomes due.** This
//! holds after each of these calls once its [`Alarm`] was obeyed, but for a ring that has something due.
//!
//! # What is stored
//!
//! One small row, the **head** ([`Writes::head`]), which replaces the one before. A home where rows cost money may store it in
//! the same row as something that the turn writes anyway, as long as it finds the newest one again: heads have an ascending
//! [`Ledger::edition`]. The letters of a turn are a **parcel**; a small one is in the head, a larger one is a row of its own
//! ([`Writes::put`]), written once and removed when all its letters are confirmed. [`Ledger::load`] reads both back.

mod alarm;
mod error;
mod letter;
pub mod limits;
mod policy;
mod settle;
mod stored;
#[cfg(test)]
mod tests;

pub use alarm::{Alarm, Due, Rung};
pub use error::LedgerError;
pub use letter::Letter;
pub use policy::Policy;
pub use settle::{Decided, Settled};
pub use stored::{Parcel, Writes};

use letter::Outgoing;
use std::collections::BTreeMap;

/// The ledger of one actor. [`Ledger::default`] is that of an actor that has never had a turn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Counts heads.
    edition: u64,
    next_letter: u64,
    letters: BTreeMap<u64, Outgoing>,
    /// Parcels that are stored in rows of their own, and how many of their letters are not confirmed yet.
    parcels: BTreeMap<u64, u32>,
    /// Bytes of all letters.
    outbox_bytes: usize,
    /// Calls in flight, and when each counts as lost.
    leases: BTreeMap<String, u64>,
    wake_at: Option<u64>,
    owing: bool,
    /// When the actor is asked what it owes, where it says that it owes something and no call is in flight.
    resume_at: Option<u64>,
    /// The alarm that is set. Not stored with the rest: the home's store knows it better.
    armed: Option<u64>,
}

impl Ledger {
    /// The number of the head that was written last; a higher one is newer.
    #[must_use]
    pub const fn edition(&self) -> u64 {
        self.edition
    }

    /// Whether nothing is pending: such an actor may stay on disk.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.pending().is_none()
    }

    /// Calls in flight, and when each counts as lost.
    pub fn leases(&self) -> impl Iterator<Item = (&str, u64)> {
        self.leases.iter().map(|(call, until)| (call.as_str(), *until))
    }

    /// Letters that nobody has confirmed.
    pub fn letters(&self) -> impl Iterator<Item = Letter> {
        self.letters.iter().map(|(number, letter)| letter.out(*number))
    }

    /// One letter, unless it was confirmed: it may have been by the time that it is handed over.
    #[must_use]
    pub fn letter(&self, number: u64) -> Option<Letter> {
        self.letters.get(&number).map(|letter| letter.out(number))
    }

    /// When the actor wants to be woken.
    #[must_use]
    pub const fn wake_at(&self) -> Option<u64> {
        self.wake_at
    }

    /// A letter was made durable by its receiver. Writes nothing; confirming twice is harmless.
    pub fn confirm(&mut self, number: u64) {
        let Some(letter) = self.letters.remove(&number) else { return };
        self.outbox_bytes = self.outbox_bytes.saturating_sub(letter.bytes());
        if let Some(unconfirmed) = self.parcels.get_mut(&letter.parcel) {
            *unconfirmed = unconfirmed.saturating_sub(1);
        }
    }

    /// The writes that make confirmations durable: for a home where nobody is sure to have another turn, and where what is in
    /// memory goes with whoever heard of them.
    pub fn write_down(&mut self) -> Writes {
        self.write(None)
    }

    /// Whoever makes these calls says that they are under way. `None` where none of them has a lease any more: they count as
    /// lost, and are to be stopped. The writes may be left out by a home that takes the risk of forgetting the renewal.
    pub fn renew<'a>(&mut self, calls: impl IntoIterator<Item = &'a str>, now: u64, policy: &Policy) -> Option<Writes> {
        let until = now.saturating_add(policy.lease_ms);
        let mut is_known = false;
        for call in calls {
            if let Some(held) = self.leases.get_mut(call) {
                *held = until.max(*held);
                is_known = true;
            }
        }
        is_known.then(|| self.write(None))
    }
}
