//! A part of the engine, as a shell holds it.

use crate::types::{
    Address, Answer, Fault, Outcome, Progress, Range, RangeRows, Request, RequestLimits, Response, Settings, TurnInput,
};

/// A part of the engine: `actors` of `wit/`.
pub trait Engine: 'static {
    /// An actor in memory.
    type Actor: 'static;

    /// Once, first.
    fn configure(&self, settings: &Settings);
    /// Makes a catalog known.
    ///
    /// # Errors
    /// It cannot be read.
    fn install(&self, version: u64, snapshot: &[u8]) -> Result<(), Fault>;
    /// What is read before an actor is made.
    fn preload(&self, address: &Address) -> Vec<Range>;
    /// Makes an actor from its rows.
    fn actor(&self, address: &Address, rows: Vec<RangeRows>) -> Self::Actor;
    /// Decides.
    ///
    /// # Errors
    /// The actor cannot read its rows or the message; it is as it was.
    fn turn(&self, actor: &Self::Actor, input: TurnInput) -> Result<Outcome, Fault>;
}

/// The event-api's front desk: `http` of `wit/`.
pub trait Desk: Engine {
    /// A request under way.
    type Exchange: 'static;

    /// What is enforced while a request is read.
    fn request_limits(&self) -> RequestLimits;
    /// The answer to a request that could not be read or taken in.
    fn refuse(&self, code: &str) -> Response;
    /// Begins an exchange.
    fn exchange(&self, now: u64, entropy: (u64, u64), catalog: u64, request: Request) -> Self::Exchange;
    /// What is to be done first.
    fn start(&self, exchange: &Self::Exchange) -> Progress;
    /// What is to be done next.
    fn resume(&self, exchange: &Self::Exchange, now: u64, answers: Vec<Answer>) -> Progress;
}
