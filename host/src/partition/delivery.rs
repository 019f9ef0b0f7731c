//! One message to one actor: make it, ask it, ask again with the rows that it needs, and take over what it says.

use super::batch::{Batch, Delivery, Held, Next};
use super::debts::Debt;
use super::hot::HotActor;
use super::outside::Outside;
use super::turns::{BatchFailure, Turns};
use crate::parts::{Part, Parts, Trap};
use crate::store::{Stored, WakeRow};
use crate::wit::{Address, CallFailure, CallOutcome, Done, Effect, Message, Outcome, Range, RangeRows, Row, TurnInput};
use crate::{clock, limits};

/// Why an actor did not take a message in. Nothing was changed.
enum Refused {
    /// Its instance is gone.
    Trap(Trap),
    /// It said so.
    Fault(String),
}

impl<P: Parts, O: Outside> Turns<P, O> {
    /// Delivers one message and everything that follows from it into `batch`.
    ///
    /// # Errors
    /// The store failed: nothing of the transaction may stay.
    pub(super) fn deliver(&mut self, delivery: Delivery, batch: &mut Batch) -> Result<(), BatchFailure> {
        batch.turns = batch.turns.saturating_add(1);
        if batch.turns > limits::BATCH_TURNS_MAX {
            return Err(BatchFailure::Endless);
        }
        let Delivery { to, message } = delivery;
        if self.must_resume(&to, &message, batch)? {
            batch.owed.push(Debt::Lost(to.clone()));
            self.deliver(Delivery { to: to.clone(), message: Message::Resume }, batch)?;
        }
        let mut input = TurnInput {
            now: clock::now_ms(),
            entropy: clock::entropy()?,
            catalog: self.catalog.version,
            message,
            supplied: Vec::new(),
        };
        let refused = match self.attempt_twice(&to, &mut input)? {
            Ok(done) => return self.take_over(&to, done, batch),
            Err(refused) => refused,
        };
        let (why, trapped) = match refused {
            Refused::Trap(trap) => (trap.to_string(), true),
            Refused::Fault(why) => (why, false),
        };
        tracing::error!(actor = to.to_text(), message = name_of(&input.message), code = "engine_fault", why, trapped);
        match input.message {
            Message::Ask((token, _)) => batch.held.push(Held::Failed { token, why }),
            Message::Answered(CallOutcome { answer: Err(CallFailure::EngineFault(_)), .. }) => {}
            Message::Answered(CallOutcome { id, .. }) => {
                // The run must learn that its answer could not be taken in: that counts as a failed attempt.
                let outcome = CallOutcome { id, answer: Err(CallFailure::EngineFault(why)) };
                batch.queue.push_front(Delivery { to, message: Message::Answered(outcome) });
            }
            Message::Wake => batch.trapped_wakes.push(to),
            // The process knows its calls: nobody here says that one is lost.
            Message::Tell(_) | Message::Resume | Message::Lost(_) => {}
        }
        Ok(())
    }

    /// A message may reach an actor before its turn to be resumed has come. What a crash left running out there must be given
    /// up first, or the same calls would go out beside it.
    fn must_resume(&self, to: &Address, message: &Message, batch: &Batch) -> Result<bool, BatchFailure> {
        let comes_first = matches!(message, Message::Resume) || batch.wakes.contains_key(to);
        if comes_first || !self.debts.may_be_lost(to) {
            return Ok(false);
        }
        Ok(self.store.wake_row(&to.to_text())? == Some(WakeRow::Owing))
    }

    /// A trap may come of the state of the instance: the actor gets a second chance in a fresh one.
    fn attempt_twice(&mut self, to: &Address, input: &mut TurnInput) -> Result<Result<Done, Refused>, BatchFailure> {
        match self.attempt(to, input)? {
            Err(Refused::Trap(trap)) => {
                tracing::warn!(actor = to.to_text(), cause = %trap, "a decision trapped; trying once more in a fresh instance");
                self.hot.forget_part(trap.part);
            }
            settled => return Ok(settled),
        }
        let second = self.attempt(to, input)?;
        if let Err(Refused::Trap(trap)) = &second {
            self.hot.forget_part(trap.part);
        }
        Ok(second)
    }

    fn attempt(&mut self, to: &Address, input: &mut TurnInput) -> Result<Result<Done, Refused>, BatchFailure> {
        input.supplied.clear();
        if self.hot.get(to).is_none() {
            match self.make(to)? {
                Ok(made) => self.hot.insert(to.clone(), made),
                Err(trap) => return Ok(Err(Refused::Trap(trap))),
            }
        }
        for _ in 0..limits::NEEDS_ROUNDS_MAX {
            let Some(hot) = self.hot.get(to) else { break };
            match self.parts.turn(to, &hot.actor, input) {
                Err(trap) => return Ok(Err(Refused::Trap(trap))),
                Ok(Err(fault)) => return Ok(Err(Refused::Fault(format!("{}: {}", fault.code, fault.message)))),
                Ok(Ok(Outcome::Done(done))) => return Ok(Ok(done)),
                Ok(Ok(Outcome::Needs(ranges))) => input.supplied.extend(self.read(to, ranges)?),
            }
        }
        Ok(Err(Refused::Fault(format!("it asked for rows {} times", limits::NEEDS_ROUNDS_MAX))))
    }

    fn make(&mut self, address: &Address) -> Result<Result<HotActor<P::Actor>, Trap>, BatchFailure> {
        let ranges = match self.parts.preload(address) {
            Ok(ranges) => ranges,
            Err(trap) => return Ok(Err(trap)),
        };
        let rows = self.read(address, ranges)?;
        let wake_row = self.store.wake_row(&address.to_text())?;
        let bytes = rows.iter().flat_map(|held| &held.rows).map(|row| size(&row.key, row.value.len())).sum();
        Ok(self.parts.make(address, &rows).map(|actor| HotActor { actor, bytes, wake_row }))
    }

    fn read(&self, actor: &Address, ranges: Vec<Range>) -> Result<Vec<RangeRows>, BatchFailure> {
        let name = actor.to_text();
        let mut supplied = Vec::with_capacity(ranges.len());
        for range in ranges {
            let rows: Vec<Row> = self.store.read(&name, &range)?;
            supplied.push(RangeRows { range, rows });
        }
        Ok(supplied)
    }

    /// Writes what a turn decided and holds its effects back until the commit.
    fn take_over(&mut self, from: &Address, done: Done, batch: &mut Batch) -> Result<(), BatchFailure> {
        let name = from.to_text();
        let mut written: usize = 0;
        for write in &done.writes {
            self.store.write(&name, write)?;
            written = written.saturating_add(size(&write.key, write.value.as_ref().map_or(0, Vec::len)));
        }
        self.hot.grow(from, written);
        let next = Next { wake_at: done.wake_at, owing: done.owing };
        match batch.wakes.get_mut(from) {
            Some((_, said)) => *said = next,
            None => {
                let before = self.hot.get(from).and_then(|hot| hot.wake_row);
                batch.wakes.insert(from.clone(), (before, next));
            }
        }
        for effect in done.effects {
            match effect {
                Effect::Send(send) if !self.place.has(&send.to) => {
                    let letter = Stored { id: self.post.id(), to: send.to, body: send.body };
                    self.store.write_letter(letter.id, &letter.to, &letter.body)?;
                    batch.held.push(Held::Letter(letter));
                }
                Effect::Send(send) => {
                    batch.queue.push_back(Delivery { to: send.to, message: Message::Tell(send.body) });
                }
                Effect::Install(catalog) => {
                    // Here at once, since what is sent next is decided by it; elsewhere once it is durable.
                    self.parts.install(&catalog);
                    self.catalog = catalog.clone();
                    batch.installed = true;
                    batch.held.push(Held::Install(catalog));
                }
                Effect::Reply(reply) => batch.held.push(Held::Reply(reply)),
                Effect::Call(call) => batch.held.push(Held::Call(from.clone(), call)),
                Effect::Publish(news) => batch.held.push(Held::Publish(news)),
            }
        }
        Ok(())
    }

    /// Lets go of instances that have grown too large, and of hot actors beyond the bounds.
    pub(super) fn tidy(&mut self) {
        let grown: Vec<Part> = self.parts.outgrown();
        for part in grown {
            tracing::info!(?part, "an instance of the engine has grown large; its actors are made anew");
            self.hot.forget_part(part);
        }
        self.hot.shrink(&mut self.parts, &self.debts);
    }
}

fn size(key: &str, value: usize) -> usize {
    key.len().saturating_add(value)
}

fn name_of(message: &Message) -> &'static str {
    match message {
        Message::Tell(_) => "tell",
        Message::Ask(_) => "ask",
        Message::Answered(_) => "answered",
        Message::Wake => "wake",
        Message::Resume => "resume",
        Message::Lost(_) => "lost",
    }
}
