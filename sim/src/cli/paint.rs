//! Colours, where a person looks.

use std::io::IsTerminal as _;
use stepwell_sim::trace::{Line, Tone};

/// Whether there are colours.
pub(super) struct Paint(bool);

impl Paint {
    /// Colours on a terminal, unless NO_COLOR is set (no-color.org).
    pub(super) fn of_stdout() -> Self {
        let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(!is_unwanted && std::io::stdout().is_terminal())
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// What is bad.
    pub(super) fn bad(&self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// What is good.
    pub(super) fn good(&self, text: &str) -> String {
        self.paint("1;32", text)
    }

    /// What matters.
    pub(super) fn strong(&self, text: &str) -> String {
        self.paint("1", text)
    }

    /// A line of a story.
    pub(super) fn line(&self, line: &Line) -> String {
        let code = match line.tone {
            Tone::Turn => return line.to_string(),
            Tone::Home => "2",
            Tone::Fault => "31",
            Tone::App => "36",
            Tone::User => "33",
        };
        self.paint(code, &line.to_string())
    }
}
