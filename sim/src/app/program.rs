//! What the simulated functions do.

use crate::dice::Dice;

/// A function: stages, one after another.
#[derive(Clone, Debug)]
pub struct Program {
    /// The function's name within the app.
    pub name: String,
    /// The events that start it.
    pub triggers: Vec<String>,
    /// Its body.
    pub stages: Vec<Stage>,
    /// Whether its SDK reports steps while the call goes on (PROTOCOL §7.12).
    pub checkpoints: bool,
}

/// One stage of a function.
#[derive(Clone, Debug)]
pub enum Stage {
    /// One step or sleep.
    One(Member),
    /// Several at once, all awaited.
    Parallel(Vec<Member>),
}

/// A step or a sleep.
#[derive(Clone, Debug)]
pub enum Member {
    /// A step.
    Step {
        /// Unique within the function.
        name: String,
        /// It throws so often before it returns.
        throws: u32,
        /// The function catches what it throws for good.
        caught: bool,
    },
    /// A sleep.
    Sleep {
        /// Unique within the function.
        name: String,
        /// How long.
        seconds: u64,
    },
}

impl Member {
    /// Its name, which is its id.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Step { name, .. } | Self::Sleep { name, .. } => name,
        }
    }
}

impl Stage {
    /// Its members; a single one is its only member.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        match self {
            Self::One(member) => std::slice::from_ref(member),
            Self::Parallel(members) => members,
        }
    }
}

/// Throws that no number of retries outlasts.
pub const ALWAYS: u32 = u32::MAX;

impl Program {
    /// A program made up by the dice.
    pub fn random(name: &str, dice: &mut Dice) -> Self {
        let mut count = 0_u32;
        let mut stages = Vec::new();
        for _ in 0..dice.between(1, 6) {
            if dice.chance(300) {
                let members = (0..dice.between(2, 5)).map(|_| member(&mut count, dice)).collect();
                stages.push(Stage::Parallel(members));
            } else {
                stages.push(Stage::One(member(&mut count, dice)));
            }
        }
        let triggers = vec![format!("sim/{name}"), "sim/all".to_owned()];
        Self { name: name.to_owned(), triggers, stages, checkpoints: dice.chance(500) }
    }

    /// Reads the short form of the named scenarios: stages are separated by blanks; `a` is a step, `a!2` throws twice,
    /// `a!` always, `a?` always and is caught, `~5` sleeps five seconds, and `a|b|~1` are parallel.
    #[must_use]
    pub fn parse(text: &str, checkpoints: bool) -> Self {
        let mut sleeps = 0_u32;
        let mut one = |text: &str| {
            if let Some(seconds) = text.strip_prefix('~') {
                sleeps = sleeps.saturating_add(1);
                return Member::Sleep { name: format!("nap{sleeps}"), seconds: seconds.parse().unwrap_or(1) };
            }
            let (name, throws, caught) = match (text.split_once('!'), text.strip_suffix('?')) {
                (_, Some(name)) => (name, ALWAYS, true),
                (Some((name, times)), None) => (name, times.parse().unwrap_or(ALWAYS), false),
                (None, None) => (text, 0, false),
            };
            Member::Step { name: name.to_owned(), throws, caught }
        };
        let stages = text
            .split_whitespace()
            .map(|stage| match stage.contains('|') {
                true => Stage::Parallel(stage.split('|').map(&mut one).collect()),
                false => Stage::One(one(stage)),
            })
            .collect();
        Self { name: "f".to_owned(), triggers: vec!["sim/f".to_owned()], stages, checkpoints }
    }
}

fn member(count: &mut u32, dice: &mut Dice) -> Member {
    *count = count.saturating_add(1);
    if dice.chance(200) {
        return Member::Sleep { name: format!("nap{count}"), seconds: dice.between(1, 120) };
    }
    let (throws, caught) = match dice.below(10) {
        0 | 1 => (u32::try_from(dice.between(1, 3)).unwrap_or(1), false),
        2 => (ALWAYS, true),
        3 if dice.chance(300) => (ALWAYS, false),
        _ => (0, false),
    };
    Member::Step { name: format!("step{count}"), throws, caught }
}
