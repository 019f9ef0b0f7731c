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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::flags::Global;
    use crate::config::{ClientOptions, Environment};
    use std::io::{BufRead, BufReader, Write};
    use std::net::{SocketAddr, TcpListener};

    /// A server that gives these answers, one a connection, and then is gone; joined, it says what it was asked.
    fn server(answers: Vec<(u16, String)>) -> (Client, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let serving = std::thread::spawn(move || {
            let mut asked = Vec::new();
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
                asked.push(lines.next().unwrap());
                lines.find(String::is_empty).unwrap();
                let length = body.len();
                write!(stream, "HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
                    .unwrap();
            }
            asked
        });
        (Client::new(ClientOptions { server, signing_key: None, event_key: None }).unwrap(), serving)
    }

    fn timeline(status: &str, rows: u64) -> (u16, String) {
        let run = format!(
            r#"{{"run_id":"R","run_started_at":"2023-11-14T22:13:20.000Z","function_id":"f","function_slug":"f","status":"{status}"}}"#
        );
        (200, format!(r#"{{"data":{{"run":{run},"journal_rows":{rows},"steps":[]}}}}"#))
    }

    fn follow(client: &Client) -> Result<(), u8> {
        let output = Output::new(&Global { json: true, ..Global::default() }, &Environment::default());
        to_the_end(client, "R", &output).map_err(|exit| exit.code())
    }

    #[test]
    fn a_run_is_waited_for_until_it_is_there_and_over() {
        let unknown = (404, r#"{"error":"no such run","code":"run_unknown","status":404}"#.to_owned());
        let (client, serving) =
            server(vec![unknown, timeline("Running", 2), timeline("Running", 2), timeline("Completed", 3)]);
        assert_eq!(follow(&client), Ok(()));
        let asked = |after: u32| format!("GET /v1/runs/R/timeline?after={after}&wait_ms=20000 HTTP/1.1");
        assert_eq!(serving.join().unwrap(), [asked(0), asked(0), asked(2), asked(2)]);
    }

    #[test]
    fn a_run_that_does_not_complete_exits_with_3() {
        for status in ["Failed", "Cancelled", "Skipped"] {
            let (client, _serving) = server(vec![timeline(status, 3)]);
            assert_eq!(follow(&client), Err(3), "{status}");
        }
    }

    #[test]
    fn a_server_that_was_never_there_is_not_waited_for() {
        let (client, serving) = server(Vec::new());
        serving.join().unwrap();
        assert_eq!(follow(&client), Err(1));
    }

    #[test]
    fn a_refusal_ends_it() {
        let (client, _serving) = server(vec![(401, r#"{"error":"no","code":"authentication_failed"}"#.to_owned())]);
        assert_eq!(follow(&client), Err(1));
    }
}
