//! What the simulated functions do.

/// A function: stages, one after another, and an end.
#[derive(Clone, Debug)]
pub struct Program {
    /// The function's name within the app.
    pub name: String,
    /// The events that start it.
    pub triggers: Vec<String>,
    /// Others defer it: their ends start it.
    pub is_deferred: bool,
    /// A schedule starts it every so many minutes as well.
    pub every_min: Option<u64>,
    /// Its body.
    pub stages: Vec<Stage>,
    /// What it does after its last stage.
    pub end: End,
    /// The SDK that it is written with.
    pub sdk: Sdk,
    /// Retries that it asks for.
    pub retries: u32,
    /// Its code is not the same each time that it is run: it finds other steps, or the same ones in another order.
    pub wanders: bool,
    /// Events that cancel its runs.
    pub cancel_on: Vec<CancelOn>,
    /// How long its runs may take.
    pub timeouts: Timeouts,
    /// When they begin, and how many of their calls are made at once.
    pub flow: Flow,
}

/// Flow control.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Calls at once.
    pub calls: Option<u32>,
    /// Calls at once of runs with the same number.
    pub calls_of_one: Option<u32>,
    /// Calls at once of all runs with the same number, whatever their function.
    pub calls_of_all: Option<u32>,
    /// Runs at once that have begun.
    pub runs: Option<u32>,
    /// So many starts, in so many seconds.
    pub throttle: Option<(u32, u64)>,
    /// What a start passes before its run begins.
    pub before: Option<Before>,
}

/// What a start passes before its run begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Before {
    /// Events are gathered: so many, for so many seconds.
    Batch(u32, u64),
    /// So many starts in an hour.
    RateLimit(u32),
    /// Only the newest event, after so many quiet seconds.
    Debounce(u64),
    /// One run at a time for each number; the newcomer takes the place of the one that there is.
    Singleton(bool),
}

impl Flow {
    /// Its calls need slots.
    #[must_use]
    pub const fn is_gated(&self) -> bool {
        let Self { calls, calls_of_one, calls_of_all, runs, throttle, before: _ } = self;
        calls.is_some() || calls_of_one.is_some() || calls_of_all.is_some() || runs.is_some() || throttle.is_some()
    }
}

/// An event that cancels a run.
#[derive(Clone, Debug)]
pub struct CancelOn {
    /// Its name.
    pub event: String,
    /// What it must be like.
    pub condition: Option<Condition>,
    /// For how long it does.
    pub timeout_s: Option<u64>,
}

/// Beyond either, a run is cancelled.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timeouts {
    /// From its event to its beginning.
    pub start_s: Option<u64>,
    /// From its first call to its end.
    pub finish_s: Option<u64>,
}

/// What an event must be like, compared with the one that started the run: by a small number in the data of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Both have the same number.
    Same,
    /// The same, in a form in which no value can be looked up.
    SameOrTen,
    /// It has this number.
    Is(u64),
    /// It has a greater number than this.
    Above(u64),
}

impl Condition {
    /// As it stands in `if`.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Same => "event.data.k == async.data.k".to_owned(),
            Self::SameOrTen => "async.data.k == 10 || event.data.k == async.data.k".to_owned(),
            Self::Is(number) => format!("async.data.k == {number}"),
            Self::Above(number) => format!("async.data.k > {number}"),
        }
    }
}

/// How a function ends once its stages are behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It returns what its steps came to.
    Returns,
    /// It throws so many times, and returns then.
    Throws(u32),
    /// It throws an error that is not to be retried.
    GivesUp,
}

/// What one SDK does differently from another (PROTOCOL §§3.7, 4.4, 7.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sdk {
    /// The execution version: 1 has every end of a step looked at, 2 those of parallel steps together.
    pub version: u32,
    /// When it saves steps while the call goes on.
    pub saves: Saves,
    /// Says itself that an attempt was the last (`StepFailed`); others say `StepError` to the end.
    pub says_final: bool,
}

/// When an SDK saves steps while its call goes on (PROTOCOL §7.12).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saves {
    /// Never.
    Never,
    /// So many in one checkpoint, and waits until they are saved; what is left over rides in the answer.
    Every(u32),
    /// What there is, behind the function's back: it runs on meanwhile.
    Behind,
}

/// One stage of a function.
#[derive(Clone, Debug)]
pub enum Stage {
    /// One member.
    One(Member),
    /// Chains side by side, all awaited.
    Parallel(Vec<Vec<Member>>),
    /// Several at once, of which the first to end lets the function go on; none of them throws for good.
    Race(Vec<Member>),
}

/// A step, or a pause; or what is said of a deferral, which holds up nothing.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its id, unique within the function: a name that is used again has an index, `name:1`. An SDK hashes it; here it
    /// travels as it is, colon and all, so that stories can be read.
    pub id: String,
    /// What it does.
    pub act: Act,
}

/// What a member does.
#[derive(Clone, Debug)]
pub enum Act {
    /// Runs code.
    Step(Step),
    /// Asks somebody else's server, which the server does for it.
    Infer {
        /// How often that refuses before it answers.
        refuses: u32,
    },
    /// Sleeps.
    Sleep {
        /// How long.
        seconds: u64,
    },
    /// Waits for an event.
    Wait {
        /// Its name.
        event: String,
        /// What it must be like.
        condition: Option<Condition>,
        /// For how long; 0: it ends at once.
        seconds: u64,
    },
    /// Waits for a signal.
    AwaitSignal {
        /// Its name.
        signal: String,
        /// Takes the place of whoever waits; else the run fails where somebody does.
        replaces: bool,
        /// For how long.
        seconds: u64,
    },
    /// Starts another function and waits for its end.
    Invoke {
        /// Its name within the app.
        function: String,
        /// For how long; none: a year.
        seconds: Option<u64>,
        /// The function catches what the other one throws.
        is_caught: bool,
    },
    /// Defers another function until the run is over.
    Defer {
        /// Its name within the app.
        function: String,
        /// What follows is no step and takes so long that an SDK which finds nothing beside it answers before it comes to an end.
        thinks: bool,
    },
    /// Takes a deferral back.
    TakeBack {
        /// The member that deferred.
        of: String,
    },
}

/// A step's code.
#[derive(Clone, Debug, Default)]
pub struct Step {
    /// How often it throws before it returns.
    pub throws: Throws,
    /// The function catches what it throws for good.
    pub is_caught: bool,
    /// How long it takes.
    pub takes_ms: u64,
    /// It sends an event of this name.
    pub sends: Option<String>,
    /// It sends this signal.
    pub signals: Option<String>,
    /// It says when it is to be tried again.
    pub retry_after_s: Option<u64>,
    /// It returns so much that two of its like do not fit into a call.
    pub is_bulky: bool,
}

/// How often a step throws.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Throws {
    /// So many times, and then it returns.
    Times(u32),
    /// Whenever it is tried.
    Always,
    /// An error that is not to be retried.
    AtOnce,
}

impl Default for Throws {
    fn default() -> Self {
        Self::Times(0)
    }
}

impl Throws {
    /// It never returns.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Always | Self::AtOnce)
    }
}

impl Member {
    /// Whether the function lets through what this throws for good.
    #[must_use]
    pub const fn lets_through(&self) -> bool {
        match &self.act {
            Act::Step(step) => !step.is_caught,
            Act::Invoke { is_caught, .. } => !*is_caught,
            Act::Infer { .. }
            | Act::Sleep { .. }
            | Act::Wait { .. }
            | Act::AwaitSignal { .. }
            | Act::Defer { .. }
            | Act::TakeBack { .. } => false,
        }
    }
}

impl Member {
    /// Whether it ends, and is remembered then; what is said of deferrals is only said.
    #[must_use]
    pub const fn is_remembered(&self) -> bool {
        !matches!(self.act, Act::Defer { .. } | Act::TakeBack { .. })
    }
}

impl Stage {
    /// Its members.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        let (one, chains, racing) = match self {
            Self::One(member) => (Some(member), [].as_slice(), [].as_slice()),
            Self::Parallel(chains) => (None, chains.as_slice(), [].as_slice()),
            Self::Race(members) => (None, [].as_slice(), members.as_slice()),
        };
        one.into_iter().chain(chains.iter().flatten()).chain(racing)
    }
}

impl Program {
    /// All members, in the order of the program.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.stages.iter().flat_map(Stage::members)
    }

    /// The member with this id.
    #[must_use]
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members().find(|member| member.id == id)
    }

    /// The schedule in cron's words, if there is one.
    #[must_use]
    pub fn schedule(&self) -> Option<String> {
        self.every_min.map(|minutes| format!("*/{minutes} * * * *"))
    }

    /// The function's id within the server.
    #[must_use]
    pub fn slug(&self) -> String {
        format!("app-{}", self.name)
    }
}
