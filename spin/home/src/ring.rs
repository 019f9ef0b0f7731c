//! Time, where nobody is there to keep it: whoever comes by looks at what is due; and an instance that has set an alarm sleeps
//! until then, which makes things faster and is needed for nothing.

use crate::actor::keep;
use crate::bytes::{Bytes, decode, encode};
use crate::concurrent::{Work, all};
use crate::document::{Changes, OpenError};
use crate::due::{Claimed, pause};
use crate::engine::Engine;
use crate::home::{Failure, Home};
use crate::limits::{CONFLICTS_MAX, DUE_SHARDS, PASSING_MS, SLEEP_MS_MAX, SLEEPER_MS};
use crate::outside::{Door, Outside};
use crate::store::Store;
use crate::types::{Message, Range};
use std::rc::Rc;
use stepwell_ledger::{Alarm, Due, Letter};

/// The row of a sleeper's lease.
const LEASE: &str = "lease";

impl<S: Store, E: Engine, O: Outside> Home<S, E, O> {
    /// Sees to whatever is due in this part.
    async fn tick(self: &Rc<Self>) {
        self.looked_at.set(self.outside.now());
        let shards = (0..DUE_SHARDS).map(|shard| {
            let work: Work<'_, ()> = Box::pin(self.tick_shard(shard));
            work
        });
        all(shards.collect()).await;
    }

    async fn tick_shard(self: &Rc<Self>, shard: u64) {
        loop {
            let claimed = match self.due.claim(shard, self.outside.now()).await {
                Ok(claimed) if claimed.is_empty() => return,
                Ok(claimed) => claimed,
                Err(error) => return self.log("what is due could not be claimed", "", error),
            };
            if let Err(error) = self.know_newest().await {
                self.log("the catalog could not be read", "", error);
            }
            let rung = claimed.into_iter().map(|claimed| {
                let work: Work<'_, Option<Claimed>> = Box::pin(async move {
                    match self.ring(&claimed.name, claimed.at).await {
                        Ok(is_settled) => is_settled.then_some(claimed),
                        Err(failure) => {
                            self.log("an alarm could not be handled; it comes again", &claimed.name, failure);
                            None
                        }
                    }
                });
                work
            });
            let seen_to: Vec<Claimed> = all(rung.collect()).await.into_iter().flatten().collect();
            if let Err(error) = self.due.release(shard, seen_to).await {
                self.log("claims were not released; they end by themselves", "", error);
            }
        }
    }

    /// An alarm of an actor goes off, or a claim whose time is over. Gives whether it was the one that the actor's document
    /// names: another one may belong to a commit that is on its way.
    async fn ring(self: &Rc<Self>, name: &str, at: Option<u64>) -> Result<bool, Failure> {
        let mut conflict = 0_u32;
        let (letters, due, named) = loop {
            let tried = {
                let _alone = self.alone(name).await;
                self.try_ring(name).await
            };
            match tried {
                Ok(Some(rung)) => break rung,
                Ok(None) | Err(Failure::Document(OpenError::Gone)) if conflict < CONFLICTS_MAX => {
                    pause(self.outside.as_ref(), conflict).await;
                    conflict = conflict.saturating_add(1);
                }
                Ok(None) => return Err(Failure::Beaten),
                Err(failure) => return Err(failure),
            }
        };
        self.deliver(name, letters);
        let mut messages: Vec<Message> = Vec::new();
        if !due.lost.is_empty() {
            messages.push(Message::Lost(due.lost));
        }
        if due.resume {
            messages.push(Message::Resume);
        }
        if due.wake {
            messages.push(Message::Wake);
        }
        for message in messages {
            // One that fails is made again by the alarm that guards it.
            match self.turn(name, &message).await {
                Ok(made) => self.proceed(name, made),
                Err(failure) => self.log("what was due was not taken in; it comes again", name, failure),
            }
        }
        Ok(at.is_none() || at == named)
    }

    async fn try_ring(self: &Rc<Self>, name: &str) -> Result<Option<(Vec<Letter>, Due, Option<u64>)>, Failure> {
        let mut opened = self.documents.open(name).await?;
        let mut ledger = self.ledger(name, &opened.head).await?;
        let rung = ledger.ring(self.outside.now(), &self.setup.policy);
        let named = opened.head.alarm.take();
        if rung.writes.is_none() && rung.alarm == Alarm::Keep && named.is_none() {
            return Ok(Some((rung.letters, rung.due, named)));
        }
        // What the document says of its alarm must be true whatever clocks say: it is written each time.
        let mut rows = Changes::new();
        keep(rung.writes, &mut opened.head, &mut rows);
        self.set_alarm(&mut opened, &ledger, rung.alarm).await?;
        let token = opened.head.token();
        let actor = self.take_hot(name, token);
        let Some(head) = self.documents.commit(opened, rows).await? else { return Ok(None) };
        if let Some(actor) = actor {
            self.keep_hot(name, head.token(), actor);
        }
        self.carried(name, &ledger);
        self.set_again(name, rung.alarm).await;
        Ok(Some((rung.letters, rung.due, named)))
    }

    /// A request came by: it looks, at most so often, and nobody waits for it.
    pub(crate) fn in_passing(self: &Rc<Self>) {
        let now = self.outside.now();
        if now < self.looked_at.get().saturating_add(PASSING_MS) {
            return;
        }
        self.looked_at.set(now);
        let home = self.clone();
        self.outside.spawn(async move {
            home.look().await;
            if home.is_public() {
                // Nobody may have a reason to ask the other parts anything.
                if let Err(cause) = home.tick_others().await {
                    home.log("a part was not ticked", "", cause);
                }
            }
        });
    }

    /// Sees to what is due, and to somebody who wakes for what is due next.
    pub(crate) async fn look(self: &Rc<Self>) {
        self.tick().await;
        match self.due.next().await {
            Ok(Some(next)) => self.sleep_until(next),
            Ok(None) => {}
            Err(error) => self.log("what is due next could not be read", "", error),
        }
    }

    /// The same in the other parts.
    pub(crate) async fn tick_others(&self) -> Result<(), String> {
        for door in [Door::Scheduler, Door::Executor] {
            self.outside.tell(door, "/tick", Vec::new()).await?;
        }
        Ok(())
    }

    /// An alarm was set here: as long as it is near, somebody here wakes for it.
    pub(crate) fn sleep_for(self: &Rc<Self>, at: u64) {
        let most = self.outside.now().saturating_add(SLEEP_MS_MAX);
        self.sleeps_for.set(self.sleeps_for.get().max(at.min(most)));
        self.sleep_until(at);
    }

    /// Sees to it that somebody here wakes at that time, or before.
    fn sleep_until(self: &Rc<Self>, at: u64) {
        let now = self.outside.now();
        let at = at.max(now.saturating_add(1)).min(now.saturating_add(SLEEP_MS_MAX));
        let held = self.sleeps_until.get();
        if held > now && held <= at {
            return;
        }
        self.sleeps_until.set(at);
        let home = self.clone();
        self.outside.spawn(async move {
            home.outside.sleep(at.saturating_sub(now)).await;
            // Somebody who wakes earlier has taken over, and sees to what comes after.
            if home.sleeps_until.get() == at {
                home.sleeps_until.set(0);
                home.wake().await;
            }
        });
    }

    /// A sleeper wakes. It goes on for the alarms that were set here; one of each part goes on for all.
    async fn wake(self: &Rc<Self>) {
        self.tick().await;
        match self.due.next().await {
            Ok(Some(next)) if next <= self.sleeps_for.get() => self.sleep_until(next),
            Ok(Some(next)) => match self.is_sleeper().await {
                Ok(true) => self.sleep_until(next),
                Ok(false) => {}
                Err(error) => self.log("nobody knows who sleeps", "", error),
            },
            Ok(None) => {}
            Err(error) => self.log("what is due next could not be read", "", error),
        }
    }

    /// Whether this instance is the one of its part that goes on sleeping, from now on for a while.
    async fn is_sleeper(&self) -> Result<bool, OpenError> {
        let name = format!("sleeper/{}", self.part.as_str());
        let opened = self.documents.open(&name).await?;
        let row = Range { start: LEASE.to_owned(), end: format!("{LEASE}\0"), limit: 1, descending: false };
        let held = self.documents.rows(&name, &opened.head, &row).await?.pop();
        let held: Option<(u64, u64)> = held.and_then(|row| decode(&row.value).ok());
        let now = self.outside.now();
        if held.is_some_and(|(who, until)| who != self.number && until > now && until <= now.saturating_add(SLEEPER_MS))
        {
            return Ok(false);
        }
        let lease = encode(&(self.number, now.saturating_add(SLEEPER_MS)));
        let rows = Changes::from([(LEASE.to_owned(), Some(Bytes(lease)))]);
        Ok(self.documents.commit(opened, rows).await?.is_some())
    }
}
