//! Functions whose code is not the same each time that it runs: what the docs warn of, and what happens all the same.

use super::program::{Act, Member, Program, Stage, Step};
use crate::dice::Dice;

/// Names that a wandering function makes up: few, so that it comes to an end.
const NAMES: u64 = 4;

/// The program as it is this time.
#[must_use]
pub fn varied(program: &Program, dice: &mut Dice) -> Program {
    let mut varied = program.clone();
    match dice.below(6) {
        0 => varied.stages.reverse(),
        1 => drop(varied.stages.pop()),
        2 => {
            let id = format!("strange{}", dice.below(NAMES));
            varied.stages.insert(0, Stage::One(Member { id, act: Act::Step(Step::default()) }));
        }
        3 => {
            let members = varied.members().cloned().map(|member| vec![member]).collect();
            varied.stages = vec![Stage::Parallel(members)];
        }
        _ => {}
    }
    varied
}
