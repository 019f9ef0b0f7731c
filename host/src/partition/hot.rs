//! The actors that are kept hot, the least recently used let go first.

use super::debts::Debts;
use crate::parts::{Part, Parts};
use crate::store::WakeRow;
use crate::wit::Address;
use lru::LruCache;

/// A hot actor.
pub struct HotActor<A> {
    /// The actor in its instance.
    pub actor: A,
    /// The rows that it was made of and has written since: a measure of what it takes.
    pub bytes: usize,
    /// What the file says of its wake.
    pub wake_row: Option<WakeRow>,
}

/// Actors by address.
pub struct Hot<A> {
    actors: LruCache<Address, HotActor<A>>,
    bytes: usize,
    actors_max: usize,
    bytes_max: usize,
}

impl<A> Hot<A> {
    /// No actors; at most so many, and of so many bytes, after each [`Hot::shrink`].
    #[must_use]
    pub fn new(actors_max: usize, bytes_max: usize) -> Self {
        Self { actors: LruCache::unbounded(), bytes: 0, actors_max, bytes_max }
    }

    /// The actor at `address`, if it is hot; it counts as used now.
    pub fn get(&mut self, address: &Address) -> Option<&mut HotActor<A>> {
        self.actors.get_mut(address)
    }

    /// Keeps an actor that was just made.
    pub fn insert(&mut self, address: Address, actor: HotActor<A>) {
        self.bytes = self.bytes.saturating_add(actor.bytes);
        self.actors.put(address, actor);
    }

    /// Notes that the actor at `address` has written `bytes`.
    pub fn grow(&mut self, address: &Address, bytes: usize) {
        if let Some(hot) = self.actors.peek_mut(address) {
            hot.bytes = hot.bytes.saturating_add(bytes);
            self.bytes = self.bytes.saturating_add(bytes);
        }
    }

    /// Lets go of the actor at `address`: it is made anew from its rows when it is next needed.
    pub fn let_go<P: Parts<Actor = A>>(&mut self, parts: &mut P, address: &Address) {
        if let Some(hot) = self.remove(address) {
            parts.release(address, hot.actor);
        }
    }

    /// Forgets the actors of `part`, whose instance is gone.
    pub fn forget_part(&mut self, part: Part) {
        let gone: Vec<Address> =
            self.actors.iter().map(|(address, _)| address).filter(|a| Part::of(a.kind) == part).cloned().collect();
        for address in gone {
            self.remove(&address);
        }
    }

    /// Forgets every actor; their instances must be restarted.
    pub fn forget_all(&mut self) {
        self.actors.clear();
        self.bytes = 0;
    }

    /// Lets go of actors until both bounds hold. Those with calls in flight are needed soon: they go last, and only for
    /// the bytes' sake.
    pub fn shrink<P: Parts<Actor = A>>(&mut self, parts: &mut P, debts: &Debts) {
        let mut looked_at = 0;
        let all = self.actors.len();
        while self.is_over() && looked_at < all {
            looked_at = looked_at.saturating_add(1);
            let Some(address) = self.actors.peek_lru().map(|(address, _)| address.clone()) else { return };
            if debts.is_busy(&address) {
                self.actors.promote(&address);
            } else {
                self.let_go(parts, &address);
            }
        }
        while self.bytes > self.bytes_max {
            let Some(address) = self.actors.peek_lru().map(|(address, _)| address.clone()) else { return };
            self.let_go(parts, &address);
        }
    }

    fn is_over(&self) -> bool {
        self.actors.len() > self.actors_max || self.bytes > self.bytes_max
    }

    fn remove(&mut self, address: &Address) -> Option<HotActor<A>> {
        let hot = self.actors.pop(address)?;
        self.bytes = self.bytes.saturating_sub(hot.bytes);
        Some(hot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::partition::CallsMax;
    use crate::parts::scripted::{self, Scripted};

    fn run(key: &str) -> Address {
        Address::from_text(&format!("run/{key}")).unwrap()
    }

    fn hot_with(keys: &[&str], actors_max: usize, bytes_max: usize) -> Hot<u64> {
        let mut hot = Hot::new(actors_max, bytes_max);
        for key in keys {
            hot.insert(run(key), HotActor { actor: 0, bytes: 10, wake_row: None });
        }
        hot
    }

    fn with_calls_of(keys: &[&str]) -> Debts {
        let mut debts = Debts::new(CallsMax { total: 9, per_app: 9 });
        for key in keys {
            debts.begin(&scripted::call(key, "http://app/"), &run(key));
        }
        debts
    }

    #[test]
    fn the_least_recently_used_actor_goes_first_and_one_with_a_call_stays() {
        let mut hot = hot_with(&["1", "2", "3"], 2, 1_000);
        let debts = with_calls_of(&["1"]);
        hot.shrink(&mut Scripted::default(), &debts);
        assert!(hot.get(&run("1")).is_some());
        assert!(hot.get(&run("2")).is_none());
        assert!(hot.get(&run("3")).is_some());
    }

    #[test]
    fn bytes_are_bounded_even_where_every_actor_has_a_call() {
        let mut hot = hot_with(&["1", "2", "3"], 9, 25);
        let debts = with_calls_of(&["1", "2", "3"]);
        hot.shrink(&mut Scripted::default(), &debts);
        assert_eq!(hot.bytes, 20);
        hot.grow(&run("3"), 30);
        hot.shrink(&mut Scripted::default(), &debts);
        assert_eq!(hot.bytes, 0);
    }
}
