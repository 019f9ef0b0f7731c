//! Partitions: each a thread that owns one file, the instances of the three parts, and the actors that are hot in them.
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
mod room;
#[cfg(test)]
mod tests;
mod timers;
mod turns;

pub use inbox::{Inbox, Item};
pub use outside::Outside;
pub use room::CallsMax;
pub use turns::{Turns, TurnsConfig};

use crate::wit::{Address, Answer};
use std::sync::Arc;

/// All partitions of this server.
#[derive(Clone)]
pub struct Partitions(Arc<[Inbox]>);

impl Partitions {
    /// The server's partitions.
    #[must_use]
    pub fn new(inboxes: Vec<Inbox>) -> Self {
        Self(inboxes.into())
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

    /// The partition where `address` lives: the one place that knows. Runs are to live with the event that started them.
    fn of(&self, _address: &Address) -> Option<&Inbox> {
        self.0.first()
    }

    /// Lets every partition finish what is queued, commit and end.
    pub fn stop(&self) {
        for inbox in self.0.iter() {
            inbox.stop();
        }
    }
}
