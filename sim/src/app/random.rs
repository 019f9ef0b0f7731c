//! Programs that the dice make up.

use super::parse::Seen;
use super::program::{
    Act, Before, CancelOn, Condition, End, Flow, Member, Program, Saves, Sdk, Stage, Step, Throws, Timeouts,
};
use crate::dice::Dice;

/// Calls of a run that may go wrong; its functions leave as many attempts for them.
pub const CALL_FAILURES_MAX: u32 = 4;
/// Throws of a step that returns in the end.
const THROWS_MAX: u64 = 2;
/// The longest that a step of an ordinary program takes.
const STEP_TIME_MS_MAX: u64 = 90_000;
/// A step that takes longer than any lease, and than faults go on.
const STEP_TIME_MS_LONG: u64 = 45 * 60_000;

/// So many of a thousand functions have a schedule ...
const SCHEDULED_PERMILLE: u64 = 80;
/// ... of at most so many minutes.
const SCHEDULE_MIN_MAX: u64 = 4;

/// The function that others defer.
const DEFERRED: &str = "later";

/// Events that functions wait for.
pub const WAKES: &[&str] = &["sim/wake0", "sim/wake1"];
/// Signals that functions wait for.
pub const SIGNALS: &[&str] = &["s0", "s1", "s2", "s3"];
/// The event that cancels runs.
pub const STOP: &str = "sim/stop";
/// An ordinary timeout of a pause.
const PAUSE_S_MAX: u64 = 120;
/// One that is longer than faults go on.
const PAUSE_S_LONG: u64 = 3_600;

impl Program {
    /// The `place`-th of `count` programs of an app. It may invoke those after it, and send events to them.
    pub fn random(place: u64, count: u64, dice: &mut Dice) -> Self {
        let name = format!("f{place}");
        let children = (place.saturating_add(1)..count).collect();
        let mut made = Made { dice, seen: Seen::default(), children, meets: true };
        let stages = (0..made.dice.below(6)).map(|_| made.stage()).collect();
        let end = match made.dice.below(20) {
            0 => End::GivesUp,
            1 | 2 => End::Throws(1),
            _ => End::Returns,
        };
        let version = if dice.chance(700) { 2 } else { 1 };
        let saves = match dice.below(8) {
            _ if version < 2 => Saves::Never,
            0 | 1 => Saves::Every(1),
            2 => Saves::Every(u32::try_from(dice.between(2, 5)).unwrap_or(2)),
            3 => Saves::Behind,
            _ => Saves::Never,
        };
        let sdk = Sdk { version, saves, says_final: dice.chance(600) };
        let retries = match dice.below(3) {
            0 => 20,
            1 => 12,
            _ => 9,
        };
        let triggers = vec![format!("sim/{name}"), "sim/all".to_owned()];
        let wanders = dice.chance(80);
        let cancel_on = if dice.chance(150) { vec![cancellation(dice)] } else { Vec::new() };
        let timeouts = Timeouts {
            start_s: dice.chance(40).then(|| dice.between(1, 30)),
            finish_s: dice.chance(80).then(|| dice.between(5, 300)),
        };
        let every_min = dice.chance(SCHEDULED_PERMILLE).then(|| dice.between(1, SCHEDULE_MIN_MAX.saturating_add(1)));
        let is_deferred = false;
        Self {
            name,
            triggers,
            is_deferred,
            every_min,
            stages,
            end,
            sdk,
            retries,
            wanders,
            cancel_on,
            timeouts,
            flow: Flow::default(),
        }
    }

    /// Gives it flow control, which leaves the time that its runs may take to chance. `is_invoked`: others may invoke it.
    pub fn limit(&mut self, is_invoked: bool, dice: &mut Dice) {
        let mut some = |permille: u64, below: u64| {
            dice.chance(permille).then(|| u32::try_from(dice.between(1, below)).unwrap_or(1))
        };
        // Two limits on calls at most.
        let (calls, calls_of_one) = (some(500, 4), some(400, 3));
        let calls_of_all = if calls.is_some() && calls_of_one.is_some() { None } else { some(250, 3) };
        let runs = some(250, 4);
        let throttle = some(250, 4).map(|limit| (limit, u64::from(limit).saturating_mul(10)));
        let before = match dice.below(8) {
            0 if !is_invoked => {
                Some(Before::Batch(u32::try_from(dice.between(2, 5)).unwrap_or(2), dice.between(1, 20)))
            }
            1 if !is_invoked => Some(Before::Debounce(dice.between(1, 40))),
            2 => Some(Before::RateLimit(u32::try_from(dice.between(1, 5)).unwrap_or(1))),
            3 => Some(Before::Singleton(false)),
            4 => Some(Before::Singleton(true)),
            _ => None,
        };
        self.flow = Flow { calls, calls_of_one, calls_of_all, runs, throttle, before };
        self.timeouts = Timeouts::default();
        if matches!(before, Some(Before::Batch(..))) {
            self.cancel_on.clear();
        }
        if before.is_some() {
            self.every_min = None;
        }
    }

    /// A program that only works and sleeps: what the end of another run starts has no number to compare.
    pub fn solitary(place: u64, dice: &mut Dice) -> Self {
        let mut made = Made { dice, seen: Seen::default(), children: Vec::new(), meets: false };
        let stages = (0..made.dice.below(4)).map(|_| made.stage()).collect();
        let plain = Self::random(place, 0, dice);
        Self { stages, cancel_on: Vec::new(), ..plain }
    }

    /// A program that others defer.
    pub fn deferred(place: u64, dice: &mut Dice) -> Self {
        Self { name: DEFERRED.to_owned(), triggers: Vec::new(), is_deferred: true, ..Self::solitary(place, dice) }
    }

    /// Here and there it defers the program that is there for that, and takes some of it back.
    pub fn defer_some(&mut self, dice: &mut Dice) {
        let mut seen = Seen::default();
        for _ in 0..dice.below(3) {
            let text = if dice.chance(400) { format!("{DEFERRED}%") } else { DEFERRED.to_owned() };
            let added = seen.deferral(&text);
            let taken_back = dice.chance(300).then(|| seen.deferral("!"));
            let mut place = self.place(dice);
            for member in std::iter::once(added).chain(taken_back) {
                match self.stages.get_mut(place) {
                    Some(Stage::Parallel(chains)) if dice.chance(700) => {
                        let chain = dice.below(u64::try_from(chains.len()).unwrap_or(0));
                        let chain = usize::try_from(chain).ok().and_then(|chain| chains.get_mut(chain));
                        if let Some(chain) = chain {
                            let at = dice.below(u64::try_from(chain.len()).unwrap_or(0).saturating_add(1));
                            chain.insert(usize::try_from(at).unwrap_or(0), member);
                        }
                    }
                    _ => self.stages.insert(place, Stage::One(member)),
                }
                // Whatever is taken back was added in an earlier stage, or was never heard of.
                place = place.saturating_add(1).max(self.place(dice)).min(self.stages.len());
            }
        }
    }

    fn place(&self, dice: &mut Dice) -> usize {
        let places = u64::try_from(self.stages.len()).unwrap_or(0).saturating_add(1);
        usize::try_from(dice.below(places)).unwrap_or(0)
    }

    /// Some of its steps return so much that the app must fetch what it is called with.
    pub fn be_bulky(&mut self) {
        let bulky = |number: u32| {
            let step = Step { is_bulky: true, ..Step::default() };
            Stage::One(Member { id: format!("bulk{number}"), act: Act::Step(step) })
        };
        self.stages.truncate(2);
        self.stages.splice(0..0, [bulky(0), bulky(1)]);
    }
}

fn cancellation(dice: &mut Dice) -> CancelOn {
    let timeout_s = dice.chance(300).then(|| dice.between(1, PAUSE_S_MAX));
    CancelOn { event: STOP.to_owned(), condition: condition(dice), timeout_s }
}

fn condition(dice: &mut Dice) -> Option<Condition> {
    match dice.below(20) {
        0..10 => Some(Condition::Same),
        10..13 => Some(Condition::SameOrTen),
        13..15 => Some(Condition::Is(dice.below(3))),
        15..17 => Some(Condition::Above(dice.below(2))),
        _ => None,
    }
}

fn timeout(dice: &mut Dice) -> u64 {
    match dice.below(30) {
        0 => 0,
        1..20 => dice.between(1, PAUSE_S_MAX),
        _ => PAUSE_S_LONG,
    }
}

struct Made<'a> {
    dice: &'a mut Dice,
    seen: Seen,
    children: Vec<u64>,
    /// It has to do with others: waits for them, sends to them.
    meets: bool,
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
        let step = match member.act {
            Act::Step(step) => step,
            Act::Invoke { function, seconds, .. } => {
                return Member { act: Act::Invoke { function, seconds, is_caught: true }, ..member };
            }
            _ => return member,
        };
        let throws = if step.throws.is_final() { Throws::Times(0) } else { step.throws };
        Member { act: Act::Step(Step { throws, is_caught: false, ..step }), ..member }
    }

    fn member(&mut self) -> Member {
        if self.dice.chance(200) {
            return Member { id: self.seen.id("nap"), act: Act::Sleep { seconds: self.dice.between(1, 120) } };
        }
        if self.dice.chance(60) {
            let refuses = if self.dice.chance(300) { self.dice.between(1, THROWS_MAX.saturating_add(1)) } else { 0 };
            let refuses = u32::try_from(refuses).unwrap_or(1);
            return Member { id: self.seen.id("ask"), act: Act::Infer { refuses } };
        }
        if self.meets && self.dice.chance(220) {
            return self.meeting();
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
        let (sends, signals) = if throws == Throws::Times(0) { self.news() } else { (None, None) };
        let retry_after_s = self.dice.chance(200).then(|| self.dice.between(1, 20));
        let step = Step { throws, is_caught, takes_ms, sends, signals, retry_after_s, is_bulky: false };
        Member { id: self.seen.id(name), act: Act::Step(step) }
    }

    /// A pause that others end.
    fn meeting(&mut self) -> Member {
        match self.dice.below(10) {
            0..5 => {
                let event = self.dice.pick(WAKES).copied().unwrap_or_default().to_owned();
                let (condition, seconds) = (condition(self.dice), timeout(self.dice));
                Member { id: self.seen.id("wait"), act: Act::Wait { event, condition, seconds } }
            }
            5..7 => {
                let signal = self.dice.pick(SIGNALS).copied().unwrap_or_default().to_owned();
                let (replaces, seconds) = (self.dice.chance(650), timeout(self.dice));
                Member { id: self.seen.id("hear"), act: Act::AwaitSignal { signal, replaces, seconds } }
            }
            _ => {
                let Some(child) = self.dice.pick(&self.children).copied() else {
                    return Member { id: self.seen.id("nap"), act: Act::Sleep { seconds: 1 } };
                };
                let seconds = match self.dice.below(4) {
                    0 => Some(self.dice.between(1, PAUSE_S_MAX)),
                    1 => Some(PAUSE_S_LONG),
                    _ => None,
                };
                let act = Act::Invoke { function: format!("f{child}"), seconds, is_caught: self.dice.chance(500) };
                Member { id: self.seen.id("call"), act }
            }
        }
    }

    /// What a step sends: an event that starts others or wakes them, or a signal.
    fn news(&mut self) -> (Option<String>, Option<String>) {
        match self.dice.below(20) {
            0 | 1 => (self.child(), None),
            2 if self.meets => (self.dice.pick(WAKES).map(|name| (*name).to_owned()), None),
            3 if self.meets => (None, self.dice.pick(SIGNALS).map(|name| (*name).to_owned())),
            _ => (None, None),
        }
    }

    fn child(&mut self) -> Option<String> {
        let child = self.dice.pick(&self.children).copied();
        child.map(|child| format!("sim/f{child}"))
    }
}
