//! What reaches a partition from other threads.

use super::post::{Letter, Receipt};
use crate::limits;
use crate::wit::{Address, Answer, AskFailure, CallOutcome};
use std::sync::{Arc, mpsc};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// One thing for the partition to do.
pub enum Item {
    /// A question.
    Ask {
        /// Whom.
        to: Address,
        /// What.
        body: Vec<u8>,
        /// Where the answer goes.
        reply: oneshot::Sender<Answer>,
        /// Its place in the queue, free again when the partition takes the item.
        place: OwnedSemaphorePermit,
    },
    /// A call has ended. There are never more of these than calls in flight.
    Answered {
        /// Who made the call.
        to: Address,
        /// How it ended.
        outcome: CallOutcome,
    },
    /// A message from an actor of another partition. There are never more of these than letters in flight.
    Letter(Letter),
    /// What became of letters.
    Receipt(Receipt),
    /// Finish what is queued and end.
    Stop,
}

/// The way into a partition.
#[derive(Clone)]
pub struct Inbox {
    items: mpsc::Sender<Item>,
    places: Arc<Semaphore>,
}

impl Inbox {
    /// An inbox, and the end that its partition reads.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Item>) {
        let (items, receiver) = mpsc::channel();
        (Self { items, places: Arc::new(Semaphore::new(limits::ASKS_QUEUED_MAX)) }, receiver)
    }

    /// Asks the actor at `to` and waits for its answer, which it may give in a later turn.
    ///
    /// # Errors
    /// A full queue, an actor that cannot take the question in, or none that answers in time.
    pub async fn ask(&self, to: Address, body: Vec<u8>) -> Answer {
        let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
            return Err(AskFailure::Overloaded);
        };
        let (reply, answer) = oneshot::channel();
        let gone = || Err(AskFailure::Fault("the server is stopping".to_owned()));
        if self.items.send(Item::Ask { to, body, reply, place }).is_err() {
            return gone();
        }
        match tokio::time::timeout(limits::ASK_TIME_MAX, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => gone(),
            Err(_) => Err(AskFailure::TimedOut),
        }
    }

    /// Hands over what came of a call. A partition that has ended takes no notice: the call is owed after the restart.
    pub fn answered(&self, to: Address, outcome: CallOutcome) {
        drop(self.items.send(Item::Answered { to, outcome }));
    }

    /// Hands over a letter. A partition that has ended takes no notice: it is sent again after the restart.
    pub fn letter(&self, letter: Letter) {
        drop(self.items.send(Item::Letter(letter)));
    }

    /// Says what became of letters. A partition that has ended takes no notice: it sends them again after the restart.
    pub fn receipt(&self, receipt: Receipt) {
        drop(self.items.send(Item::Receipt(receipt)));
    }

    /// Lets the partition finish what is queued, and end.
    pub fn stop(&self) {
        drop(self.items.send(Item::Stop));
    }
}
