//! What the command prints. A closed pipe (`| head`) is no error.

use std::io::Write as _;

/// Prints a line of result.
pub fn line(text: &str) {
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Prints without ending the line.
pub fn part(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(write!(out, "{text}").and_then(|()| out.flush()));
}

/// Prints why the command failed, with every cause.
pub fn complain(error: &anyhow::Error) {
    drop(writeln!(std::io::stderr().lock(), "stepwell: {error:#}"));
}
