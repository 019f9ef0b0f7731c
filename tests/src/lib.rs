//! End-to-end tests with real SDKs, and what they need: the real server, the real apps, and deadlines on everything.
//!
//! A test makes a [`World`]: one server in a directory of its own on a port of its own, and the app processes that it
//! asks for. An app process serves several [`Lane`]s, each a registered app with the same functions under another
//! setting of the SDK (checkpointing off, streaming on, …). Scenarios run on all lanes of a world at once.
//!
//! Nothing here waits by sleeping a guessed time: [`until`] polls a condition and gives up at a deadline. Every process
//! is killed by its id when its handle goes.

mod answer;
mod app;
mod chance;
mod child;
mod client;
mod example;
mod finished;
mod home;
mod journal;
mod ports;
mod rogue;
mod scenario;
mod server;
mod wait;
mod watched;
mod world;

pub use answer::Answer;
pub use app::{App, Keys, Sdk};
pub use chance::Chance;
pub use client::Client;
pub use example::Example;
pub use finished::{Call, Execution, Finished};
pub use home::{Home, Said, applies, run};
pub use journal::Journal;
pub use rogue::{Reply, Request, Rogue, sdk_reply};
pub use scenario::{Scenario, run_scenarios};
pub use server::{Mode, Server};
pub use wait::{until, within};
pub use watched::{Watched, assert_repeats_have_a_reason, recorded};
pub use world::{Lane, World};
