//! In which partition an actor lives. Files keep it for life: nothing here may ever change.

use crate::wit::{ActorKind, Address};

/// The digits of Crockford's base 32, in which ids are written.
const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A partition, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which one, from 0.
    pub index: u32,
    /// Of how many.
    pub count: u32,
}

impl Place {
    /// The only partition.
    pub const ALONE: Self = Self { index: 0, count: 1 };

    /// All partitions of a server.
    pub fn all(count: u32) -> impl Iterator<Item = Self> {
        (0..count).map(move |index| Self { index, count })
    }

    /// The partition where `address` lives.
    #[must_use]
    pub fn of(self, address: &Address) -> u32 {
        if self.count <= 1 {
            return 0;
        }
        let number = match address.kind {
            ActorKind::Catalog => 0,
            // A shard is a partition.
            ActorKind::Stream | ActorKind::History => address.key.parse().unwrap_or(0),
            ActorKind::Run => shard_mark(&address.key),
            ActorKind::Gate | ActorKind::Waits | ActorKind::Cron => hash(&address.key),
        };
        number.checked_rem(u64::from(self.count)).and_then(|index| u32::try_from(index).ok()).unwrap_or(0)
    }

    /// Whether `address` lives in this partition.
    #[must_use]
    pub fn has(self, address: &Address) -> bool {
        self.of(address) == self.index
    }
}

/// What a run's id says of its shard (wit/types.wit); 0 for what is no id.
fn shard_mark(id: &str) -> u64 {
    let characters = id.as_bytes().get(16..19).unwrap_or_default();
    characters.iter().fold(0, |number, character| {
        let digit = DIGITS.iter().position(|digit| digit == character).unwrap_or(0);
        (number << 5) | u64::try_from(digit).unwrap_or(0)
    })
}

/// FNV-1a, 64 bits.
fn hash(key: &str) -> u64 {
    key.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, count: u32) -> u32 {
        Place { index: 0, count }.of(&Address::from_text(text).unwrap())
    }

    #[test]
    fn a_run_lives_where_its_id_says() {
        // The same ids as in the engine's test of shards.
        assert_eq!(of("run/01HF7YAT00000000ZZ10000000", 64), (31 * 1_024 + 31 * 32 + 1) % 64);
        assert_eq!(of("run/01HF7YAT00000000ZZ10000000", 7), (31 * 1_024 + 31 * 32 + 1) % 7);
        assert_eq!(of("run/01HF7YAT00ZZZZZZ000ZZZZZZZ", 64), 0);
        assert_eq!(of("run/no id", 64), 0);
    }

    #[test]
    fn shards_are_partitions_and_the_catalog_is_in_the_first() {
        for index in 0..5 {
            assert_eq!(of(&format!("stream/{index}"), 5), index);
            assert_eq!(of(&format!("history/{index}"), 5), index);
        }
        assert_eq!(of("catalog/0", 5), 0);
    }

    #[test]
    fn what_is_named_by_a_hash_stays_where_it_is_in_every_version() {
        assert_eq!(of("waits/a", 64), u32::try_from(0xaf63_dc4c_8601_ec8c_u64 % 64).unwrap());
        let mut counts = [0_usize; 4];
        for number in 0..4_000 {
            counts[of(&format!("waits/{number}"), 4) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }

    #[test]
    fn one_partition_has_everything() {
        for text in ["run/01HF7YAT00000000ZZ10000000", "waits/a", "stream/0", "stream/7"] {
            assert!(Place::ALONE.has(&Address::from_text(text).unwrap()));
        }
    }
}
