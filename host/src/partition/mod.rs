//! Partitions: each a thread that owns one file, the instances of the three parts, and the actors that live there.
//!
//! The loop, in the order that the contract of `wit/actors.wit` gives:
//! wait for something to do; begin a transaction; run a turn for each message, and for each message that these turns
//! send; commit; only then let the effects out. Whatever arrives while a commit runs shares the next one.

mod asks;
mod batch;
mod debts;
mod delivery;
mod hot;
mod inbox;
mod outside;
mod post;
mod room;
#[cfg(test)]
mod tests;
mod timers;
mod turns;

pub use inbox::{Inbox, Item};
pub use outside::Outside;
pub use post::{Letter, Receipt};
pub use room::CallsMax;
pub use turns::{Turns, TurnsConfig};

use crate::place::Place;
use crate::wit::{Address, Answer};
use std::sync::Arc;

/// All partitions of this server.
#[derive(Clone)]
pub struct Partitions(Arc<[Inbox]>);

impl Partitions {
    /// The server's partitions.
    #[must_use]
    pub const fn new(inboxes: Arc<[Inbox]>) -> Self {
        Self(inboxes)
    }

    /// Asks the actor at `to`.
    ///
    /// # Errors
    /// What `wit/http.wit` calls an ask-failure.
    pub async fn ask(&self, to: Address, body: Vec<u8>) -> Answer {
        match self.of(&to) {
            Some(inbox) => inbox.ask(to, body).await,
            None => Err(crate::wit::AskFailure::Fault("the server has no partition".to_owned())),
        }
    }

    fn of(&self, address: &Address) -> Option<&Inbox> {
        let count = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        let index = Place { index: 0, count }.of(address);
        usize::try_from(index).ok().and_then(|index| self.0.get(index))
    }

    /// Lets every partition finish what is queued, commit and end.
    pub fn stop(&self) {
        for inbox in self.0.iter() {
            inbox.stop();
        }
    }
}
