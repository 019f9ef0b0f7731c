//! What follows from a turn: calls to apps, each answer of which is handed to its actor in the same breath, and letters to other
//! actors. All of it goes on behind the response, and may vanish at any moment: a call's lease ends then, and a letter is sent
//! again.

use crate::actor::{Made, keep};
use crate::bytes::{Bytes, decode, encode};
use crate::catalog;
use crate::document::{Changes, OpenError};
use crate::due::pause;
use crate::engine::Engine;
use crate::home::{Failure, Home};
use crate::limits::{CONFIRM_MS, CONFLICTS_MAX, DELIVERIES_AT_ONCE_MAX, HAND_OVER_AGAIN_MS, HAND_OVERS_MAX};
use crate::outside::{Door, Outside};
use crate::store::Store;
use crate::types::{Address, AppCall, CallOutcome, Message, Part};
use crate::wire::{About, Delivered, Delivery, Order, Ordered};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use stepwell_ledger::Letter;

impl Part {
    /// Where other parts find it.
    pub(crate) const fn door(self) -> Door {
        match self {
            Self::EventApi => Door::EventApi,
            Self::Scheduler => Door::Scheduler,
            Self::Executor => Door::Executor,
        }
    }
}

impl<S: Store, E: Engine, O: Outside> Home<S, E, O> {
    /// Sees to what an actor wants done in the world.
    pub(crate) fn proceed(self: &Rc<Self>, name: &str, made: Made) {
        for (token, body) in made.replies {
            let mut asked = self.asked.borrow_mut();
            if asked.iter().any(|asked| asked.token == token) {
                asked.retain(|asked| asked.token != token);
                self.replies.borrow_mut().insert(token, body);
            }
        }
        for call in made.calls {
            let (home, name) = (self.clone(), name.to_owned());
            self.outside.spawn(async move { home.call(&name, call, made.leased_until).await });
        }
        self.deliver(name, made.letters);
    }

    /// Has a call made, and hands its answer over.
    async fn call(self: &Rc<Self>, name: &str, call: AppCall, until: u64) {
        let id = call.id.clone();
        let outcome = if self.part == Part::Executor {
            Ok(self.make(name, &call, until).await)
        } else {
            self.order(name, call, until).await
        };
        match outcome {
            Ok(Some(outcome)) => self.hand_over(name, outcome).await,
            Ok(None) => self.log("a call was stopped: its lease had ended", name, id),
            Err(cause) => self.log("nobody knows what came of a call: its lease brings it again", name, cause),
        }
    }

    /// A call that the executor makes.
    async fn order(&self, of: &str, call: AppCall, until: u64) -> Result<Ordered, String> {
        let order = encode(&Order { of: of.to_owned(), call, until });
        decode(&self.outside.tell(Door::Executor, "/call", order).await?)
    }

    /// Hands an answer to its actor; again where the store does not take it: that is no reason to run a step twice. One that had
    /// been taken in before is recognised.
    async fn hand_over(self: &Rc<Self>, name: &str, outcome: CallOutcome) {
        let call = outcome.id.clone();
        let message = Message::Answered(outcome);
        for _ in 0..HAND_OVERS_MAX {
            match self.turn(name, &message).await {
                Ok(made) => return self.proceed(name, made),
                Err(failure) => self.log("an answer was not taken in; it is handed over again", name, failure),
            }
            self.outside.sleep(HAND_OVER_AGAIN_MS).await;
        }
        self.log("an answer is given up: its lease brings the call again", name, &call);
    }

    /// Says that a call is under way; false where it counts as lost.
    pub(crate) async fn renew(self: &Rc<Self>, name: &str, call: &str) -> Result<bool, Failure> {
        let _alone = self.alone(name).await;
        for conflict in 0..CONFLICTS_MAX {
            let mut opened = self.documents.open(name).await?;
            let mut ledger = match self.ledger(name, &opened.head).await {
                Err(Failure::Document(OpenError::Gone)) => continue,
                ledger => ledger?,
            };
            let Some(writes) = ledger.renew([call], self.outside.now(), &self.setup.policy) else { return Ok(false) };
            let (mut rows, token) = (Changes::new(), opened.head.token());
            keep(Some(writes), &mut opened.head, &mut rows);
            if self.swap_beside(name, token, opened, rows).await? {
                self.carried(name, &ledger);
                return Ok(true);
            }
            pause(self.outside.as_ref(), conflict).await;
        }
        Err(Failure::Beaten)
    }

    /// A change that the actor in memory need not know of.
    async fn swap_beside(
        &self,
        name: &str,
        token: u64,
        opened: crate::document::Opened<S::Seen>,
        rows: Changes,
    ) -> Result<bool, Failure> {
        match self.documents.commit(opened, rows).await {
            Ok(Some(head)) => {
                if let Some(actor) = self.take_hot(name, token) {
                    self.keep_hot(name, head.token(), actor);
                }
                Ok(true)
            }
            Ok(None) | Err(OpenError::Gone) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Delivers letters, some at once.
    pub(crate) fn deliver(self: &Rc<Self>, from: &str, letters: Vec<Letter>) {
        let many = letters.len().min(DELIVERIES_AT_ONCE_MAX);
        let queue = Rc::new(RefCell::new(VecDeque::from(letters)));
        for _ in 0..many {
            let (home, from, queue) = (self.clone(), from.to_owned(), queue.clone());
            self.outside.spawn(async move {
                loop {
                    let Some(letter) = queue.borrow_mut().pop_front() else { return };
                    match home.deliver_one(&letter).await {
                        Ok(()) => home.confirm(&from, letter.number),
                        Err(cause) => home.log("a message did not arrive; it is sent again", &from, cause),
                    }
                }
            });
        }
    }

    async fn deliver_one(self: &Rc<Self>, letter: &Letter) -> Result<(), String> {
        let to = Address::read(&letter.to).ok_or_else(|| format!("{} is no actor", letter.to))?;
        let part = to.kind.part();
        if part == self.part {
            let made = self.turn(&letter.to, &Message::Tell(letter.body.to_vec())).await;
            self.proceed(&letter.to, made.map_err(|failure| failure.to_string())?);
            return Ok(());
        }
        let said = self.hand_to(part, &letter.to, About::Tell(Bytes(letter.body.to_vec()))).await?;
        said.fault.map_or(Ok(()), |(code, message)| Err(format!("{code}: {message}")))
    }

    /// A message to an actor of another part.
    pub(crate) async fn hand_to(&self, part: Part, to: &str, about: About) -> Result<Delivered, String> {
        let delivery = Delivery { to: to.to_owned(), about, catalog: self.known() };
        decode(&self.outside.tell(part.door(), "/deliver", encode(&delivery)).await?)
    }

    /// A letter was taken in. Its sender's next turn writes it down; if none comes, we do.
    fn confirm(self: &Rc<Self>, from: &str, number: u64) {
        let is_first = {
            let mut confirmed = self.confirmed.borrow_mut();
            let numbers = confirmed.entry(from.to_owned()).or_default();
            numbers.insert(number);
            numbers.len() == 1
        };
        if is_first {
            let (home, from) = (self.clone(), from.to_owned());
            self.outside.spawn(async move {
                home.outside.sleep(CONFIRM_MS).await;
                if let Err(failure) = home.write_confirmations(&from).await {
                    home.log("confirmations were not written down: letters come again", &from, failure);
                    home.confirmed.borrow_mut().remove(&from);
                }
            });
        }
    }

    async fn write_confirmations(self: &Rc<Self>, name: &str) -> Result<(), Failure> {
        let _alone = self.alone(name).await;
        for conflict in 0..CONFLICTS_MAX {
            if !self.confirmed.borrow().contains_key(name) {
                return Ok(());
            }
            let mut opened = self.documents.open(name).await?;
            let mut ledger = match self.ledger(name, &opened.head).await {
                Err(Failure::Document(OpenError::Gone)) => continue,
                ledger => ledger?,
            };
            let (mut rows, token) = (Changes::new(), opened.head.token());
            keep(Some(ledger.write_down()), &mut opened.head, &mut rows);
            if ledger.is_at_rest() {
                opened.head.alarm = None;
            }
            if self.swap_beside(name, token, opened, rows).await? {
                self.carried(name, &ledger);
                return Ok(());
            }
            pause(self.outside.as_ref(), conflict).await;
        }
        Err(Failure::Beaten)
    }

    /// What another part says to an actor of this one.
    pub(crate) async fn delivered(self: &Rc<Self>, delivery: Delivery) -> Delivered {
        let to = delivery.to.clone();
        match self.take_in(delivery).await {
            Ok(delivered) => delivered,
            Err(failure) => {
                self.log("a message was not taken in", &to, &failure);
                let fault = Some((failure.code().to_owned(), failure.to_string()));
                Delivered { reply: None, fault, state: 0 }
            }
        }
    }

    async fn take_in(self: &Rc<Self>, delivery: Delivery) -> Result<Delivered, Failure> {
        if delivery.to != catalog::NAME {
            self.know(delivery.catalog).await?;
        }
        let token = self.outside.draw();
        let message = match delivery.about {
            About::Tell(body) => Message::Tell(body.0),
            About::Ask(body) => Message::Ask(token, body.0),
        };
        let mut made = self.turn(&delivery.to, &message).await?;
        let reply =
            made.replies.iter().position(|(held, _)| *held == token).map(|place| Bytes(made.replies.remove(place).1));
        let state = made.state;
        self.proceed(&delivery.to, made);
        Ok(Delivered { reply, fault: None, state })
    }

    /// A call for an actor of another part.
    pub(crate) async fn ordered(self: &Rc<Self>, order: Order) -> Ordered {
        self.make(&order.of, &order.call, order.until).await
    }
}
