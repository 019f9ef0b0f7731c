//! What one transaction gathers until it is durable.

use super::debts::Debt;
use crate::store::{Stored, WakeRow};
use crate::wit::{Address, AppCall, CatalogVersion, Message, Publish, Reply};
use std::collections::{HashMap, HashSet, VecDeque};

/// A message and the actor that it goes to.
pub struct Delivery {
    /// To whom.
    pub to: Address,
    /// What.
    pub message: Message,
}

/// An effect that waits for the commit.
pub enum Held {
    /// An answer to a question.
    Reply(Reply),
    /// A question that could not be answered.
    Failed {
        /// Which.
        token: u64,
        /// Why.
        why: String,
    },
    /// A call to an app, and whose it is.
    Call(Address, AppCall),
    /// A message to an actor of another partition.
    Letter(Stored),
    /// News.
    Publish(Publish),
    /// A new catalog.
    Install(CatalogVersion),
}

/// What an actor's last turn of the transaction said about its next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Next {
    /// Its next wake.
    pub wake_at: Option<u64>,
    /// Whether calls are in flight.
    pub owing: bool,
}

impl Next {
    /// What the file must say. An owing actor's time is not written: it says it anew when it is resumed.
    #[must_use]
    pub fn wake_row(self) -> Option<WakeRow> {
        if self.owing { Some(WakeRow::Owing) } else { self.wake_at.map(WakeRow::Parked) }
    }
}

/// One transaction under way.
#[derive(Default)]
pub struct Batch {
    /// Messages still to be delivered, the first first.
    pub queue: VecDeque<Delivery>,
    /// Turns so far.
    pub turns: usize,
    /// Effects, in order.
    pub held: Vec<Held>,
    /// Each actor that had a turn: what the file says of its wake, and what it wants.
    pub wakes: HashMap<Address, (Option<WakeRow>, Next)>,
    /// The questions in this transaction.
    pub tokens: Vec<u64>,
    /// The calls whose answers came with this transaction: what asks for one of them did so before it heard the answer.
    pub answered: HashSet<String>,
    /// The letters that came with this transaction: from which partition, and their ids there.
    pub letters: Vec<(u32, i64)>,
    /// Actors that were told of an answer, or asked for their calls: they must be asked again where the commit fails.
    pub owed: Vec<Debt>,
    /// Actors that were woken: they must be woken again where the commit fails.
    pub woken: Vec<Address>,
    /// Wakes whose turn trapped.
    pub trapped_wakes: Vec<Address>,
    /// True once a new catalog was installed in the instances.
    pub installed: bool,
}
