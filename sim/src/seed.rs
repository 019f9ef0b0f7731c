//! From a seed to a world.

use crate::app::program::Program;
use crate::dice::{Dice, Purpose};
use crate::fault::{Fault, Faults};
use crate::home::Kind;
use crate::world::{Setup, World};
use std::collections::BTreeSet;

/// Functions of a random world.
const FUNCTIONS_MAX: u64 = 4;
/// Events of a random world.
pub const EVENTS_MAX: u64 = 16;
/// So many of a thousand worlds have a function that the ends of others start.
const WATCHERS_PERMILLE: u64 = 150;

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
            let last = Program::random(functions, 0, &mut dice);
            programs.push(Program { triggers: vec![end.to_owned()], ..last });
        }
        for program in &mut programs {
            program.stages.truncate(self.stages.unwrap_or(usize::MAX));
        }
        let setup = Setup {
            seed: self.seed,
            kind: self.kind(),
            programs,
            events: events.min(self.events.unwrap_or(usize::MAX)),
            restless: true,
            crash_at: None,
            sabotage: None,
            is_told,
        };
        World::new(setup, Faults::mixed(self.seed, &self.without))
    }
}
