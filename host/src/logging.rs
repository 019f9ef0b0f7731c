//! Logs: for people on a terminal, JSON lines otherwise. Always on standard error; standard output is for results.

use std::io::IsTerminal as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// How much is logged, and how.
#[derive(Clone, Copy, Debug)]
pub struct Logging {
    /// The most detailed level that is shown.
    pub level: LevelFilter,
    /// JSON even on a terminal.
    pub json: bool,
    /// Whether colour may be used.
    pub color: bool,
}

impl Logging {
    /// Begins to log. Only the first call has an effect.
    pub fn start(self) {
        // Other crates only speak up where something is wrong.
        let filter = Targets::new().with_target("stepwell", self.level).with_default(LevelFilter::WARN.min(self.level));
        let layer = if self.json || !std::io::stderr().is_terminal() {
            fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed()
        } else {
            fmt::layer().with_ansi(self.color).with_target(false).with_writer(std::io::stderr).boxed()
        };
        drop(tracing_subscriber::registry().with(layer.with_filter(filter)).try_init());
    }
}

/// Whether standard output may be coloured: a terminal, nobody who said no.
#[must_use]
pub fn may_color(no_color_flag: bool) -> bool {
    !no_color_flag
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        && std::io::stdout().is_terminal()
}
