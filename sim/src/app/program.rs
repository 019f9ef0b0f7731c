//! What the simulated functions do.

/// A function: stages, one after another, and an end.
#[derive(Clone, Debug)]
pub struct Program {
    /// The function's name within the app.
    pub name: String,
    /// The events that start it.
    pub triggers: Vec<String>,
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
    /// Saves steps while the call goes on.
    pub checkpoints: bool,
    /// Says itself that an attempt was the last (`StepFailed`); others say `StepError` to the end.
    pub says_final: bool,
}

/// One stage of a function.
#[derive(Clone, Debug)]
pub enum Stage {
    /// One step or sleep.
    One(Member),
    /// Chains side by side, all awaited.
    Parallel(Vec<Vec<Member>>),
    /// Several at once, of which the first to end lets the function go on; none of them throws for good.
    Race(Vec<Member>),
}

/// A step or a sleep.
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
    /// Sleeps.
    Sleep {
        /// How long.
        seconds: u64,
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
    /// It says when it is to be tried again.
    pub retry_after_s: Option<u64>,
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

    /// The function's id within the server.
    #[must_use]
    pub fn slug(&self) -> String {
        format!("app-{}", self.name)
    }
}
