//! Calls in flight, and the actors whose calls wait for room.
//!
//! A call that finds no room is let go, body and all: that it is owed follows from its actor's rows (law 3), so the
//! address alone is kept. When there is room the actor is made anew from its rows and woken: it asks for all its calls
//! again, and those that are in flight are recognised by their ids. Only what a restart hid is *resumed*, which gives
//! up what may still be running out there.

use super::room::{App, Begin, CallsMax, Room};
use crate::limits;
use crate::store::{Store, StoreError};
use crate::wit::{Address, AppCall};
use std::collections::{BTreeMap, HashSet, VecDeque};

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
    room: Room,
    owed: VecDeque<Debt>,
    /// Whose calls found no room, by the app that they are for. No queue is empty.
    waiting: BTreeMap<App, VecDeque<Address>>,
    queued: HashSet<Address>,
    not_before: u64,
    /// The last address read from the file, until all have been.
    cursor: Option<String>,
}

impl Debts {
    /// Nothing in flight, and the debts of the file still to be read; at most `calls_max` calls at once.
    #[must_use]
    pub fn new(calls_max: CallsMax) -> Self {
        Self {
            room: Room::new(calls_max),
            owed: VecDeque::new(),
            waiting: BTreeMap::new(),
            queued: HashSet::new(),
            not_before: 0,
            cursor: Some(String::new()),
        }
    }

    /// Notes a call that `from` wants made. Where there is no room for it, `from` is asked again when there is.
    pub fn begin(&mut self, call: &AppCall, from: &Address) -> Begin {
        let app = App::of(call);
        let begin = self.room.begin(&call.id, from, &app);
        if begin == Begin::Later && self.queued.insert(from.clone()) {
            self.waiting.entry(app).or_default().push_back(from.clone());
        }
        begin
    }

    /// Notes that a call has ended.
    pub fn end(&mut self, id: &str) {
        self.room.end(id);
    }

    /// Whether a call of `actor` is in flight.
    #[must_use]
    pub fn is_busy(&self, actor: &Address) -> bool {
        self.room.is_busy(actor)
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
        let has_debts = || !self.owed.is_empty() || self.cursor.is_some();
        let may_go_on = || self.waiting.keys().any(|app| self.room.left_for(app) > 0);
        (self.room.left() > 0 && (has_debts() || may_go_on())).then_some(self.not_before)
    }

    /// Up to `limit` actors that owe calls, no more than there is room for.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn take(&mut self, store: &Store, now: u64, limit: usize) -> Result<Vec<Debt>, StoreError> {
        if now < self.not_before {
            return Ok(Vec::new());
        }
        let room = self.room.left().min(limit);
        if self.owed.len() < room
            && let Some(after) = self.cursor.take()
        {
            // On an error the debts stay unread, and are read at the next try.
            let page = store.owing(&after, limits::OWING_PAGE).inspect_err(|_| self.cursor = Some(after.clone()))?;
            self.cursor = page.last().map(Address::to_text);
            page.into_iter().for_each(|actor| self.owe(Debt::Lost(actor)));
        }
        let mut taken: Vec<_> = self.owed.drain(..room.min(self.owed.len())).collect();
        taken.extend(self.take_waiting(room.saturating_sub(taken.len())).into_iter().map(Debt::Again));
        for Debt::Lost(actor) | Debt::Again(actor) in &taken {
            self.queued.remove(actor);
        }
        // Whose calls are in flight was resumed already, because something else reached it first.
        Ok(taken.into_iter().filter(|debt| !matches!(debt, Debt::Lost(actor) if self.is_busy(actor))).collect())
    }

    /// Up to `limit` actors whose apps have room again.
    fn take_waiting(&mut self, limit: usize) -> Vec<Address> {
        let mut taken = Vec::new();
        for (app, actors) in &mut self.waiting {
            let room = self.room.left_for(app).min(limit.saturating_sub(taken.len()));
            taken.extend(actors.drain(..room.min(actors.len())));
        }
        self.waiting.retain(|_, actors| !actors.is_empty());
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::scripted;
    use crate::store::WakeRow;

    fn run(key: &str) -> Address {
        Address::from_text(&format!("run/{key}")).unwrap()
    }

    fn of(total: usize, per_app: usize) -> Debts {
        Debts::new(CallsMax { total, per_app })
    }

    /// A call of the run `key` to `app`.
    fn begin(debts: &mut Debts, key: &str, app: &str) -> Begin {
        debts.begin(&scripted::call(&format!("call of {key}"), &format!("http://{app}/api")), &run(key))
    }

    #[test]
    fn an_actor_whose_call_found_no_room_is_asked_again_once_there_is_some() {
        let store = Store::in_memory().unwrap();
        let mut debts = of(1, 1);
        assert!(debts.take(&store, 0, 9).unwrap().is_empty());
        begin(&mut debts, "1", "app");
        assert_eq!(begin(&mut debts, "2", "app"), Begin::Later);
        assert_eq!(begin(&mut debts, "2", "app"), Begin::Later);
        assert_eq!(debts.next(), None);
        assert!(debts.take(&store, 0, 9).unwrap().is_empty());
        debts.end("call of 1");
        assert_eq!(debts.take(&store, 0, 9).unwrap(), [Debt::Again(run("2"))]);
        assert_eq!(debts.next(), None);
    }

    #[test]
    fn calls_that_wait_for_one_app_hold_up_nobody_elses() {
        let store = Store::in_memory().unwrap();
        let mut debts = of(4, 2);
        assert!(debts.take(&store, 0, 9).unwrap().is_empty());
        for key in ["1", "2", "3", "4", "5"] {
            begin(&mut debts, key, "hanging");
        }
        assert_eq!(debts.next(), None, "nobody is asked for calls that have no room");
        assert_eq!(begin(&mut debts, "6", "other"), Begin::Now);
        assert_eq!(begin(&mut debts, "7", "other"), Begin::Now);
        assert_eq!(begin(&mut debts, "8", "third"), Begin::Later);
        debts.end("call of 6");
        assert_eq!(debts.next(), Some(0));
        assert_eq!(debts.take(&store, 0, 9).unwrap(), [Debt::Again(run("8"))]);
        debts.end("call of 1");
        assert_eq!(debts.take(&store, 0, 9).unwrap(), [Debt::Again(run("3"))]);
    }

    #[test]
    fn every_owing_actor_of_the_file_is_resumed_once() {
        let store = Store::in_memory().unwrap();
        let count = limits::OWING_PAGE * 2 + 1;
        for n in 0..count {
            store.set_wake_row(&format!("run/{n:05}"), Some(WakeRow::Owing)).unwrap();
        }
        let mut debts = of(100_000, 100_000);
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
        let mut debts = of(1, 1);
        debts.owe(Debt::Again(run("1")));
        debts.hold_until(50);
        assert!(debts.take(&store, 49, 9).unwrap().is_empty());
        assert_eq!(debts.next(), Some(50));
        assert_eq!(debts.take(&store, 50, 9).unwrap(), [Debt::Again(run("1"))]);
    }
}
