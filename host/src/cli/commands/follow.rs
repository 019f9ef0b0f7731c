//! A run told while it happens, then drawn.

use crate::cli::client::{Client, Envelope, Failure, encoded};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::timeline::{Timeline, draw, news};
use serde_json::value::RawValue;
use std::time::{Duration, Instant};

/// How long the server is asked to wait for news at a time; it allows 30 s.
const WAIT: Duration = Duration::from_secs(20);
/// How long a run may take to appear, or a server that was there to come back.
const ABSENCE_TIME_MAX: Duration = Duration::from_secs(30);
/// Between two questions where the server did not wait, or is away.
const PAUSE: Duration = Duration::from_millis(250);

/// Tells what happens in the run, and draws it when it is over.
///
/// # Errors
/// A run that did not complete, or could not be followed to its end.
pub fn to_the_end(client: &Client, run: &str, output: &Output) -> Result<(), Exit> {
    let mut seen: Option<Timeline> = None;
    let mut absence = Absence::default();
    loop {
        let after = seen.as_ref().map_or(0, |seen| seen.journal_rows);
        let json = match ask(client, run, after) {
            Ok(json) => json,
            Err(failure) => {
                absence.bear(failure, seen.is_some(), client)?;
                continue;
            }
        };
        absence = Absence { met: true, since: None };
        let timeline = read(&json)?;
        if seen.as_ref().is_some_and(|seen| seen.journal_rows == timeline.journal_rows) && !timeline.run.is_over() {
            // The time was up, or the server does not wait.
            std::thread::sleep(PAUSE);
            continue;
        }
        if output.is_json() {
            output.json(&json)?;
        } else {
            output.lines(news(seen.as_ref(), &timeline, output.colors()))?;
        }
        if timeline.run.is_over() {
            return finish(&timeline, output);
        }
        seen = Some(timeline);
    }
}

/// Reads a timeline as the server sent it.
///
/// # Errors
/// Anything else.
pub fn read(json: &RawValue) -> Result<Timeline, Exit> {
    serde_json::from_str(json.get()).map_err(|e| Exit::failed(format!("the server's timeline cannot be read: {e}")))
}

fn ask(client: &Client, run: &str, after: u64) -> Result<Box<RawValue>, Failure> {
    let path = format!("/v1/runs/{}/timeline?after={after}&wait_ms={}", encoded(run), WAIT.as_millis());
    Ok(client.get_within::<Envelope<Box<RawValue>>>(&path, WAIT)?.data)
}

fn finish(timeline: &Timeline, output: &Output) -> Result<(), Exit> {
    if !output.is_json() {
        output.line("")?;
        output.lines(draw(timeline, output.colors()))?;
    }
    if timeline.run.is_completed() { Ok(()) } else { Err(Exit::RunNotCompleted) }
}

/// How long there has been no timeline.
#[derive(Default)]
struct Absence {
    /// The server has answered before.
    met: bool,
    since: Option<Instant>,
}

impl Absence {
    /// Waits a little, where waiting may help and there was not too much of it.
    fn bear(&mut self, failure: Failure, run_was_seen: bool, client: &Client) -> Result<(), Exit> {
        let may_pass = match &failure {
            // A server that restarts comes back; one that was never there has to be started.
            Failure::Unreachable(_) => self.met,
            failure => failure.is_unknown_run() && !run_was_seen,
        };
        self.met |= !matches!(failure, Failure::Unreachable(_));
        let since = *self.since.get_or_insert_with(Instant::now);
        if !may_pass || since.elapsed() >= ABSENCE_TIME_MAX {
            return Err(failure.into_exit(client));
        }
        std::thread::sleep(PAUSE);
        Ok(())
    }
}
