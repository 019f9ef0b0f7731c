//! What can go wrong, how often, and how often it did.

use crate::dice::Dice;
use std::collections::{BTreeMap, BTreeSet};
use stepwell_engine::turn::Effect;

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal, $permille:literal;)*) => {
        /// A kind of fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault { $($(#[doc = $doc])* $variant,)* }

        impl Fault {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name on the command line and in stories.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// How often it strikes where it can, in a thousand, when a seed is at its wildest.
            const fn permille_max(self) -> u64 {
                match self { $(Self::$variant => $permille,)* }
            }
        }
    };
}

faults! {
    /// The home dies: before a commit, in it, after it, or between two effects.
    Crash = "crash", 15;
    /// The storage refuses a commit; the process lives on.
    StorageRefuses = "storage-refuses", 15;
    /// A message between actors is lost on its way (where it travels at all).
    MessageLost = "message-lost", 60;
    /// It comes twice.
    MessageTwice = "message-twice", 60;
    /// It comes late, after others that were sent after it.
    MessageLate = "message-late", 100;
    /// The word that a message was taken in is lost.
    AckLost = "ack-lost", 60;
    /// An alarm comes too early.
    AlarmEarly = "alarm-early", 40;
    /// It comes late.
    AlarmLate = "alarm-late", 60;
    /// It comes twice.
    AlarmTwice = "alarm-twice", 60;
    /// The server's clock is set forth or back by up to a minute.
    ClockSteps = "clock-steps", 4;
    /// A call does not reach the app.
    CallLost = "call-lost", 30;
    /// The app did what it was asked for; its answer is lost.
    AnswerLost = "answer-lost", 30;
    /// The answer comes late: other requests overtake it.
    AnswerLate = "answer-late", 80;
    /// The answer is taken in twice.
    AnswerTwice = "answer-twice", 30;
    /// The app answers 500.
    AppFails = "app-fails", 30;
    /// The app answers what no SDK says.
    AppBabbles = "app-babbles", 20;
    /// The app never answers.
    AppHangs = "app-hangs", 10;
    /// A request to the server is lost.
    RequestLost = "request-lost", 30;
    /// The server did what it was asked for; the response is lost.
    ResponseLost = "response-lost", 30;
    /// The app announces itself again, changed, in the middle of its runs.
    Redeploy = "redeploy", 4;
    /// News to whoever watches is lost. Nobody may depend on it.
    NewsLost = "news-lost", 100;
}

/// The faults that an effect can meet. A new kind of effect does not compile until it has its own.
#[must_use]
pub const fn faults_of(effect: &Effect) -> &'static [Fault] {
    match effect {
        Effect::Reply { .. } => &[Fault::Crash, Fault::ResponseLost],
        Effect::Send { .. } => {
            &[Fault::Crash, Fault::MessageLost, Fault::MessageTwice, Fault::MessageLate, Fault::AckLost]
        }
        Effect::Call(_) => &[
            Fault::Crash,
            Fault::CallLost,
            Fault::AnswerLost,
            Fault::AnswerLate,
            Fault::AnswerTwice,
            Fault::AppFails,
            Fault::AppBabbles,
            Fault::AppHangs,
        ],
        Effect::Publish { .. } => &[Fault::Crash, Fault::NewsLost],
        Effect::Install { .. } => &[Fault::Crash, Fault::Redeploy],
    }
}

/// Which faults a run of the simulator has, and which it had.
pub struct Faults {
    permille: BTreeMap<Fault, u64>,
    struck: BTreeMap<Fault, u64>,
}

impl Faults {
    /// Each seed has a mix of its own: some kinds often, some hardly, some not at all, and never those in `without`.
    pub fn mixed(dice: &mut Dice, without: &BTreeSet<Fault>) -> Self {
        let mix = |fault: &Fault| {
            let permille = match dice.below(4) {
                0 => 0,
                1 => fault.permille_max().div_ceil(4),
                _ => fault.permille_max(),
            };
            (*fault, if without.contains(fault) { 0 } else { permille })
        };
        Self { permille: Fault::ALL.iter().map(mix).collect(), struck: BTreeMap::new() }
    }

    /// A world where nothing goes wrong.
    #[must_use]
    pub const fn none() -> Self {
        Self { permille: BTreeMap::new(), struck: BTreeMap::new() }
    }

    /// Whether `fault` strikes now.
    pub fn strikes(&mut self, fault: Fault, dice: &mut Dice) -> bool {
        let permille = self.permille.get(&fault).copied().unwrap_or(0);
        // No number is drawn for what cannot happen: a fault that is taken away for good leaves less of the story changed.
        let strikes = permille > 0 && dice.chance(permille);
        if strikes {
            let count = self.struck.entry(fault).or_default();
            *count = count.saturating_add(1);
        }
        strikes
    }

    /// From here on nothing goes wrong.
    pub fn stop(&mut self) {
        self.permille.clear();
    }

    /// How often each fault struck.
    #[must_use]
    pub const fn struck(&self) -> &BTreeMap<Fault, u64> {
        &self.struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        assert_eq!(names.len(), Fault::ALL.len());
    }

    #[test]
    fn a_fault_that_is_left_out_never_strikes() {
        let mut dice = Dice::new(1);
        let mut faults = Faults::mixed(&mut dice, &Fault::ALL.iter().copied().collect());
        assert!((0..1_000).all(|_| Fault::ALL.iter().all(|fault| !faults.strikes(*fault, &mut dice))));
    }
}
