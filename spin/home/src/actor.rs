//! One message to one actor: read, decide, swap. Whoever is beaten to it decides anew.

use crate::bytes::Bytes;
use crate::catalog::SNAPSHOT;
use crate::document::{Changes, Head, OpenError, Opened};
use crate::due::pause;
use crate::engine::Engine;
use crate::home::{Asked, Failure, Home};
use crate::limits::{CONFLICTS_MAX, ROUNDS_MAX};
use crate::outside::Outside;
use crate::store::Store;
use crate::types::{Address, AppCall, Done, Effect, Fault, Message, Outcome, Range, RangeRows, TurnInput};
use std::borrow::Cow;
use std::rc::Rc;
use stepwell_ledger::{Alarm, Decided, Ledger, LedgerError, Letter, Settled, Writes};

/// Where the parcels of a ledger are among the rows: above everything that an actor may ask for.
const PARCELS: &str = "\u{10ffff}p";
const PARCELS_END: &str = "\u{10ffff}q";

/// What is to be done now that a turn is durable.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) replies: Vec<(u64, Vec<u8>)>,
    pub(crate) calls: Vec<AppCall>,
    /// When the leases of these calls are over, unless they are renewed.
    pub(crate) leased_until: u64,
    pub(crate) letters: Vec<Letter>,
    /// The state of the actor's document.
    pub(crate) state: u64,
}

/// What a turn wants done in the world, by kind.
#[derive(Default)]
struct Sorted {
    decided: Decided,
    calls: Vec<AppCall>,
    replies: Vec<(u64, Vec<u8>)>,
    catalog: Option<(u64, Vec<u8>)>,
}

impl<S: Store, E: Engine, O: Outside> Home<S, E, O> {
    /// Lets an actor decide about a message, and makes it durable.
    pub(crate) async fn turn(self: &Rc<Self>, name: &str, message: &Message) -> Result<Made, Failure> {
        let address = Address::read(name)
            .filter(|address| address.kind.part() == self.part)
            .ok_or_else(|| Failure::Unknown(name.to_owned()))?;
        let _alone = self.alone(name).await;
        for conflict in 0..CONFLICTS_MAX {
            match self.try_turn(&address, name, message).await {
                Ok(Some(made)) => return Ok(made),
                Ok(None) | Err(Failure::Document(OpenError::Gone)) => pause(self.outside.as_ref(), conflict).await,
                Err(failure) => return Err(failure),
            }
        }
        Err(Failure::Beaten)
    }

    async fn try_turn(
        self: &Rc<Self>,
        address: &Address,
        name: &str,
        message: &Message,
    ) -> Result<Option<Made>, Failure> {
        let mut opened = self.documents.open(name).await?;
        let before = opened.head.token();
        let mut ledger = self.ledger(name, &opened.head).await?;
        let now = self.outside.now();
        let Some(message) = still_due(&ledger, now, message) else {
            return Ok(Some(Made { state: before, ..Made::default() }));
        };
        let message = message.as_ref();
        let actor = self.actor(address, name, &opened.head).await?;
        let entropy = (self.outside.draw(), self.outside.draw());
        let done = self.decide(name, &opened.head, &actor, now, entropy, message).await?;
        let is_reading = done.writes.is_empty();
        let mut rows: Changes = Changes::new();
        for write in done.writes.iter() {
            rows.insert(write.key.clone(), write.value.clone().map(Bytes));
        }
        let mut sorted = sorted(done);
        let is_question = matches!(message, Message::Ask(..));
        if is_question && is_reading && sorted.decided.sends.is_empty() && sorted.calls.is_empty() {
            return self.say(name, before, actor, sorted.replies).await;
        }
        sorted.decided.over = match message {
            Message::Answered(outcome) => vec![outcome.id.clone()],
            Message::Lost(calls) => calls.clone(),
            _ => Vec::new(),
        };
        let settled = ledger.settle(sorted.decided, now, &self.setup.policy).map_err(ledger_fault)?;
        let Settled { writes, alarm, letters, calls } = settled;
        if is_reading && writes.is_none() && sorted.catalog.is_none() {
            return self.say(name, before, actor, sorted.replies).await;
        }
        if let Some((version, snapshot)) = &sorted.catalog {
            rows.insert(SNAPSHOT.to_owned(), Some(Bytes(snapshot.clone())));
            opened.head.catalog = *version;
        }
        keep(writes, &mut opened.head, &mut rows);
        self.set_alarm(&mut opened, &ledger, alarm).await?;
        let Some(head) = self.documents.commit(opened, rows).await? else { return Ok(None) };
        self.keep_hot(name, head.token(), actor);
        self.carried(name, &ledger);
        self.set_again(name, alarm).await;
        if let Some((version, snapshot)) = sorted.catalog {
            self.learn(version, snapshot);
        }
        self.remember_asked(name, message, (now, entropy), &sorted.calls);
        let made = sorted.calls.into_iter().enumerate().filter(|(place, _)| calls.contains(place));
        Ok(Some(Made {
            replies: sorted.replies,
            calls: made.map(|(_, call)| call).collect(),
            leased_until: now.saturating_add(self.setup.policy.lease_ms),
            letters,
            state: head.token(),
        }))
    }

    /// Nothing is to be written: it is said once a second look has shown that the state is the newest.
    async fn say(
        &self,
        name: &str,
        token: u64,
        actor: E::Actor,
        replies: Vec<(u64, Vec<u8>)>,
    ) -> Result<Option<Made>, Failure> {
        if self.documents.peek(name).await?.token() != token {
            return Ok(None);
        }
        self.keep_hot(name, token, actor);
        Ok(Some(Made { replies, state: token, ..Made::default() }))
    }

    /// An alarm for whatever is pending: before the commit that needs it.
    pub(crate) async fn set_alarm(
        self: &Rc<Self>,
        opened: &mut Opened<S::Seen>,
        ledger: &Ledger,
        alarm: Alarm,
    ) -> Result<(), Failure> {
        if let Alarm::Set(at) = alarm {
            self.due.set(&opened.name, at).await?;
            opened.head.alarm = Some(at);
            self.sleep_for(at);
        }
        if ledger.is_at_rest() {
            // The one in the index rings for nothing, and nobody needs to be told of it then.
            opened.head.alarm = None;
        }
        Ok(())
    }

    /// The commit took longer than until its alarm, which may have gone off for the state before.
    pub(crate) async fn set_again(&self, name: &str, alarm: Alarm) {
        if let Alarm::Set(at) = alarm
            && at <= self.outside.now()
            && let Err(error) = self.due.set(name, at).await
        {
            self.log("an alarm was not set again; the claim of whoever rang for it comes again", name, error);
        }
    }

    /// The ledger of a state, with the confirmations that this instance knows of.
    pub(crate) async fn ledger(&self, name: &str, head: &Head) -> Result<Ledger, Failure> {
        let mut parcels = Vec::new();
        if head.parcels > 0 {
            let all =
                Range { start: PARCELS.to_owned(), end: PARCELS_END.to_owned(), limit: u32::MAX, descending: false };
            for row in self.documents.rows(name, head, &all).await? {
                let number = row.key.strip_prefix(PARCELS).and_then(|number| number.parse::<u64>().ok());
                parcels.extend(number.map(|number| (number, row.value)));
            }
        }
        let parcels = parcels.iter().map(|(number, bytes)| (*number, bytes.as_slice()));
        let stored = head.ledger.as_ref().map(|bytes| bytes.0.as_slice());
        let mut ledger = Ledger::load(stored, parcels, head.alarm).map_err(ledger_fault)?;
        for number in self.confirmed.borrow().get(name).into_iter().flatten() {
            ledger.confirm(*number);
        }
        Ok(ledger)
    }

    /// Confirmations that are durable now need not be remembered: what the ledger does not know any more was confirmed.
    pub(crate) fn carried(&self, name: &str, ledger: &Ledger) {
        let mut confirmed = self.confirmed.borrow_mut();
        if let Some(numbers) = confirmed.get_mut(name) {
            numbers.retain(|number| ledger.letter(*number).is_some());
            if numbers.is_empty() {
                confirmed.remove(name);
            }
        }
    }

    /// The actor in memory if it is of this state, else one made of its rows.
    async fn actor(&self, address: &Address, name: &str, head: &Head) -> Result<E::Actor, Failure> {
        if let Some(actor) = self.take_hot(name, head.token()) {
            return Ok(actor);
        }
        let mut rows = Vec::new();
        for range in self.engine.preload(address) {
            let held = self.documents.rows(name, head, &range).await?;
            rows.push(RangeRows { range, rows: held });
        }
        let actor = self.engine.actor(address, rows);
        let asked: Vec<Asked> = self.asked.borrow().iter().filter(|asked| asked.name == name).cloned().collect();
        for Asked { token, body, now, entropy, .. } in asked {
            // It has said this before, and forgotten it with its memory; the calls that it asked for are under way.
            self.decide(name, head, &actor, now, entropy, &Message::Ask(token, body)).await?;
        }
        Ok(actor)
    }

    async fn decide(
        &self,
        name: &str,
        head: &Head,
        actor: &E::Actor,
        now: u64,
        entropy: (u64, u64),
        message: &Message,
    ) -> Result<Done, Failure> {
        let mut supplied: Vec<RangeRows> = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let catalog = self.install()?;
            let input = TurnInput { now, entropy, catalog, message: message.clone(), supplied: supplied.clone() };
            match self.engine.turn(actor, input)? {
                Outcome::Done(done) => return Ok(done),
                Outcome::Needs(ranges) => {
                    for range in ranges {
                        let rows = self.documents.rows(name, head, &range).await?;
                        supplied.push(RangeRows { range, rows });
                    }
                }
            }
        }
        Err(Failure::Refused(Fault {
            code: "engine_fault".to_owned(),
            message: "a turn asked for rows again and again".to_owned(),
        }))
    }

    /// A question that asks for calls is answered by their answers.
    fn remember_asked(&self, name: &str, message: &Message, (now, entropy): (u64, (u64, u64)), calls: &[AppCall]) {
        if let (Message::Ask(token, body), false) = (message, calls.is_empty()) {
            let asked = Asked { name: name.to_owned(), token: *token, body: body.clone(), now, entropy };
            self.asked.borrow_mut().push(asked);
        }
    }
}

/// Keeps what a ledger wants kept.
pub(crate) fn keep(writes: Option<Writes>, head: &mut Head, rows: &mut Changes) {
    let Some(writes) = writes else { return };
    head.ledger = Some(Bytes(writes.head));
    if let Some(parcel) = writes.put {
        rows.insert(format!("{PARCELS}{:020}", parcel.number), Some(Bytes(parcel.bytes)));
        head.parcels = head.parcels.saturating_add(1);
    }
    for number in writes.remove {
        rows.insert(format!("{PARCELS}{number:020}"), None);
        head.parcels = head.parcels.saturating_sub(1);
    }
}

/// The message, unless it tells of something that a ring has found due and that is not due any more: another instance may have been at
/// the actor since, and a lease that was renewed meanwhile is not lost.
fn still_due<'a>(ledger: &Ledger, now: u64, message: &'a Message) -> Option<Cow<'a, Message>> {
    let is_due = match message {
        Message::Lost(_) => {
            let lost = ledger.due(now).lost;
            return (!lost.is_empty()).then_some(Cow::Owned(Message::Lost(lost)));
        }
        Message::Resume => ledger.due(now).resume,
        Message::Wake => ledger.due(now).wake,
        Message::Tell(_) | Message::Ask(..) | Message::Answered(_) => true,
    };
    is_due.then_some(Cow::Borrowed(message))
}

fn sorted(done: Done) -> Sorted {
    let mut sorted = Sorted::default();
    (sorted.decided.wake_at, sorted.decided.owing) = (done.wake_at, done.owing);
    for effect in done.effects {
        match effect {
            Effect::Send(to, body) => sorted.decided.sends.push((to.name().into(), body.into())),
            Effect::Call(call) => {
                sorted.decided.calls.push(call.id.clone());
                sorted.calls.push(call);
            }
            Effect::Reply(token, body) => sorted.replies.push((token, body)),
            Effect::Install(version, snapshot) => sorted.catalog = Some((version, snapshot)),
            // Whoever watches sees it by the document's state.
            Effect::Publish => {}
        }
    }
    sorted
}

pub(crate) fn ledger_fault(error: LedgerError) -> Failure {
    Failure::Refused(Fault { code: error.code().to_owned(), message: error.to_string() })
}
