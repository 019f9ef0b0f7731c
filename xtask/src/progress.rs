//! What is under way, and how long it took. Colours only for people: none with `NO_COLOR`, none into a file.

use anstyle::{AnsiColor, Style};
use anyhow::Result;
use std::time::Instant;

const BOLD: Style = Style::new().bold();
const GREEN: Style = AnsiColor::Green.on_default();
const RED: Style = AnsiColor::Red.on_default();

/// Does a piece of work, and says when it begins and how long it took.
///
/// # Errors
/// The work's own.
pub(crate) fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    self::title(title);
    let start = Instant::now();
    let done = work();
    let seconds = start.elapsed().as_secs_f64();
    match &done {
        Ok(_) => anstream::eprintln!("    {GREEN}done{GREEN:#} in {seconds:.1} s"),
        Err(_) => anstream::eprintln!("    {RED}failed{RED:#} after {seconds:.1} s"),
    }
    done
}

/// What comes next.
pub(crate) fn title(text: &str) {
    anstream::eprintln!("{BOLD}==> {text}{BOLD:#}");
}

/// A line about what was done.
pub(crate) fn note(text: &str) {
    anstream::eprintln!("    {text}");
}

/// Why everything ended.
pub(crate) fn failure(error: &anyhow::Error) {
    anstream::eprintln!("{RED}error{RED:#}: {error:#}");
}
