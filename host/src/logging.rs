//! Logs go to standard error: short lines for people on a terminal, JSON for everything that collects them.

use std::fmt;
use std::io::{IsTerminal, stderr};
use std::str::FromStr;
use std::time::SystemTime;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::time::FormatTime;

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// What is worth a line.
    pub level: Level,
    /// JSON on a terminal, too.
    pub json: bool,
    /// Lines for people may have colours, if they are written to a terminal.
    pub color: bool,
}

/// What is worth a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// Everything.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What happens.
    #[default]
    Info,
    /// What may be wrong.
    Warn,
    /// What is wrong.
    Error,
}

/// Logs from here on. A second call changes nothing.
pub fn init(options: Options) {
    let on_terminal = stderr().is_terminal();
    let builder = tracing_subscriber::fmt().with_writer(stderr).with_max_level(options.level.filter());
    // Whoever was first (a test, say) has logs set up already, and keeps them.
    let _ = if options.json || !on_terminal {
        builder.json().flatten_event(true).with_current_span(false).with_span_list(false).with_target(false).try_init()
    } else {
        builder.compact().with_target(false).with_ansi(options.color).with_timer(Clock).try_init()
    };
}

impl Level {
    const fn filter(self) -> LevelFilter {
        match self {
            Self::Trace => LevelFilter::TRACE,
            Self::Debug => LevelFilter::DEBUG,
            Self::Info => LevelFilter::INFO,
            Self::Warn => LevelFilter::WARN,
            Self::Error => LevelFilter::ERROR,
        }
    }
}

impl FromStr for Level {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text.to_ascii_lowercase().as_str() {
            "trace" => Self::Trace,
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" | "warning" => Self::Warn,
            "error" => Self::Error,
            _ => return Err(()),
        })
    }
}

/// The time of day in UTC: on a terminal, the day is known.
struct Clock;

impl FormatTime for Clock {
    fn format_time(&self, out: &mut Writer<'_>) -> fmt::Result {
        let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        out.write_str(now.split_once('T').map_or(now.as_str(), |(_, time)| time))
    }
}
