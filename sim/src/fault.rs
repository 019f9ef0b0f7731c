//! What can go wrong, how often, and how often it did.

use crate::dice::{Dice, Purpose};
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

            /// What it is, for people.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*),)* }
            }

            /// How often it strikes where it can, in a thousand, when a seed is at its wildest.
            const fn permille_max(self) -> u64 {
                match self { $(Self::$variant => $permille,)* }
            }
        }
    };
}

faults! {
    /// The home dies, or the part of it that is at work: before a commit, in it, after it, or between two effects.
    Crash = "crash", 15;
    /// The storage refuses a commit; who wanted it lives on.
    StorageRefuses = "storage-refuses", 15;
    /// The storage commits, and its word that it did is lost (where it answers over a network).
    CommitUnheard = "commit-unheard", 20;
    /// A read gives what was there a moment ago (where storage is replicated).
    StaleRead = "stale-read", 60;
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
    /// It does not come (where another one will).
    AlarmLost = "alarm-lost", 60;
    /// The server's clock is set forth or back by up to a minute.
    ClockSteps = "clock-steps", 4;
    /// A call does not reach the app.
    CallLost = "call-lost", 30;
    /// There is no room for a call: its actor is asked for it again.
    CallNoRoom = "call-no-room", 30;
    /// Whoever made the call is gone, and with it the answer (where the actor's home does not make it itself).
    CallerGone = "caller-gone", 20;
    /// The app did what it was asked for; its answer is lost.
    AnswerLost = "answer-lost", 30;
    /// The answer comes late: other requests overtake it.
    AnswerLate = "answer-late", 80;
    /// The answer is taken in twice.
    AnswerTwice = "answer-twice", 30;
    /// The app answers 500.
    AppFails = "app-fails", 30;
    /// The app answers what no SDK says.
    AppBabbles = "app-babbles", 30;
    /// The app answers what no server can take, however often it asks.
    AppBreaks = "app-breaks", 3;
    /// The app never answers.
    AppHangs = "app-hangs", 10;
    /// A request to the server is lost.
    RequestLost = "request-lost", 30;
    /// It comes twice.
    RequestTwice = "request-twice", 30;
    /// The server did what it was asked for; the response is lost.
    ResponseLost = "response-lost", 30;
    /// The app is deployed anew, changed, in the middle of its runs.
    Redeploy = "redeploy", 60;
    /// News to whoever watches is lost. Nobody may depend on it.
    NewsLost = "news-lost", 100;
}

/// The faults that an effect can meet. A new kind of effect does not compile until it has its own.
#[must_use]
pub const fn faults_of(effect: &Effect) -> &'static [Fault] {
    match effect {
        Effect::Reply { .. } => &[Fault::Crash, Fault::RequestLost, Fault::RequestTwice, Fault::ResponseLost],
        Effect::Send { .. } => {
            &[Fault::Crash, Fault::MessageLost, Fault::MessageTwice, Fault::MessageLate, Fault::AckLost]
        }
        Effect::Call(_) => &[
            Fault::Crash,
            Fault::CallLost,
            Fault::CallNoRoom,
            Fault::CallerGone,
            Fault::AnswerLost,
            Fault::AnswerLate,
            Fault::AnswerTwice,
            Fault::AppFails,
            Fault::AppBabbles,
            Fault::AppBreaks,
            Fault::AppHangs,
        ],
        Effect::Publish { .. } => &[Fault::Crash, Fault::NewsLost],
        Effect::Install { .. } => &[Fault::Crash, Fault::Redeploy],
    }
}

/// The faults that what is written can meet, and when an actor is woken: the part of a turn's decision that is no effect.
pub const OF_ROWS_AND_WAKES: &[Fault] = &[
    Fault::Crash,
    Fault::StorageRefuses,
    Fault::CommitUnheard,
    Fault::StaleRead,
    Fault::AlarmEarly,
    Fault::AlarmLate,
    Fault::AlarmTwice,
    Fault::AlarmLost,
    Fault::ClockSteps,
];

/// So often a home dies at most: where one dies before it has done again what its last death undid, nothing comes of more.
const CRASHES_MAX: u64 = 150;

/// Which faults a run of the simulator has, and which it had.
pub struct Faults {
    dice: Dice,
    permille: BTreeMap<Fault, u64>,
    struck: BTreeMap<Fault, u64>,
}

impl Faults {
    /// Each seed has a mix of its own: some kinds often, some hardly, some not at all, and never those in `without`.
    #[must_use]
    pub fn mixed(seed: u64, without: &BTreeSet<Fault>) -> Self {
        let mut dice = Dice::new(seed, Purpose::Faults);
        let mut mix = |fault: &Fault| {
            let permille = match dice.below(4) {
                0 => 0,
                1 => fault.permille_max().div_ceil(4),
                _ => fault.permille_max(),
            };
            (*fault, if without.contains(fault) { 0 } else { permille })
        };
        let permille = Fault::ALL.iter().map(&mut mix).collect();
        Self { dice, permille, struck: BTreeMap::new() }
    }

    /// A world where nothing goes wrong.
    #[must_use]
    pub fn none() -> Self {
        Self { dice: Dice::new(0, Purpose::Faults), permille: BTreeMap::new(), struck: BTreeMap::new() }
    }

    /// A world where these strike whenever they can.
    #[must_use]
    pub fn only(seed: u64, faults: &[Fault]) -> Self {
        let permille = faults.iter().map(|fault| (*fault, 1_000)).collect();
        Self { dice: Dice::new(seed, Purpose::Faults), permille, struck: BTreeMap::new() }
    }

    /// Whether `fault` strikes now.
    pub fn strikes(&mut self, fault: Fault) -> bool {
        let permille = self.permille.get(&fault).copied().unwrap_or(0);
        // No number is drawn for what cannot happen: a fault that is taken away for good leaves less of the story changed.
        let strikes = permille > 0 && self.dice.chance(permille);
        if strikes {
            let count = self.struck.entry(fault).or_default();
            *count = count.saturating_add(1);
            if fault == Fault::Crash && *count >= CRASHES_MAX {
                self.permille.remove(&fault);
            }
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
    use stepwell_engine::ids::Millis;
    use stepwell_engine::turn::{Address, AppCall, CallKind};

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
        assert_eq!(names.len(), Fault::ALL.len());
    }

    #[test]
    fn a_fault_that_is_left_out_never_strikes() {
        let mut faults = Faults::mixed(1, &Fault::ALL.iter().copied().collect());
        assert!((0..1_000).all(|_| Fault::ALL.iter().all(|fault| !faults.strikes(*fault))));
    }

    #[test]
    fn every_kind_of_effect_has_its_faults_and_every_fault_its_place() {
        let call = AppCall {
            id: String::new(),
            kind: CallKind::App,
            method: "POST".into(),
            url: String::new(),
            headers: Vec::new(),
            body: Vec::new(),
            time_max: Millis(0),
            answer_bytes_max: 0,
            redirects_max: 0,
        };
        // `faults_of` does not compile while a kind of effect is missing there; this fails while one is missing here.
        let effects = [
            Effect::Reply { token: 0, body: Vec::new() },
            Effect::Send { to: Address::catalog(), body: Vec::new() },
            Effect::Call(call),
            Effect::Publish { channel: String::new(), data: Vec::new() },
            Effect::Install { version: 0, snapshot: Vec::new() },
        ];
        let kinds: BTreeSet<_> = effects.iter().map(|effect| format!("{:?}", std::mem::discriminant(effect))).collect();
        assert_eq!(kinds.len(), effects.len());
        let mut placed: BTreeSet<Fault> = OF_ROWS_AND_WAKES.iter().copied().collect();
        for effect in &effects {
            assert!(!faults_of(effect).is_empty());
            placed.extend(faults_of(effect));
        }
        assert_eq!(placed, Fault::ALL.iter().copied().collect());
    }
}
