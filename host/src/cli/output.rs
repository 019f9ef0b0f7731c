//! What commands write: results on standard output, faults on standard error, colours only for people.

use super::exit::Exit;
use super::flags::Global;
use crate::config::Environment;
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};

/// Where and how to write.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    json: bool,
    color_wanted: bool,
}

impl Output {
    /// As the flags and `NO_COLOR` (<https://no-color.org>) want it.
    pub fn new(global: &Global, environment: &Environment) -> Self {
        let no_color = environment.first(&["NO_COLOR"]).is_some();
        Self { json: global.json, color_wanted: !global.no_color && !no_color }
    }

    /// Results are JSON, one document a line.
    pub const fn is_json(&self) -> bool {
        self.json
    }

    /// Nobody asked for no colours.
    pub const fn may_color(&self) -> bool {
        self.color_wanted
    }

    /// Results have colours.
    pub fn colors(&self) -> Paint {
        if self.color_wanted && stdout().is_terminal() { Paint::Ansi } else { Paint::Plain }
    }

    /// Writes a line of the result.
    ///
    /// # Errors
    /// Standard output that cannot be written to.
    pub fn line(&self, line: &str) -> Result<(), Exit> {
        self.lines([line])
    }

    /// Writes lines of the result.
    ///
    /// # Errors
    /// Standard output that cannot be written to.
    pub fn lines<L: AsRef<str>>(&self, lines: impl IntoIterator<Item = L>) -> Result<(), Exit> {
        let mut out = stdout().lock();
        let written =
            lines.into_iter().try_for_each(|line| writeln!(out, "{}", line.as_ref())).and_then(|()| out.flush());
        written.map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Exit::OutputClosed,
            _ => Exit::failed(format!("standard output cannot be written to: {error}")),
        })
    }

    /// Writes a result as one line of JSON.
    ///
    /// # Errors
    /// Standard output that cannot be written to.
    pub fn json(&self, value: &impl Serialize) -> Result<(), Exit> {
        let text = serde_json::to_string(value)
            .map_err(|error| Exit::failed(format!("no JSON can be made of it: {error}")))?;
        self.line(&text)
    }

    /// Tells of a fault.
    pub fn error(&self, message: &str) {
        let paint = self.error_colors();
        self.complain(&format!("{} {message}", paint.red("error:")));
    }

    /// Tells what to do next.
    pub fn hint(&self, message: &str) {
        let paint = self.error_colors();
        self.complain(&format!("{} {message}", paint.dim("next:")));
    }

    fn error_colors(&self) -> Paint {
        if self.color_wanted && stderr().is_terminal() { Paint::Ansi } else { Paint::Plain }
    }

    fn complain(&self, line: &str) {
        // There is nowhere left to say that standard error is closed.
        let _ = writeln!(stderr(), "{line}");
    }
}

/// Colours, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// For files, pipes and people who want none.
    Plain,
    /// For terminals.
    Ansi,
}

impl Paint {
    /// What went well.
    pub fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    /// What went wrong.
    pub fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    /// What is under way.
    pub fn yellow(self, text: &str) -> String {
        self.wrap("33", text)
    }

    /// What matters most.
    pub fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    /// What matters least.
    pub fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        match self {
            Self::Ansi if !text.is_empty() => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            _ => text.to_owned(),
        }
    }
}
