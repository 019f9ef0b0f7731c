//! What must hold, whatever happens.
//!
//! Each promise is checked as early as it can be: at a turn, at a commit, at a call, when somebody hears something, and at
//! the end. Each has a sabotage ([`crate::sabotage`]) that breaks it and nothing else, so that none is a promise that
//! cannot fail.

pub mod calls;
pub mod cancels;
pub mod crons;
pub mod defers;
pub mod ends;
pub mod flow;
pub mod invokes;
pub mod journal;
pub mod meetings;
pub mod pauses;
pub mod reruns;
pub mod run;
pub mod shadow;
pub mod signals;
pub mod watch;

use std::fmt;

macro_rules! invariants {
    ($($(#[doc = $doc:literal])* $variant:ident,)*) => {
        /// A promise, by its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Invariant { $($(#[doc = $doc])* $variant,)* }

        impl Invariant {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// What it promises.
            #[must_use]
            pub const fn promise(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*),)* }
            }
        }
    };
}

invariants! {
    /// An event that was acknowledged is in the store, and a call carries only what is. Law 1; where a user or an app
    /// hears of it, and at each call.
    DurableBeforeVisible,
    /// An acknowledged event starts each of its functions exactly once, however often it was sent; so does the end of a
    /// run. Law 2; at the end.
    StartsOnce,
    /// A request that was refused has changed nothing. Law 2; at the end.
    RefusedMeansNothing,
    /// What is under way now would be asked for again, were everything lost but the rows. Law 3; after commits.
    OwedIsDerivable,
    /// An actor that was made anew from its rows decides as the one that was in memory. Law 3; at turns.
    RecoveryDecidesTheSame,
    /// What is in memory is the fold of the rows. The contract of the engine; after commits.
    StateIsTheFold,
    /// A step costs one row: undisturbed, a run writes what its program says and no more. Law 4; at the end.
    OneRowPerStep,
    /// A journal grows at its end. Law 5; at commits.
    KeysSortByTime,
    /// Payloads are carried as the bytes that came. Law 6; at commits and calls.
    PayloadsAreOpaque,
    /// Rows, letters, what is in memory of them, and what a call carries stay within their bounds. Law 7; at commits and calls.
    WithinBounds,
    /// An answer or a checkpoint counts only for the attempt that is current, and once. Law 8; at commits.
    AttemptsAreFenced,
    /// At most one live attempt per unit of work. Law 8; at calls.
    OneLiveAttempt,
    /// An attempt has the number that the failures before it give. Law 8; at calls.
    AttemptsAreCounted,
    /// A recorded result never changes. Law 8; at calls.
    ResultsStay,
    /// A step whose result was acknowledged to the app is never run again. Law 8; in the app.
    SavedStays,
    /// A question writes nothing. Law 10; at turns.
    ReadingWritesNothing,
    /// A refusal says why, under a stable code. Law 11; where a user hears of it.
    RefusalsSayWhy,
    /// A sleep is never early. At commits.
    SleepsAreNotEarly,
    /// A call is not made before a retry is due, or before the time of a future event. At turns.
    CallsAreNotEarly,
    /// Where nothing goes wrong, a sleep ends on time. At commits.
    SleepsAreNotLate,
    /// A call goes to the newest address that a sync was acknowledged for, unless an older sync has come again since. At turns.
    CallsGoToTheNewestApp,
    /// A call carries the finished steps in the order in which they ended. At calls.
    StackIsInOrder,
    /// A step ends only after those that its program puts before it. At commits.
    StepsFollowTheProgram,
    /// A wait takes one event: one that it waits for, accepted since it was recorded and before its time was over, and that no
    /// wait of its run has taken before. At commits.
    WaitsTakeOne,
    /// A wait misses no event that was accepted after it was recorded. At the end.
    WaitsMissNothing,
    /// A signal wakes one waiter, each time that it is sent. At commits.
    SignalsWakeOne,
    /// A signal reaches whom its sender was told of, and is not told to be unknown where somebody waits. At the end.
    SignalsArrive,
    /// The end of a run reaches who invoked it. At the end.
    FinishesReachInvokers,
    /// A run that is over, cancelled for instance, stops: it makes no further call, and who was told that it is cancelled can
    /// rely on it. At turns, at calls, and where a user hears of it.
    CancelledRunsStop,
    /// What is to cancel a run does: an event, or a request for many. At the end.
    CancellationsArrive,
    /// A run has as much time as its function gives it. At commits.
    TimeoutsHold,
    /// A run that was asked to run again does, under the id that was told, once for each time that it was asked for. At the end, and
    /// where a user hears of it.
    RerunsBegin,
    /// A run that repeats another has its events and the results that had come before the step that was named, and gives that step
    /// its arguments. At commits, at calls, and at the end.
    RerunsRepeat,
    /// A schedule starts its function at each of its times but those that were missed and are not to be caught up with, and at no
    /// other; never early. At commits and at the end.
    SchedulesAreKept,
    /// No limit is exceeded: of what holds slots there is never more than may be, and who makes a call has one. At commits and calls.
    LimitsHold,
    /// A throttle lets no more begin than it says. At commits.
    ThrottlesHold,
    /// Of those that want the same the first goes first. At commits.
    GatesAreFair,
    /// A batch loses no event and doubles none, and is no larger than it may be. At the end.
    BatchesAreWhole,
    /// Of events that come close together the newest has a run. At the end.
    DebouncesRunTheNewest,
    /// A rate limit lets exactly so many begin, where more come. At the end.
    RateLimitsCount,
    /// Where there is to be one run at a time there are never two. At the end.
    SingletonsHold,
    /// What is over leaves nothing at gates. At the end.
    NoSlotsRemain,
    /// What a run deferred and did not take back runs once that run is over, however it ended; and nothing else does. At the end.
    DeferralsRun,
    /// What is over leaves no waits. At the end.
    NoWaitsRemain,
    /// Where the server has keys, a call bears a signature over a canonical body. At calls.
    CallsAreSigned,
    /// A run comes to what its program says. At the end, against the reference model.
    MeetsTheModel,
    /// Undisturbed, code runs as often as its program says. At the end, against the reference model.
    RunsAsOftenAsItSays,
    /// A run ends once: nothing is written after its end, and the stream hears of it once. At commits and at the end.
    EndsOnce,
    /// Lists and reads through the API tell what happened. At the end.
    ListsAreTrue,
    /// When faults stop, every run ends, every request is answered, and nothing is owed. At the end.
    EverythingEnds,
    /// No decision fails. At turns.
    NoFault,
}

impl fmt::Display for Invariant {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which.
    pub invariant: Invariant,
    /// How.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.invariant, self.what)
    }
}

/// Breaks a promise unless `holds`.
///
/// # Errors
/// The violation.
pub fn require(holds: bool, invariant: Invariant, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { invariant, what: what() }) }
}
