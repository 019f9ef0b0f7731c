//! From a seed to a world.

use crate::app::program::Program;
use crate::dice::{Dice, Purpose};
use crate::fault::{Fault, Faults};
use crate::home::Kind;
use crate::world::{Setup, World};
use std::collections::BTreeSet;
use stepwell_engine::turn::CatchUp;

/// Functions of a random world.
const FUNCTIONS_MAX: u64 = 4;
/// Events of a random world.
pub const EVENTS_MAX: u64 = 16;
/// So many of a thousand worlds have a function that the ends of others start.
const WATCHERS_PERMILLE: u64 = 150;

/// So many functions have flow control, where some are to.
const LIMITED_PERMILLE: u64 = 700;
/// So many have a server with keys.
const SIGNED_PERMILLE: u64 = 250;
/// In so many streams and histories are divided.
const SHARDED_PERMILLE: u64 = 300;
/// In so many a wait looks back.
const LOOK_BACK_PERMILLE: u64 = 150;
/// How far.
const LOOK_BACK_MS: u64 = 30_000;
/// In so many functions defer one.
const DEFERRING_PERMILLE: u64 = 350;
/// So many have a function whose steps return more than a call can carry.
const BULKY_PERMILLE: u64 = 12;
/// Events of such a world: it is slow.
const BULKY_EVENTS_MAX: usize = 2;

/// A seed, and what is left of it.
#[derive(Clone, Debug, Default)]
pub struct Case {
    /// The seed.
    pub seed: u64,
    /// The home, where it is not the seed's own.
    pub home: Option<Kind>,
    /// Faults that do not strike.
    pub without: BTreeSet<Fault>,
    /// At most so many events.
    pub events: Option<usize>,
    /// At most so many stages of each function.
    pub stages: Option<usize>,
    /// Functions have flow control.
    pub limits: bool,
}

impl Case {
    /// All of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The home that it is about.
    #[must_use]
    pub fn kind(&self) -> Kind {
        let own = match self.seed.checked_rem(3) {
            Some(1) => Kind::File,
            Some(2) => Kind::Objects,
            _ => Kind::Kv,
        };
        self.home.unwrap_or(own)
    }

    /// The world at its beginning; told: with its story.
    #[must_use]
    pub fn world(&self, is_told: bool) -> World {
        let mut dice = Dice::new(self.seed, Purpose::Programs);
        let events = usize::try_from(dice.between(1, EVENTS_MAX.saturating_add(1))).unwrap_or(1);
        let functions = dice.between(1, FUNCTIONS_MAX.saturating_add(1));
        let mut programs: Vec<Program> =
            (0..functions).map(|place| Program::random(place, functions, &mut dice)).collect();
        if dice.chance(WATCHERS_PERMILLE) {
            let end = if dice.chance(500) { "inngest/function.finished" } else { "inngest/function.failed" };
            let last = Program::solitary(functions, &mut dice);
            programs.push(Program { triggers: vec![end.to_owned()], ..last });
        }
        let (is_signed, looks_back) = (dice.chance(SIGNED_PERMILLE), dice.chance(LOOK_BACK_PERMILLE));
        let is_bulky = dice.chance(BULKY_PERMILLE);
        if let (true, Some(first)) = (is_bulky, programs.first_mut()) {
            first.be_bulky();
        }
        let shards = if dice.chance(SHARDED_PERMILLE) { u32::try_from(dice.between(2, 5)).unwrap_or(2) } else { 1 };
        // Drawn last, so that what was drawn before is what it was.
        let catch_up = match dice.below(4) {
            0 => CatchUp::None,
            1 | 2 => CatchUp::Last,
            _ => CatchUp::All,
        };
        if dice.chance(DEFERRING_PERMILLE) {
            // Not the one that ends start: what it defers ends as well, and starts it again, for ever.
            let others = programs.iter_mut().take(usize::try_from(functions).unwrap_or(usize::MAX));
            others.for_each(|program| program.defer_some(&mut dice));
            programs.push(Program::deferred(functions.saturating_add(1), &mut dice));
        }
        if self.limits {
            for (place, program) in programs.iter_mut().enumerate() {
                if !program.is_deferred && dice.chance(LIMITED_PERMILLE) {
                    program.limit(place > 0, &mut dice);
                }
            }
        }
        for program in &mut programs {
            program.stages.truncate(self.stages.unwrap_or(usize::MAX));
        }
        let setup = Setup {
            events: events.min(if is_bulky { BULKY_EVENTS_MAX } else { self.events.unwrap_or(usize::MAX) }),
            restless: true,
            is_signed,
            shards,
            look_back_ms: looks_back.then_some(LOOK_BACK_MS),
            catch_up,
            is_told,
            ..Setup::of(self.seed, self.kind(), programs)
        };
        World::new(setup, Faults::mixed(self.seed, &self.without))
    }
}
