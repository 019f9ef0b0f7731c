//! How the server is to run: flags > environment > configuration file > defaults (SERVER §5.2).
//!
//! Every source becomes a [`Layer`]: settings by name, as they were written, with a word about where. `resolve` looks each
//! setting up in the layers, the strongest first, and reads it once, in one place, so that each source is read by the same rules and
//! every error can say where the fault stands. Nothing here reads the process's environment: it comes in as an [`Environment`].

mod error;
mod file;
mod layer;
mod read;
mod resolve;
pub mod setting;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use layer::{Environment, Layer, Value};
pub use read::http_url;
pub use resolve::{ClientFlags, client, serve};

use crate::logging;
use std::path::PathBuf;
use std::time::Duration;

/// How the server runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// For one developer's machine, or for everybody.
    pub kind: Kind,
    /// An address or a name to listen on.
    pub host: String,
    /// The port to listen on; 0 leaves the choice to the system.
    pub port: u16,
    /// If the port is taken, the next free one will do.
    pub may_move_port: bool,
    /// Where runs are kept.
    pub data: Data,
    /// Threads that decide, each with a file of its own: from 1 to [`crate::limits::PARTITIONS_MAX`].
    pub partitions: u32,
    /// Calls that one app may have under way.
    pub calls_per_app_max: usize,
    /// Serve URLs of apps to sync when the server starts.
    pub sdk_urls: Vec<String>,
    /// Apps are looked for on the usual local ports (PROTOCOL §1.9).
    pub discovery: bool,
    /// Known apps are asked to sync every [`Self::poll_interval`]; otherwise only those whose last sync failed.
    pub poll: bool,
    /// How long it is from one poll to the next.
    pub poll_interval: Duration,
    /// Replaces the table of back-offs.
    pub retry_interval: Option<Duration>,
    /// How long before a wait an event may have come that still ends it.
    pub wait_look_back: Option<Duration>,
    /// What is made up for of the times of a schedule that were missed.
    pub cron_catch_up: CatchUp,
    /// Steps may have the server ask private addresses.
    pub private_addresses: bool,
    /// So many runs of one function may wait to begin; those that come then are skipped.
    pub backlog_max: Option<u32>,
    /// As they were written, the current one before the fallback; never empty where [`Kind::Start`].
    pub signing_keys: Vec<String>,
    /// Accepted event keys; never empty where [`Kind::Start`], none means any.
    pub event_keys: Vec<String>,
    /// What each instance of the engine may use.
    pub engine_memory_bytes_max: u64,
    /// How to log.
    pub log: logging::Options,
    /// The configuration file that was read.
    pub config_file: Option<PathBuf>,
    /// What was asked for and has no effect here, a sentence each.
    pub warnings: Vec<String>,
}

/// Whom the server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One developer's machine: no keys, apps are found by themselves.
    Dev,
    /// Everybody: keys are required.
    Start,
}

/// What is made up for of the times of a schedule that were missed while no server ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CatchUp {
    /// Nothing.
    None,
    /// The newest of them.
    #[default]
    Last,
    /// Every one.
    All,
}

/// Where runs are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// Nowhere: they are gone with the process.
    InMemory,
    /// In this folder.
    Folder(PathBuf),
}

/// How a client command reaches its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientOptions {
    /// Without a slash at the end.
    pub server: String,
    /// Sent as a bearer token.
    pub signing_key: Option<String>,
    /// Part of the URL that events are posted to.
    pub event_key: Option<String>,
}
