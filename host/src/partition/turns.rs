//! The loop of a partition.

use super::asks::Asks;
use super::batch::{Batch, Delivery, Held};
use super::debts::{Debt, Debts};
use super::hot::Hot;
use super::inbox::Item;
use super::outside::Outside;
use super::post::{Letter, Post, Receipt};
use super::room::{Begin, CallsMax};
use super::timers::Timers;
use crate::parts::Parts;
use crate::place::Place;
use crate::store::{Store, StoreError, Stored};
use crate::wit::{CatalogVersion, Message, catalog_address};
use crate::{clock, limits};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

/// What a partition may hold.
#[derive(Clone, Copy, Debug)]
pub struct TurnsConfig {
    /// Which partition it is.
    pub place: Place,
    /// Calls in flight.
    pub calls_max: CallsMax,
    /// Hot actors.
    pub hot_actors_max: usize,
    /// The rows of hot actors together.
    pub hot_bytes_max: usize,
}

/// Why a transaction came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum BatchFailure {
    /// The file.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No entropy.
    #[error("the operating system gives no random bits: {0}")]
    Entropy(#[from] getrandom::Error),
    /// Actors that send each other messages without end.
    #[error("one transaction had more than {} turns", limits::BATCH_TURNS_MAX)]
    Endless,
}

/// A partition's thread.
pub struct Turns<P: Parts, O: Outside> {
    pub(super) parts: P,
    pub(super) store: Store,
    pub(super) hot: Hot<P::Actor>,
    pub(super) debts: Debts,
    pub(super) place: Place,
    pub(super) post: Post,
    /// The catalog that turns decide by.
    pub(super) catalog: CatalogVersion,
    /// The newest one that is durable.
    catalog_durable: CatalogVersion,
    outside: O,
    timers: Timers,
    asks: Asks,
    inbox: Receiver<Item>,
    stopping: bool,
}

impl<P: Parts, O: Outside> Turns<P, O> {
    /// A partition over `store`, with nothing hot and nothing in flight.
    #[must_use]
    pub fn new(parts: P, store: Store, outside: O, inbox: Receiver<Item>, config: TurnsConfig) -> Self {
        let none = CatalogVersion { version: 0, snapshot: Vec::new() };
        Self {
            parts,
            store,
            hot: Hot::new(config.hot_actors_max, config.hot_bytes_max),
            debts: Debts::new(config.calls_max),
            place: config.place,
            post: Post::default(),
            catalog: none.clone(),
            catalog_durable: none,
            outside,
            timers: Timers::default(),
            asks: Asks::default(),
            inbox,
            stopping: false,
        }
    }

    /// Brings the catalog back, where it lives; the other partitions start after this one. To be called first: every other actor
    /// decides by it.
    ///
    /// # Errors
    /// The file cannot be read or written.
    pub fn start(&mut self) -> Result<(), BatchFailure> {
        self.post.open(&self.store)?;
        if self.place.has(&catalog_address()) {
            let mut batch = Batch::default();
            batch.queue.push_back(Delivery { to: catalog_address(), message: Message::Resume });
            self.transact(&mut batch)?;
            self.release(batch);
        }
        Ok(())
    }

    /// Works until it is told to stop, or nobody is left who could say anything.
    pub fn run(&mut self) {
        while !self.stopping {
            self.step();
        }
    }

    /// Waits for something to do, does it in one transaction, and lets the effects out.
    pub fn step(&mut self) {
        let mut batch = Batch::default();
        self.gather(&mut batch);
        if batch.queue.is_empty() && !self.post.is_full_of_taken() {
            return;
        }
        self.catch_up();
        match self.transact(&mut batch) {
            Ok(()) => self.release(batch),
            Err(failure) => self.abandon(batch, &failure),
        }
        self.tidy();
    }

    /// Decides by the newest catalog from here on. Whatever is in the batch was sent before this look: so what follows upon an answer
    /// that tells of a new catalog is decided by that one, in every partition.
    fn catch_up(&mut self) {
        if let Some(newest) = self.outside.newest_catalog().filter(|newest| newest.version > self.catalog.version) {
            self.parts.install(&newest);
            self.catalog = CatalogVersion::clone(&newest);
            self.catalog_durable = self.catalog.clone();
        }
    }

    fn gather(&mut self, batch: &mut Batch) {
        let waited = match self.pause() {
            None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(pause) => self.inbox.recv_timeout(pause),
        };
        match waited {
            Ok(item) => self.take_in(item, batch),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.stopping = true,
        }
        let now = clock::now_ms();
        let found = self
            .timers
            .refill(&self.store, now)
            .and_then(|()| self.debts.take(&self.store, now, limits::BATCH_MESSAGES_MAX));
        let owed = found.unwrap_or_else(|cause| {
            tracing::error!(%cause, "cannot read who is to be woken; trying again");
            std::thread::sleep(limits::RETRY_AFTER_FAILURE);
            Vec::new()
        });
        // Who is woken calls an app: these calls go out before answers are worked on, and in batches small enough that
        // the first are under way while the next are made.
        let woken = self.timers.take_due(now, limits::BATCH_WAKES_MAX);
        let room = if woken.is_empty() { limits::BATCH_MESSAGES_MAX } else { limits::BATCH_WAKES_MAX / 8 };
        for to in woken.iter().cloned() {
            batch.queue.push_back(Delivery { to, message: Message::Wake });
        }
        for _ in 0..room.saturating_sub(1) {
            let Ok(item) = self.inbox.try_recv() else { break };
            self.take_in(item, batch);
        }
        for debt in owed.iter().cloned() {
            match debt {
                // Before whatever else may have reached it.
                Debt::Lost(to) => batch.queue.push_front(Delivery { to, message: Message::Resume }),
                Debt::Again(to) => {
                    self.hot.let_go(&mut self.parts, &to);
                    batch.queue.push_back(Delivery { to, message: Message::Wake });
                }
            }
        }
        batch.woken = woken;
        batch.owed.extend(owed);
        match self.post.take_due(&self.store, now) {
            Ok(letters) => letters.into_iter().for_each(|letter| self.send(letter)),
            Err(cause) => {
                tracing::error!(%cause, "cannot read the letters to other partitions; trying again");
                std::thread::sleep(limits::RETRY_AFTER_FAILURE);
            }
        }
    }

    fn send(&self, letter: Stored) {
        self.outside.send(self.place.of(&letter.to), Letter { from: self.place.index, stored: letter });
    }

    /// How long nothing is due; `None`: until somebody says something.
    fn pause(&self) -> Option<Duration> {
        [self.timers.next(), self.debts.next(), self.post.next()].into_iter().flatten().min().map(clock::until)
    }

    fn take_in(&mut self, item: Item, batch: &mut Batch) {
        match item {
            Item::Ask { to, body, reply, place } => {
                drop(place);
                let token = self.asks.open(reply);
                batch.tokens.push(token);
                batch.queue.push_back(Delivery { to, message: Message::Ask((token, body)) });
            }
            Item::Answered { to, outcome } => {
                self.debts.end(&outcome.id);
                batch.answered.insert(outcome.id.clone());
                batch.owed.push(Debt::Again(to.clone()));
                batch.queue.push_back(Delivery { to, message: Message::Answered(outcome) });
            }
            Item::Letter(Letter { from, stored }) => {
                batch.letters.push((from, stored.id));
                batch.queue.push_back(Delivery { to: stored.to, message: Message::Tell(stored.body) });
            }
            Item::Receipt(receipt) => self.post.end(&receipt, clock::now_ms()),
            Item::Stop => self.stopping = true,
        }
    }

    /// All turns of a batch, and the commit.
    fn transact(&mut self, batch: &mut Batch) -> Result<(), BatchFailure> {
        self.store.begin()?;
        while let Some(delivery) = batch.queue.pop_front() {
            self.deliver(delivery, batch)?;
        }
        for (actor, (before, next)) in &batch.wakes {
            if next.wake_row() != *before {
                self.store.set_wake_row(&actor.to_text(), next.wake_row())?;
            }
        }
        for id in self.post.taken() {
            self.store.delete_letter(*id)?;
        }
        self.store.commit()?;
        self.post.forget_taken();
        Ok(())
    }

    /// The rows are durable: now the world may know.
    fn release(&mut self, batch: Batch) {
        for (actor, (_, next)) in batch.wakes {
            if let Some(hot) = self.hot.get(&actor) {
                hot.wake_row = next.wake_row();
            }
            self.timers.set(&actor, next);
        }
        let later = clock::now_ms().saturating_add(millis(limits::RETRY_AFTER_TRAP));
        for actor in &batch.trapped_wakes {
            self.timers.rearm(actor, later);
        }
        for effect in batch.held {
            match effect {
                Held::Reply(reply) => self.asks.answer(reply.token, Ok(reply.body)),
                Held::Failed { token, why } => self.asks.fail(token, &why),
                // An actor that was made anew and woken before it heard the answer asked for what has its answer now.
                Held::Call(_, call) if batch.answered.contains(&call.id) => {}
                Held::Call(from, call) => {
                    if self.debts.begin(&call, &from) == Begin::Now {
                        self.outside.call(&from, call);
                    }
                }
                Held::Letter(letter) => {
                    // One that has others before it waits for them, in the file.
                    if self.post.begin(letter.id) {
                        self.send(letter);
                    }
                }
                Held::Publish(news) => self.outside.publish(&news.channel),
                Held::Install(catalog) => {
                    self.outside.install(&catalog);
                    self.catalog_durable = catalog;
                }
            }
        }
        self.acknowledge(&batch.letters, true);
    }

    /// Tells other partitions what became of their letters.
    fn acknowledge(&self, letters: &[(u32, i64)], taken: bool) {
        let mut receipts: BTreeMap<u32, Receipt> = BTreeMap::new();
        for (from, id) in letters {
            let none = || Receipt { letters: Vec::new(), taken };
            receipts.entry(*from).or_insert_with(none).letters.push(*id);
        }
        receipts.into_iter().for_each(|(from, receipt)| self.outside.receipt(from, receipt));
    }

    /// Nothing of the batch happened: whoever asked is told so, and what came from elsewhere is tried again later.
    fn abandon(&mut self, batch: Batch, failure: &BatchFailure) {
        tracing::error!(cause = %failure, messages = batch.turns, "a transaction failed; nothing of it was kept");
        if let Err(cause) = self.store.rollback() {
            tracing::error!(%cause, "the rollback failed");
        }
        self.hot.forget_all();
        self.parts.restart();
        if batch.installed {
            self.catalog = self.catalog_durable.clone();
            self.parts.install(&self.catalog);
        }
        let later = clock::now_ms().saturating_add(millis(limits::RETRY_AFTER_FAILURE));
        for token in batch.tokens {
            self.asks.fail(token, &format!("nothing was kept: {failure}"));
        }
        self.acknowledge(&batch.letters, false);
        for debt in batch.owed {
            self.debts.owe(debt);
            self.debts.hold_until(later);
        }
        for actor in &batch.woken {
            self.timers.rearm(actor, later);
        }
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
