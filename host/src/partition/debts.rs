//! Calls in flight, and the actors whose calls wait for room.
//!
//! A call that finds no room is let go, body and all: that it is owed follows from its actor's rows (law 3), so the
//! address alone is kept. When there is room the actor is made anew from its rows and woken: it asks for all its calls
//! again, and those that are in flight are recognised by their ids. Only what a restart hid is *resumed*, which gives
//! up what may still be running out there.

use crate::limits;
use crate::store::{Store, StoreError};
use crate::wit::Address;
use std::collections::{HashMap, HashSet, VecDeque};

/// What is to be done with a call.
#[derive(Debug, PartialEq, Eq)]
pub enum Begin {
    /// Make it.
    Now,
    /// Nothing: it is in flight already.
    Twice,
    /// Nothing yet: the actor will be resumed when there is room.
    Later,
}

/// An actor that owes calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Debt {
    /// A restart hid what became of its calls.
    Lost(Address),
    /// Its calls found no room, or what they brought could not be kept; nothing of it is running out there.
    Again(Address),
}

/// Who owes and is owed what.
pub struct Debts {
    calls_max: usize,
    in_flight: HashMap<String, Address>,
    busy: HashMap<Address, usize>,
    owed: VecDeque<Debt>,
    queued: HashSet<Address>,
    not_before: u64,
    /// The last address read from the file, until all have been.
    cursor: Option<String>,
}

impl Debts {
    /// Nothing in flight, and the debts of the file still to be read; at most `calls_max` calls at once.
    #[must_use]
    pub fn new(calls_max: usize) -> Self {
        Self {
            calls_max,
            in_flight: HashMap::new(),
            busy: HashMap::new(),
            owed: VecDeque::new(),
            queued: HashSet::new(),
            not_before: 0,
            cursor: Some(String::new()),
        }
    }

    /// Notes a call that `from` wants made.
    pub fn begin(&mut self, id: &str, from: &Address) -> Begin {
        if self.in_flight.contains_key(id) {
            return Begin::Twice;
        }
        if self.in_flight.len() >= self.calls_max {
            self.owe(Debt::Again(from.clone()));
            return Begin::Later;
        }
        self.in_flight.insert(id.to_owned(), from.clone());
        let calls = self.busy.entry(from.clone()).or_default();
        *calls = calls.saturating_add(1);
        Begin::Now
    }

    /// Notes that a call has ended.
    pub fn end(&mut self, id: &str) {
        let Some(from) = self.in_flight.remove(id) else { return };
        if let Some(calls) = self.busy.get_mut(&from) {
            *calls = calls.saturating_sub(1);
            if *calls == 0 {
                self.busy.remove(&from);
            }
        }
    }

    /// Whether a call of `actor` is in flight.
    #[must_use]
    pub fn is_busy(&self, actor: &Address) -> bool {
        self.busy.contains_key(actor)
    }

    /// Whether a restart may hide what became of this actor's calls: it is to be resumed before it hears anything else.
    /// Once everything that was owed is taken up again this costs nothing.
    #[must_use]
    pub fn may_be_lost(&self, actor: &Address) -> bool {
        let is_listed = || self.queued.contains(actor) && self.owed.contains(&Debt::Lost(actor.clone()));
        !self.is_busy(actor) && (self.cursor.is_some() || is_listed())
    }

    /// Notes an actor whose turn comes when there is room. The first word about an actor stands.
    pub fn owe(&mut self, debt: Debt) {
        let (Debt::Lost(actor) | Debt::Again(actor)) = &debt;
        if self.queued.insert(actor.clone()) {
            self.owed.push_back(debt);
        }
    }

    /// Asks nobody before `at`.
    pub fn hold_until(&mut self, at: u64) {
        self.not_before = self.not_before.max(at);
    }

    /// When there is an actor to ask for its calls: never, while there is no room.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        let has_room = self.in_flight.len() < self.calls_max;
        let has_debts = !self.owed.is_empty() || self.cursor.is_some();
        (has_room && has_debts).then_some(self.not_before)
    }

    /// Up to `limit` actors that owe calls, no more than there is room for.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn take(&mut self, store: &Store, now: u64, limit: usize) -> Result<Vec<Debt>, StoreError> {
        if now < self.not_before {
            return Ok(Vec::new());
        }
        let room = self.calls_max.saturating_sub(self.in_flight.len()).min(limit);
        if self.owed.len() < room
            && let Some(after) = self.cursor.take()
        {
            // On an error the debts stay unread, and are read at the next try.
            let page = store.owing(&after, limits::OWING_PAGE).inspect_err(|_| self.cursor = Some(after.clone()))?;
            self.cursor = page.last().map(Address::to_text);
            page.into_iter().for_each(|actor| self.owe(Debt::Lost(actor)));
        }
        let taken: Vec<_> = self.owed.drain(..room.min(self.owed.len())).collect();
        for Debt::Lost(actor) | Debt::Again(actor) in &taken {
            self.queued.remove(actor);
        }
        // Whose calls are in flight was resumed already, because something else reached it first.
        Ok(taken.into_iter().filter(|debt| !matches!(debt, Debt::Lost(actor) if self.is_busy(actor))).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::WakeRow;

    fn run(key: &str) -> Address {
        Address::from_text(&format!("run/{key}")).unwrap()
    }

    #[test]
    fn a_call_in_flight_is_not_begun_again_until_it_has_ended() {
        let mut debts = Debts::new(9);
        assert_eq!(debts.begin("c", &run("1")), Begin::Now);
        assert_eq!(debts.begin("c", &run("1")), Begin::Twice);
        assert!(debts.is_busy(&run("1")));
        debts.end("c");
        assert!(!debts.is_busy(&run("1")));
        assert_eq!(debts.begin("c", &run("1")), Begin::Now);
    }

    #[test]
    fn an_actor_whose_call_found_no_room_is_asked_again_once_there_is_some() {
        let store = Store::in_memory().unwrap();
        let mut debts = Debts::new(1);
        assert!(debts.take(&store, 0, 9).unwrap().is_empty());
        debts.begin("a", &run("1"));
        assert_eq!(debts.begin("b", &run("2")), Begin::Later);
        assert_eq!(debts.begin("b", &run("2")), Begin::Later);
        assert_eq!(debts.next(), None);
        assert!(debts.take(&store, 0, 9).unwrap().is_empty());
        debts.end("a");
        assert_eq!(debts.take(&store, 0, 9).unwrap(), [Debt::Again(run("2"))]);
    }

    #[test]
    fn every_owing_actor_of_the_file_is_resumed_once() {
        let store = Store::in_memory().unwrap();
        let count = limits::OWING_PAGE * 2 + 1;
        for n in 0..count {
            store.set_wake_row(&format!("run/{n:05}"), Some(WakeRow::Owing)).unwrap();
        }
        let mut debts = Debts::new(100_000);
        let mut taken = HashSet::new();
        while debts.next().is_some() {
            for debt in debts.take(&store, 0, 700).unwrap() {
                let Debt::Lost(actor) = debt else { panic!("nothing of it is lost: {debt:?}") };
                assert!(taken.insert(actor));
            }
        }
        assert_eq!(taken.len(), count);
    }

    #[test]
    fn nobody_is_asked_before_the_time_that_was_set() {
        let store = Store::in_memory().unwrap();
        let mut debts = Debts::new(1);
        debts.owe(Debt::Again(run("1")));
        debts.hold_until(50);
        assert!(debts.take(&store, 49, 9).unwrap().is_empty());
        assert_eq!(debts.next(), Some(50));
        assert_eq!(debts.take(&store, 50, 9).unwrap(), [Debt::Again(run("1"))]);
    }
}
