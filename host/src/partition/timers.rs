//! Who is to be woken when, without asking the file again and again.
//!
//! Actors that owe something tell their time at each turn; their timers are all here. Parked actors are on disk: only
//! those that are due within [`limits::PARKED_TIMERS_AHEAD`] are held in memory, and not more than
//! [`limits::PARKED_TIMERS_MAX`]. The horizon is where memory ends and the file begins.

use super::batch::Next;
use crate::limits;
use crate::store::{Store, StoreError};
use crate::wit::Address;
use std::collections::{BTreeSet, HashMap};

/// The timers of one partition. Addresses are held as the file spells them, so that both sort alike.
#[derive(Default)]
pub struct Timers {
    owing: TimerSet,
    parked: TimerSet,
    horizon: (u64, String),
}

#[derive(Default)]
struct TimerSet {
    by_time: BTreeSet<(u64, String)>,
    by_actor: HashMap<String, u64>,
}

impl Timers {
    /// Takes over what an actor said last.
    pub fn set(&mut self, actor: &Address, next: Next) {
        let name = actor.to_text();
        self.owing.remove(&name);
        self.parked.remove(&name);
        match next.wake_at {
            None => {}
            Some(at) if next.owing => self.owing.insert(at, name),
            Some(at) => self.park(at, name),
        }
    }

    /// Wakes `actor` at `at`, whatever it said.
    pub fn rearm(&mut self, actor: &Address, at: u64) {
        let name = actor.to_text();
        self.owing.remove(&name);
        self.owing.insert(at, name);
    }

    /// When something is to be done here: a wake, or a look into the file.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        [self.owing.first(), self.parked.first(), self.refill_at()].into_iter().flatten().min()
    }

    /// Up to `limit` actors whose time has come, the earliest first.
    pub fn take_due(&mut self, now: u64, limit: usize) -> Vec<Address> {
        let mut due = Vec::new();
        while due.len() < limit {
            let owing = self.owing.first().filter(|at| *at <= now);
            let parked = self.parked.first().filter(|at| *at <= now);
            let name = match (owing, parked) {
                (None, None) => break,
                (Some(owing), Some(parked)) if owing <= parked => self.owing.pop(),
                (Some(_), None) => self.owing.pop(),
                _ => self.parked.pop(),
            };
            due.extend(name.as_deref().and_then(Address::from_text));
        }
        due
    }

    /// Reads timers from the file where they come near.
    ///
    /// # Errors
    /// The file cannot be read; it is tried again at the next call.
    pub fn refill(&mut self, store: &Store, now: u64) -> Result<(), StoreError> {
        while self.refill_at().is_some_and(|at| at <= now) {
            let until = now.saturating_add(millis(limits::PARKED_TIMERS_AHEAD));
            let limit = limits::PARKED_TIMERS_MAX / 2;
            let page = store.parked((self.horizon.0, &self.horizon.1), until, limit)?;
            self.horizon = match page.last() {
                Some((at, actor)) if page.len() == limit => (*at, format!("{}\0", actor.to_text())),
                _ => (until, String::new()),
            };
            for (at, actor) in page {
                self.parked.insert(at, actor.to_text());
            }
        }
        Ok(())
    }

    fn park(&mut self, at: u64, name: String) {
        if (at, name.as_str()) >= (self.horizon.0, self.horizon.1.as_str()) {
            return;
        }
        self.parked.insert(at, name);
        if self.parked.by_actor.len() > limits::PARKED_TIMERS_MAX
            && let Some((at, name)) = self.parked.by_time.pop_last()
        {
            self.parked.by_actor.remove(&name);
            self.horizon = (at, name);
        }
    }

    /// Half of the time ahead, so that nobody comes late; not while memory still holds many.
    fn refill_at(&self) -> Option<u64> {
        let has_room = self.parked.by_actor.len() < limits::PARKED_TIMERS_MAX / 2;
        has_room.then(|| self.horizon.0.saturating_sub(millis(limits::PARKED_TIMERS_AHEAD) / 2))
    }
}

impl TimerSet {
    fn insert(&mut self, at: u64, name: String) {
        if let Some(before) = self.by_actor.insert(name.clone(), at) {
            self.by_time.remove(&(before, name.clone()));
        }
        self.by_time.insert((at, name));
    }

    fn remove(&mut self, name: &str) {
        if let Some((name, at)) = self.by_actor.remove_entry(name) {
            self.by_time.remove(&(at, name));
        }
    }

    fn first(&self) -> Option<u64> {
        self.by_time.first().map(|(at, _)| *at)
    }

    fn pop(&mut self) -> Option<String> {
        let (_, name) = self.by_time.pop_first()?;
        self.by_actor.remove(&name);
        Some(name)
    }
}

fn millis(span: std::time::Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::WakeRow;

    const NOW: u64 = 1_000_000_000;

    fn run(n: usize) -> Address {
        Address::from_text(&format!("run/{n:06}")).unwrap()
    }

    fn parked_at(at: u64) -> Next {
        Next { wake_at: Some(at), owing: false }
    }

    #[test]
    fn a_timer_is_never_early_and_is_replaced_by_what_the_actor_says_later() {
        let store = Store::in_memory().unwrap();
        let mut timers = Timers::default();
        timers.refill(&store, NOW).unwrap();
        timers.set(&run(1), parked_at(NOW + 10));
        timers.set(&run(2), Next { wake_at: Some(NOW + 5), owing: true });
        assert_eq!(timers.next(), Some(NOW + 5));
        assert!(timers.take_due(NOW + 4, 9).is_empty());
        timers.set(&run(2), Next { wake_at: None, owing: true });
        assert_eq!(timers.take_due(NOW + 10, 9), [run(1)]);
        assert!(timers.take_due(NOW + 10, 9).is_empty());
    }

    #[test]
    fn parked_actors_beyond_the_horizon_stay_on_disk_until_they_come_near() {
        let store = Store::in_memory().unwrap();
        let far = NOW + millis(limits::PARKED_TIMERS_AHEAD) * 2;
        store.set_wake_row(&run(1).to_text(), Some(WakeRow::Parked(far))).unwrap();
        let mut timers = Timers::default();
        timers.refill(&store, NOW).unwrap();
        timers.set(&run(2), parked_at(far));
        assert!(timers.parked.by_actor.is_empty());
        store.set_wake_row(&run(2).to_text(), Some(WakeRow::Parked(far))).unwrap();
        let mut now = NOW;
        let mut woken = Vec::new();
        while woken.len() < 2 {
            let next = timers.next().unwrap();
            assert!(next > now && next <= far);
            now = next;
            timers.refill(&store, now).unwrap();
            woken.extend(timers.take_due(now, 9));
        }
        assert_eq!((now, woken), (far, vec![run(1), run(2)]));
    }

    #[test]
    fn many_parked_actors_of_one_moment_are_all_woken_once_and_memory_stays_bounded() {
        let store = Store::in_memory().unwrap();
        let count = limits::PARKED_TIMERS_MAX * 2 + 7;
        store.begin().unwrap();
        for n in 0..count {
            store.set_wake_row(&run(n).to_text(), Some(WakeRow::Parked(NOW + 1))).unwrap();
        }
        store.commit().unwrap();
        let mut timers = Timers::default();
        let mut woken = std::collections::HashSet::new();
        while woken.len() < count {
            timers.refill(&store, NOW + 1).unwrap();
            assert!(timers.parked.by_actor.len() <= limits::PARKED_TIMERS_MAX);
            let due = timers.take_due(NOW + 1, 500);
            assert!(!due.is_empty());
            for actor in due {
                store.set_wake_row(&actor.to_text(), None).unwrap();
                assert!(woken.insert(actor));
            }
        }
    }

    #[test]
    fn more_new_timers_than_memory_may_hold_move_the_horizon_and_are_found_again() {
        let store = Store::in_memory().unwrap();
        let mut timers = Timers::default();
        timers.refill(&store, NOW).unwrap();
        let count = limits::PARKED_TIMERS_MAX + 100;
        store.begin().unwrap();
        for n in (0..count).rev() {
            let at = NOW + 1 + n as u64;
            store.set_wake_row(&run(n).to_text(), Some(WakeRow::Parked(at))).unwrap();
            timers.set(&run(n), parked_at(at));
        }
        store.commit().unwrap();
        assert!(timers.parked.by_actor.len() <= limits::PARKED_TIMERS_MAX);
        let mut woken = 0;
        let now = NOW + 1 + count as u64;
        loop {
            timers.refill(&store, now).unwrap();
            let due = timers.take_due(now, 1_000);
            if due.is_empty() {
                break;
            }
            woken += due.len();
        }
        assert_eq!(woken, count);
    }
}
