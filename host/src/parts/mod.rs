//! The three parts that decide, as the shell sees them.

pub mod code;
mod instance;
mod requests;
#[cfg(test)]
pub mod scripted;
#[cfg(test)]
mod tests;
mod wasm;

pub use code::Code;
pub use requests::{OpenExchange, RequestInstance};
pub use wasm::WasmParts;

use crate::wit::{ActorKind, Address, CatalogVersion, Fault, Outcome, Range, RangeRows, TurnInput};

/// One of the three components.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Houses `catalog`, `stream` and `history`.
    EventApi,
    /// Houses `gate`, `waits` and `cron`.
    Scheduler,
    /// Houses `run`.
    Executor,
}

impl Part {
    /// The part that houses actors of `kind`.
    #[must_use]
    pub const fn of(kind: ActorKind) -> Self {
        match kind {
            ActorKind::Catalog | ActorKind::Stream | ActorKind::History => Self::EventApi,
            ActorKind::Gate | ActorKind::Waits | ActorKind::Cron => Self::Scheduler,
            ActorKind::Run => Self::Executor,
        }
    }
}

/// A decision that did not end: a panic, too much memory, too much time. The instance is gone, and with it every actor
/// that was made in it; the next use makes a new one.
#[derive(Debug, thiserror::Error)]
#[error("the engine's {part:?} failed: {cause}")]
pub struct Trap {
    /// Which part is gone.
    pub part: Part,
    /// For people.
    pub cause: String,
}

/// What a turn answers where it did not trap.
pub type Turned = Result<Outcome, Fault>;

/// The engine behind `wit/actors.wit`: made of wasm in the server, of scripts in tests.
pub trait Parts {
    /// An actor that was made and is hot.
    type Actor;

    /// The ranges to read before the actor is made.
    ///
    /// # Errors
    /// A trap.
    fn preload(&mut self, address: &Address) -> Result<Vec<Range>, Trap>;

    /// Makes the actor from the rows that [`Parts::preload`] asked for.
    ///
    /// # Errors
    /// A trap.
    fn make(&mut self, address: &Address, rows: &[RangeRows]) -> Result<Self::Actor, Trap>;

    /// One turn.
    ///
    /// # Errors
    /// A trap.
    fn turn(&mut self, address: &Address, actor: &Self::Actor, input: &TurnInput) -> Result<Turned, Trap>;

    /// Frees an actor that nobody needs hot any more.
    fn release(&mut self, address: &Address, actor: Self::Actor);

    /// Makes a catalog known to every part, and to the instances to come.
    fn install(&mut self, catalog: &CatalogVersion);

    /// Throws away every instance, and with them every actor.
    fn restart(&mut self);

    /// The parts that hold so much memory that they had better begin anew: their actors are to be made again.
    fn outgrown(&mut self) -> Vec<Part> {
        Vec::new()
    }
}
