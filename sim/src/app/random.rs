//! Programs that the dice make up.

use super::parse::Seen;
use super::program::{Act, End, Member, Program, Sdk, Stage, Step, Throws};
use crate::dice::Dice;

/// Calls of a run that may go wrong; its functions leave as many attempts for them.
pub const CALL_FAILURES_MAX: u32 = 4;
/// Throws of a step that returns in the end.
const THROWS_MAX: u64 = 2;
/// The longest that a step of an ordinary program takes.
const STEP_TIME_MS_MAX: u64 = 90_000;
/// A step that takes longer than any lease, and than faults go on.
const STEP_TIME_MS_LONG: u64 = 45 * 60_000;

impl Program {
    /// The `place`-th of `count` programs of an app. It may send events to those after it.
    pub fn random(place: u64, count: u64, dice: &mut Dice) -> Self {
        let name = format!("f{place}");
        let mut made = Made { dice, seen: Seen::default(), children: (place.saturating_add(1)..count).collect() };
        let stages = (0..made.dice.below(6)).map(|_| made.stage()).collect();
        let end = match made.dice.below(20) {
            0 => End::GivesUp,
            1 | 2 => End::Throws(1),
            _ => End::Returns,
        };
        let version = if dice.chance(700) { 2 } else { 1 };
        let sdk = Sdk { version, checkpoints: version == 2 && dice.chance(500), says_final: dice.chance(600) };
        let retries = match dice.below(3) {
            0 => 20,
            1 => 12,
            _ => 9,
        };
        let triggers = vec![format!("sim/{name}"), "sim/all".to_owned()];
        Self { name, triggers, stages, end, sdk, retries, wanders: dice.chance(80) }
    }
}

struct Made<'a> {
    dice: &'a mut Dice,
    seen: Seen,
    children: Vec<u64>,
}

impl Made<'_> {
    fn stage(&mut self) -> Stage {
        match self.dice.below(10) {
            0 | 1 => {
                let chains = self.dice.between(2, 5);
                Stage::Parallel((0..chains).map(|_| self.chain()).collect())
            }
            2 => {
                let members = self.dice.between(2, 4);
                Stage::Race((0..members).map(|_| self.racer()).collect())
            }
            _ => Stage::One(self.member()),
        }
    }

    fn chain(&mut self) -> Vec<Member> {
        let length = if self.dice.chance(250) { 2 } else { 1 };
        (0..length).map(|_| self.member()).collect()
    }

    fn racer(&mut self) -> Member {
        let member = self.member();
        let Act::Step(step) = member.act else { return member };
        let throws = if step.throws.is_final() { Throws::Times(0) } else { step.throws };
        Member { act: Act::Step(Step { throws, is_caught: false, ..step }), ..member }
    }

    fn member(&mut self) -> Member {
        if self.dice.chance(200) {
            return Member { id: self.seen.id("nap"), act: Act::Sleep { seconds: self.dice.between(1, 120) } };
        }
        // A few names, so that functions use one again, as loops do.
        let name = self.dice.pick(&["load", "save", "mail", "bill", "ship"]).copied().unwrap_or("load");
        let (throws, is_caught) = match self.dice.below(20) {
            0..4 => {
                (Throws::Times(u32::try_from(self.dice.between(1, THROWS_MAX.saturating_add(1))).unwrap_or(1)), false)
            }
            4 => (Throws::Always, true),
            5 => (Throws::AtOnce, true),
            6 if self.dice.chance(300) => (Throws::Always, false),
            7 if self.dice.chance(300) => (Throws::AtOnce, false),
            _ => (Throws::Times(0), false),
        };
        let takes_ms = match self.dice.below(50) {
            0 => STEP_TIME_MS_LONG,
            1..6 => self.dice.below(STEP_TIME_MS_MAX),
            _ => 0,
        };
        let sends = if throws == Throws::Times(0) && self.dice.chance(100) { self.child() } else { None };
        let retry_after_s = self.dice.chance(200).then(|| self.dice.between(1, 20));
        let step = Step { throws, is_caught, takes_ms, sends, retry_after_s };
        Member { id: self.seen.id(name), act: Act::Step(step) }
    }

    fn child(&mut self) -> Option<String> {
        let child = self.dice.pick(&self.children).copied();
        child.map(|child| format!("sim/f{child}"))
    }
}
