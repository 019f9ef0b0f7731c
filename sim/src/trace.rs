//! What happened, line by line, and the hash of it.

use sha2::{Digest, Sha256};
use std::fmt;

/// Lines kept for the story of a failure; the hash is over all of them.
const LINES_KEPT_MAX: usize = 200_000;

/// Who a line is about: what a terminal may show in colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// An actor decides.
    Turn,
    /// The home: commits, deaths, alarms.
    Home,
    /// Something goes wrong.
    Fault,
    /// The app.
    App,
    /// A user.
    User,
}

/// A line of the story.
#[derive(Clone, Debug)]
pub struct Line {
    /// Milliseconds since the world began.
    pub at_ms: u64,
    /// Who it is about.
    pub tone: Tone,
    /// What happened.
    pub text: String,
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.at_ms.checked_div(1_000).unwrap_or(0);
        let millis = self.at_ms.checked_rem(1_000).unwrap_or(0);
        write!(out, "{seconds:>8}.{millis:03} s  {}", self.text)
    }
}

/// The trace of one run of the simulator.
#[derive(Default)]
pub struct Trace {
    digest: Sha256,
    lines: Vec<Line>,
    is_kept: bool,
}

impl Trace {
    /// A trace that keeps its lines, rather than only their hash.
    #[must_use]
    pub fn kept() -> Self {
        Self { is_kept: true, ..Self::default() }
    }

    /// Adds a line.
    pub fn say(&mut self, at_ms: u64, tone: Tone, text: fmt::Arguments<'_>) {
        let line = Line { at_ms, tone, text: text.to_string() };
        self.digest.update(line.at_ms.to_le_bytes());
        self.digest.update(line.text.as_bytes());
        self.digest.update(b"\n");
        if self.is_kept && self.lines.len() < LINES_KEPT_MAX {
            self.lines.push(line);
        }
    }

    /// The hash of every line so far, and of what the engine gave, which is `script`.
    #[must_use]
    pub fn fingerprint(&self, script: &str) -> String {
        hex::encode(self.digest.clone().chain_update(script).finalize())
    }

    /// The lines, where they are kept.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }
}
