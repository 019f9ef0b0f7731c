//! The ids of a request's events: fresh, or from the sender's seed (PROTOCOL §8.5).

use crate::http::endpoint::Opening;
use crate::ids::{EventId, Millis};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Milliseconds that fit in a ULID.
const ULID_TIME_MAX: u64 = (1 << 48) - 1;

/// Makes the ids of one request's events.
pub(super) struct Ids {
    pub(super) now: Millis,
    seed: Option<Seed>,
    /// 79 bits, so that counting on never overflows the ULID's 80.
    random: u128,
}

/// What a sender fixes beforehand, so that sending again means the same events.
struct Seed {
    at: Millis,
    head: [u8; 6],
    tail: u32,
}

impl Ids {
    /// The ids of this request.
    pub(super) fn of(opening: &Opening<'_>) -> Self {
        let seed = opening.request.header("x-inngest-event-id-seed").and_then(Seed::parse);
        Self { now: opening.now, seed, random: opening.entropy.0 & ((1 << 79) - 1) }
    }

    /// The id with this count, and whether it came from a seed. Fresh ones keep the order of the request.
    pub(super) fn get(&self, count: u32) -> (EventId, bool) {
        match &self.seed {
            Some(seed) => (seed.get(count), true),
            None => (EventId::new(self.now, self.random.saturating_add(u128::from(count))), false),
        }
    }
}

impl Seed {
    /// `<ms>,<base64 of 10 bytes>`; anything else is ignored.
    fn parse(header: &str) -> Option<Self> {
        let (at, entropy) = header.split_once(',')?;
        let at = at.trim().parse().ok().filter(|at| *at <= ULID_TIME_MAX)?;
        let entropy = STANDARD.decode(entropy.trim()).ok()?;
        let (head, tail) = entropy.split_first_chunk::<6>()?;
        Some(Self { at: Millis(at), head: *head, tail: u32::from_be_bytes(tail.try_into().ok()?) })
    }

    fn get(&self, count: u32) -> EventId {
        let head = self.head.iter().fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        EventId::new(self.at, (head << 32) | u128::from(self.tail.wrapping_add(count)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_recorded_ids() {
        let seed = Seed::parse("1700000000000,AAAAAAAAAAAAAA==").unwrap();
        assert_eq!(seed.get(1).to_string(), "01HF7YAT000000000000000001");
        assert_eq!(seed.get(2).to_string(), "01HF7YAT000000000000000002");
    }

    #[test]
    fn only_the_last_four_bytes_count_on() {
        let seed = Seed::parse("1,AAAAAAAA/////w==").unwrap();
        assert_eq!(seed.get(1), EventId::new(Millis(1), 0));
    }

    #[test]
    fn garbage_is_no_seed() {
        let garbage = [
            "",
            ",",
            "1",
            "1,AAAA",
            "x,AAAAAAAAAAAAAA==",
            "-1,AAAAAAAAAAAAAA==",
            "281474976710656,AAAAAAAAAAAAAA==",
            "1,AAAAAAAAAAAAAAA=",
            "1,AAAAAAAAAAAAAAAA",
        ];
        for garbage in garbage {
            assert!(Seed::parse(garbage).is_none(), "{garbage}");
        }
    }
}
