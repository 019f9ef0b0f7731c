//! The one source of chance.

use rand::{Rng as _, SeedableRng as _};
use rand_xorshift::XorShiftRng;

/// Numbers that follow from a seed.
pub struct Dice(XorShiftRng);

/// What a part of the world draws its numbers for. Each has a sequence of its own, so that a seed with fewer events has
/// the same functions, and one without some fault has the same events: that is what makes shrinking work.
#[derive(Clone, Copy, Debug)]
pub enum Purpose {
    /// What the functions are.
    Programs,
    /// What users do, and when.
    Users,
    /// What goes wrong.
    Faults,
    /// How long things take, and all the rest.
    World,
}

impl Dice {
    /// The dice of `seed` for one purpose.
    #[must_use]
    pub fn new(seed: u64, purpose: Purpose) -> Self {
        // Neighbouring seeds begin with similar numbers; far-away ones do not.
        let purpose = match purpose {
            Purpose::Programs => 0x9e37_79b9_7f4a_7c15,
            Purpose::Users => 0xbf58_476d_1ce4_e5b9,
            Purpose::Faults => 0x94d0_49bb_1331_11eb,
            Purpose::World => 0xd6e8_feb8_6659_fd93_u64,
        };
        let mixed = seed.wrapping_add(1).wrapping_mul(0x2545_f491_4f6c_dd1d) ^ purpose;
        let mut dice = Self(XorShiftRng::seed_from_u64(mixed));
        dice.below(1);
        dice
    }

    /// A number below `bound`; 0 where `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// A number from `low` up to and without `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low.saturating_add(self.below(high.saturating_sub(low)))
    }

    /// True so many times in a thousand.
    pub fn chance(&mut self, permille: u64) -> bool {
        self.below(1_000) < permille
    }

    /// One of them; `None` where there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let place = self.below(u64::try_from(from.len()).unwrap_or(u64::MAX));
        usize::try_from(place).ok().and_then(|place| from.get(place))
    }

    /// Entropy for a turn.
    pub fn entropy(&mut self) -> u128 {
        (u128::from(self.0.next_u64()) << 64) | u128::from(self.0.next_u64())
    }
}
