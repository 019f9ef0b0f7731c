//! What should become of a function, found without the engine: read the program, top to bottom.

use super::program::{ALWAYS, Member, Program};

/// How a run of a program ends when nobody cancels it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// It returns; these are its steps and sleeps, in the order of the program.
    Completes(Vec<String>),
    /// A step throws for good and nobody catches it.
    Fails,
}

/// What a run of `program` comes to, whatever happens around it.
#[must_use]
pub fn expected(program: &Program) -> Expected {
    let members = program.stages.iter().flat_map(|stage| stage.members());
    let mut names = Vec::new();
    for member in members {
        if let Member::Step { throws: ALWAYS, caught: false, .. } = member {
            return Expected::Fails;
        }
        names.push(member.name().to_owned());
    }
    Expected::Completes(names)
}
