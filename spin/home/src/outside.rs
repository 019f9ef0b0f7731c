//! The world, as a shell gives it: a clock, chance, other parts, users' apps.

use crate::types::{AppCall, Headers};
use std::future::Future;

/// What came back over HTTP, as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Came {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Headers,
    /// Whole, and not decoded.
    pub body: Vec<u8>,
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendError {
    /// No connection, a reset, a broken answer.
    Unreachable(String),
    /// More than was to be read.
    TooLarge,
    /// It was not sent in time.
    Late,
}

/// Whom a part may talk to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The event-api's actors, by the door that the world does not have.
    EventApi,
    /// The scheduler.
    Scheduler,
    /// The executor.
    Executor,
}

/// The world.
pub trait Outside: 'static {
    /// Milliseconds since the Unix epoch.
    fn now(&self) -> u64;
    /// 64 random bits.
    fn draw(&self) -> u64;
    /// Waits.
    fn sleep(&self, ms: u64) -> impl Future<Output = ()> + 'static;
    /// Goes on behind the response; what is dropped on the way is done again later.
    fn spawn(&self, work: impl Future<Output = ()> + 'static);
    /// Asks another part. An error says that nobody knows whether it was heard.
    fn tell(&self, door: Door, path: &str, body: Vec<u8>) -> impl Future<Output = Result<Vec<u8>, String>>;
    /// One request out, to `url` and without following redirects, and not after `until`; only the executor may.
    fn send(&self, call: &AppCall, url: &str, until: u64) -> impl Future<Output = Result<Came, SendError>>;
    /// A line for people.
    fn log(&self, line: &str);
}
