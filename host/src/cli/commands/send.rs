//! `stepwell send <event>`

use super::follow;
use crate::cli::client::{Client, Envelope, Failure, encoded};
use crate::cli::exit::Exit;
use crate::cli::output::Output;
use crate::cli::timeline::{Run, clip};
use crate::config::ClientOptions;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::Read;
use std::time::{Duration, Instant, UNIX_EPOCH};

pub const EXAMPLES: &str = "\
Examples:
  stepwell send shop/order.placed --data '{\"id\": 7}'
  stepwell send shop/order.placed --data @order.json --wait     follow the run to its end; 3 when it did not complete
  jq .order big.json | stepwell send shop/order.placed --data -
  stepwell send shop/order.placed --id order-7                  the same id again starts nothing again, for 24 hours
  stepwell send shop/reminder --ts 2030-01-01T08:00:00Z         start it then";

/// As much as the server takes in one request.
const DATA_BYTES_MAX: u64 = 32 << 20;
/// How long to look for runs of an event that was sent with `--wait`, and without.
const RUNS_APPEAR_TIME_MAX: Duration = Duration::from_secs(5);
const RUNS_APPEAR_TIME_SHORT: Duration = Duration::from_millis(500);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the server is asked to wait for a run's end at a time.
const WAIT: Duration = Duration::from_secs(20);

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The event's name
    #[arg(value_name = "EVENT")]
    name: String,
    /// The event's data: a JSON object, @file, or - for standard input
    #[arg(long, short, value_name = "JSON")]
    data: Option<String>,
    /// An id of your own: the same again starts nothing again
    #[arg(long)]
    id: Option<String>,
    /// Whom the event is about: a JSON object, or @file
    #[arg(long, value_name = "JSON")]
    user: Option<String>,
    /// When it happened, or when its runs are to start: milliseconds since 1970, or RFC 3339
    #[arg(long, value_name = "TIME", value_parser = time)]
    ts: Option<u64>,
    /// Stay until its runs are over, and show them
    #[arg(long, short)]
    wait: bool,
}

#[derive(Serialize)]
struct Event<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<u64>,
}

#[derive(Deserialize)]
struct Accepted {
    ids: Vec<String>,
}

#[derive(Serialize)]
struct Sent<'a> {
    ids: &'a [String],
    runs: &'a [Run],
}

pub fn run(args: Args, options: ClientOptions, output: &Output) -> Result<(), Exit> {
    let event = Event {
        name: &args.name,
        data: args.data.as_deref().map(|text| object("--data", text)).transpose()?,
        id: args.id.as_deref(),
        user: args.user.as_deref().map(|text| object("--user", text)).transpose()?,
        ts: args.ts,
    };
    let body = serde_json::to_vec(&event).map_err(|e| Exit::failed(format!("no request can be made of it: {e}")))?;
    let client = Client::new(options)?;
    let path = format!("/e/{}", encoded(client.event_key()));
    let accepted: Accepted = client.post(&path, body, Duration::ZERO).map_err(|failure| failure.into_exit(&client))?;
    if !output.is_json() {
        output.lines(accepted.ids.iter().map(|id| format!("event {id} is accepted")))?;
    }
    let runs = runs_of(&accepted.ids, args.wait, &client).map_err(|failure| failure.into_exit(&client))?;
    match (args.wait, output.is_json()) {
        (true, true) => {
            let runs = ended(runs, &client).map_err(|failure| failure.into_exit(&client))?;
            output.json(&Sent { ids: &accepted.ids, runs: &runs })?;
            judged(&runs)
        }
        (true, false) => followed(&runs, &client, output),
        (false, true) => output.json(&Sent { ids: &accepted.ids, runs: &runs }),
        (false, false) => told(&runs, output),
    }
}

/// The runs that the events started, as soon as there are any.
fn runs_of(events: &[String], patiently: bool, client: &Client) -> Result<Vec<Run>, Failure> {
    let time_max = if patiently { RUNS_APPEAR_TIME_MAX } else { RUNS_APPEAR_TIME_SHORT };
    let began = Instant::now();
    loop {
        let mut runs = Vec::new();
        for event in events {
            let answer: Envelope<Vec<Run>> = client.get(&format!("/v1/events/{}/runs", encoded(event)))?;
            runs.extend(answer.data);
        }
        if !runs.is_empty() || began.elapsed() >= time_max {
            return Ok(runs);
        }
        std::thread::sleep(PAUSE);
    }
}

fn told(runs: &[Run], output: &Output) -> Result<(), Exit> {
    if runs.is_empty() {
        return output.line("no function of a known app is triggered by it");
    }
    output.lines(
        runs.iter().map(|run| format!("run {} of {} is {}", run.run_id, clip(run.function(), 80), run.status)),
    )?;
    output.line(&output.colors().dim("`stepwell run <id> --follow` shows what happens"))
}

fn followed(runs: &[Run], client: &Client, output: &Output) -> Result<(), Exit> {
    judged_to_exist(runs)?;
    let mut all = Ok(());
    for run in runs {
        match follow::to_the_end(client, &run.run_id, output) {
            // The others are worth seeing, too.
            Err(Exit::RunNotCompleted) => all = Err(Exit::RunNotCompleted),
            other => other?,
        }
    }
    all
}

/// The same runs when they are over.
fn ended(runs: Vec<Run>, client: &Client) -> Result<Vec<Run>, Failure> {
    let end = |mut run: Run| {
        while !run.is_over() {
            let path = format!("/v1/runs/{}?wait_ms={}", encoded(&run.run_id), WAIT.as_millis());
            let answer: Envelope<Run> = client.get_within(&path, WAIT)?;
            run = answer.data;
            if !run.is_over() {
                // Where the server does not wait, it is not asked without pause.
                std::thread::sleep(PAUSE);
            }
        }
        Ok(run)
    };
    runs.into_iter().map(end).collect()
}

fn judged(runs: &[Run]) -> Result<(), Exit> {
    judged_to_exist(runs)?;
    if runs.iter().all(Run::is_completed) { Ok(()) } else { Err(Exit::RunNotCompleted) }
}

fn judged_to_exist(runs: &[Run]) -> Result<(), Exit> {
    if !runs.is_empty() {
        return Ok(());
    }
    Err(Exit::Failed {
        message: "the event is accepted and started no run".to_owned(),
        hint: Some(
            "is the app synced (`stepwell sync <url>`), and has one of its functions this event as its trigger?"
                .to_owned(),
        ),
    })
}

/// A JSON object, from where the flag says; its bytes stay as they are.
fn object(flag: &str, text: &str) -> Result<Box<RawValue>, Exit> {
    let (from, json) = match text.strip_prefix('@') {
        _ if text == "-" => (format!("{flag} (standard input)"), read(std::io::stdin().lock())),
        Some(path) => (format!("{flag} {text}"), std::fs::File::open(path).map_err(|e| e.to_string()).and_then(read)),
        None => (flag.to_owned(), Ok(text.to_owned())),
    };
    let json = json.map_err(|why| Exit::Usage(format!("{from} cannot be read: {why}")))?;
    let value: Box<RawValue> = serde_json::from_str(&json)
        .map_err(|e| Exit::Usage(format!("{from} is not JSON: {e}; give an object such as '{{\"id\": 7}}'")))?;
    if value.get().starts_with('{') { Ok(value) } else { Err(Exit::Usage(format!("{from} must be a JSON object"))) }
}

fn read(source: impl Read) -> Result<String, String> {
    let mut text = String::new();
    source.take(DATA_BYTES_MAX.saturating_add(1)).read_to_string(&mut text).map_err(|e| e.to_string())?;
    if u64::try_from(text.len()).is_ok_and(|bytes| bytes > DATA_BYTES_MAX) {
        return Err(format!("it is larger than {DATA_BYTES_MAX} bytes"));
    }
    Ok(text)
}

/// Milliseconds since the Unix epoch, from those or from RFC 3339.
fn time(text: &str) -> Result<u64, String> {
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    let expected = || "give milliseconds since 1970, or a time such as 2030-01-01T08:00:00Z".to_owned();
    let moment = humantime::parse_rfc3339_weak(text).map_err(|_| expected())?;
    let since = moment.duration_since(UNIX_EPOCH).map_err(|_| expected())?;
    u64::try_from(since.as_millis()).map_err(|_| expected())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_keeps_its_bytes() {
        assert_eq!(object("--data", r#" {"a": 1.10} "#).unwrap().get(), r#"{"a": 1.10}"#);
    }

    #[test]
    fn data_comes_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("order.json");
        std::fs::write(&path, "{\"id\":7}\n").unwrap();
        assert_eq!(object("--data", &format!("@{}", path.display())).unwrap().get(), "{\"id\":7}");
    }

    #[test]
    fn data_that_is_no_object_is_wrong_usage() {
        for (text, why) in
            [("[1]", "must be a JSON object"), ("{id: 7}", "is not JSON"), ("@nowhere", "cannot be read")]
        {
            let Err(Exit::Usage(message)) = object("--data", text) else { panic!("{text} was taken") };
            assert!(message.contains(why), "{message}");
        }
    }

    #[test]
    fn times_are_milliseconds_or_rfc3339() {
        assert_eq!(time("1700000000000"), Ok(1_700_000_000_000));
        assert_eq!(time("2023-11-14T22:13:20Z"), Ok(1_700_000_000_000));
        assert!(time("tomorrow").is_err());
        assert!(time("1900-01-01T00:00:00Z").is_err());
    }
}
