//! The flags of `dev` and `start`.

use super::duration;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Flags of both.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeFlags {
    /// The URL where an app serves its functions; may be given several times
    #[arg(short = 'u', long, value_name = "URL")]
    pub sdk_url: Vec<String>,

    /// The address to listen on [default: 127.0.0.1 for dev, 0.0.0.0 (every interface) for start]
    #[arg(long)]
    pub host: Option<String>,

    /// The port to listen on [default: 8288]; dev takes the next free one where it is taken
    #[arg(short, long)]
    pub port: Option<u16>,

    /// The folder for the database, stepwell.db [default: .stepwell]
    #[arg(long, value_name = "FOLDER", alias = "sqlite-dir")]
    pub data_dir: Option<PathBuf>,

    /// The key that requests between server and apps are signed with
    #[arg(long, value_name = "KEY")]
    pub signing_key: Option<String>,

    /// An older signing key that is still accepted, while keys are rotated; may be given several times
    #[arg(long, value_name = "KEY")]
    pub signing_key_fallback: Vec<String>,

    /// A key that events may be sent with; may be given several times
    #[arg(long, value_name = "KEY")]
    pub event_key: Vec<String>,

    /// How often apps are asked for their functions [default: 5s]
    #[arg(long, value_name = "SECONDS", value_parser = duration::parse)]
    pub poll_interval: Option<Duration>,

    /// Waits this long between attempts, instead of longer and longer (seconds, or 100ms, 2s)
    #[arg(long, value_name = "SECONDS", value_parser = duration::parse)]
    pub retry_interval: Option<Duration>,

    /// How many calls to apps may be in flight [default: 1000]
    #[arg(long, value_name = "COUNT")]
    pub calls_max: Option<usize>,

    /// What each instance of the engine may use, in MiB [default: 1024]
    #[arg(long, value_name = "MIB")]
    pub engine_memory_mb: Option<usize>,

    /// The configuration file [default: stepwell.json, .yaml or .toml, here or in a folder above]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Flags of `dev` alone.
#[derive(Args, Clone, Debug, Default)]
pub struct DevFlags {
    /// Keep everything in memory: gone when the server stops
    #[arg(long, conflicts_with = "persist")]
    pub in_memory: bool,

    /// Keep everything on disk; this is so unless --in-memory is given
    #[arg(long)]
    pub persist: bool,

    /// Do not look for apps on this machine
    #[arg(long)]
    pub no_discovery: bool,

    /// Do not ask apps again and again for their functions; only those that failed
    #[arg(long)]
    pub no_poll: bool,
}
