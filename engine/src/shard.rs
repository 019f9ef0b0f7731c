//! To which shard of the streams and histories something belongs.
//!
//! An id says so itself: the 17th to 19th of its 26 characters, read as a number, by the number of shards. Ids of one request
//! share these characters, since those count on at the end; and what an event causes (its runs, the events by which these invoke or
//! tell of their end) has its event's. So everything is found from its id alone, and lives where its event lives.

use crate::ids::{EventId, RunId};
use crate::limits::SHARDS_MAX;
use sha2::{Digest, Sha256};
use std::fmt;
use ulid::Ulid;

/// The lowest bit of the characters that tell the shard; seeds of senders count in the 32 bits below (PROTOCOL §8.5).
const MARK_SHIFT: u32 = 35;
/// Three characters of five bits each.
const MARK_BITS: u32 = 15;
const MARK_MASK: u128 = ((1 << MARK_BITS) - 1) << MARK_SHIFT;

/// How many shards there are; a deployment keeps the number for life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shards(u32);

/// One of them, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shard(u32);

impl Default for Shards {
    fn default() -> Self {
        Self(1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Shards {
    /// So many shards: at least one, at most [`SHARDS_MAX`].
    #[must_use]
    pub fn new(count: u32) -> Self {
        Self(count.clamp(1, SHARDS_MAX))
    }

    /// How many.
    #[must_use]
    pub const fn count(self) -> u32 {
        self.0
    }

    /// All of them.
    pub fn all(self) -> impl Iterator<Item = Shard> {
        (0..self.0).map(Shard)
    }

    /// Where an event is.
    #[must_use]
    pub fn of_event(self, event: EventId) -> Shard {
        self.of(event.0)
    }

    /// Where a run is: with its event.
    #[must_use]
    pub fn of_run(self, run: RunId) -> Shard {
        self.of(run.0)
    }

    /// Where all that has this name meets.
    #[must_use]
    pub fn of_name(self, name: &str) -> Shard {
        let hash = Sha256::digest(name);
        let number = hash.iter().take(8).fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
        self.by(number)
    }

    /// The id with which an event is in `shard`. The only shard has every id.
    #[must_use]
    pub fn place(self, event: EventId, shard: Shard) -> EventId {
        if self.0 == 1 { event } else { EventId(marked(event.0, u128::from(shard.0) << MARK_SHIFT)) }
    }

    fn of(self, id: Ulid) -> Shard {
        let mark = (id.random() & MARK_MASK) >> MARK_SHIFT;
        self.by(u64::try_from(mark).unwrap_or(0))
    }

    fn by(self, number: u64) -> Shard {
        let shard = number.checked_rem(u64::from(self.0)).and_then(|shard| u32::try_from(shard).ok());
        Shard(shard.unwrap_or(0))
    }
}

/// `id` in the shard of its cause, whatever the number of shards.
pub(crate) fn beside(id: Ulid, cause: Ulid) -> Ulid {
    marked(id, cause.random() & MARK_MASK)
}

fn marked(id: Ulid, mark: u128) -> Ulid {
    Ulid::from_parts(id.timestamp_ms(), (id.random() & !MARK_MASK) | mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Millis;
    use std::collections::BTreeSet;

    fn event(random: u128) -> EventId {
        EventId::new(Millis(1_700_000_000_000), random)
    }

    #[test]
    fn the_shard_stands_in_the_17th_to_19th_character() {
        // Shells that know no engine read it there (wit/types.wit).
        let id = EventId::parse("01HF7YAT00000000ZZ10000000").unwrap();
        assert_eq!(Shards::new(64).of_event(id), Shard((31 * 1_024 + 31 * 32 + 1) % 64));
        let id = EventId::parse("01HF7YAT00ZZZZZZ000ZZZZZZZ").unwrap();
        assert_eq!(Shards::new(64).of_event(id), Shard(0));
    }

    #[test]
    fn what_an_event_causes_is_where_it_is() {
        for random in 0..200 {
            let event = event(random << MARK_SHIFT | random);
            let run = RunId::derived(event, &"app-a".into());
            let end = EventId::derived_of(run, Millis(1_800_000_000_000), "the end");
            let again = RunId::repeating(run, Millis(1_900_000_000_000), random * 77);
            for shards in [1, 2, 3, 7, 64].map(Shards::new) {
                let shard = shards.of_event(event);
                assert_eq!((shards.of_run(run), shards.of_event(end), shards.of_run(again)), (shard, shard, shard));
            }
        }
    }

    #[test]
    fn an_event_is_where_it_was_placed_and_ids_stay_different() {
        let shards = Shards::new(5);
        let mut ids = BTreeSet::new();
        for shard in shards.all() {
            for random in 0..100 {
                let placed = shards.place(event(random), shard);
                assert_eq!((shards.of_event(placed), placed.at()), (shard, event(0).at()));
                assert!(ids.insert(placed));
            }
        }
        assert_eq!(Shards::default().place(event(u128::MAX >> 48), Shard(0)), event(u128::MAX >> 48));
    }

    #[test]
    fn names_and_ids_use_every_shard_about_as_often() {
        let shards = Shards::new(6);
        let mut counts = [[0_usize; 2]; 6];
        for number in 0_u32..6_000 {
            let name = shards.of_name(&number.to_string()).0 as usize;
            let hash = Sha256::digest(number.to_be_bytes());
            let random = hash.iter().take(10).fold(0, |bits, byte| bits << 8 | u128::from(*byte));
            counts[name][0] += 1;
            counts[shards.of_event(event(random)).0 as usize][1] += 1;
        }
        assert!(counts.iter().flatten().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }

    #[test]
    fn there_is_always_a_shard_and_never_more_than_the_bound() {
        assert_eq!(Shards::new(0), Shards::default());
        assert_eq!(Shards::new(SHARDS_MAX), Shards(SHARDS_MAX));
        assert_eq!(Shards::new(SHARDS_MAX + 1), Shards(SHARDS_MAX));
        assert_eq!(Shards::new(3).all().map(|shard| shard.to_string()).collect::<Vec<_>>(), ["0", "1", "2"]);
    }
}
