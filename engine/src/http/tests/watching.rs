//! Requests that wait for something to happen to a run.

use super::{Desk, NOW, RUN, assert_refused, get, json, responded, told};
use crate::error::{Code, Refusal};
use crate::http::{AskFailure, Exchange, Progress};
use crate::ids::Millis;
use crate::limits::WATCH_TIME_MAX;
use serde_json::{Value, json};

fn open(target: &str) -> Exchange {
    Desk::dev().open(get(&format!("/v1/runs/{RUN}{target}")))
}

fn after(ms: u64) -> Millis {
    Millis(NOW.0 + ms)
}

#[track_caller]
fn channels(progress: Progress) -> Vec<String> {
    match progress {
        Progress::Ask { channels, questions } if questions.len() == 1 => channels,
        other => panic!("no one question: {other:?}"),
    }
}

fn summary(status: &str) -> Result<Vec<u8>, AskFailure> {
    told(&json!({"Ok": {"run_id": RUN, "status": status}}))
}

fn timeline(status: &str, journal_rows: u64) -> Result<Vec<u8>, AskFailure> {
    told(&json!({"Ok": {"run": {"status": status}, "journal_rows": journal_rows, "steps": []}}))
}

fn unknown() -> Result<Vec<u8>, AskFailure> {
    told(&json!({"Err": Refusal::new(Code::RunUnknown, "there is no such run")}))
}

fn status(progress: Progress) -> Value {
    json(&responded(progress))["data"]["status"].clone()
}

#[test]
fn who_does_not_wait_is_told_how_it_stands() {
    let mut exchange = open("");
    assert_eq!(channels(exchange.start()), [""; 0]);
    assert_eq!(status(exchange.resume(NOW, vec![summary("Running")])), "Running");
    let mut exchange = open("");
    exchange.start();
    assert_refused(&responded(exchange.resume(NOW, vec![unknown()])), 404, "run_unknown");
}

#[test]
fn what_is_over_is_told_at_once() {
    for over in ["Completed", "Failed", "Cancelled"] {
        let mut exchange = open("?wait_ms=1000");
        assert_eq!(channels(exchange.start()), [format!("run/{RUN}")], "subscribed before it is asked");
        assert_eq!(status(exchange.resume(NOW, vec![summary(over)])), over);
    }
}

#[test]
fn each_piece_of_news_is_asked_about_until_it_is_over() {
    let mut exchange = open("?wait_ms=1000");
    exchange.start();
    for (ms, answer) in [(0, unknown()), (10, summary("Scheduled")), (20, summary("Running")), (30, summary("Running"))]
    {
        assert_eq!(exchange.resume(after(ms), vec![answer]), Progress::Watch(after(1_000)));
        // Still subscribed: not once more.
        assert_eq!(channels(exchange.resume(after(ms), vec![])), [""; 0]);
    }
    assert_eq!(status(exchange.resume(after(40), vec![summary("Completed")])), "Completed");
}

#[test]
fn when_the_time_is_up_it_is_told_how_it_stands() {
    let mut exchange = open("?wait_ms=1000");
    exchange.start();
    assert_eq!(exchange.resume(after(999), vec![summary("Running")]), Progress::Watch(after(1_000)));
    channels(exchange.resume(after(1_000), vec![]));
    assert_eq!(status(exchange.resume(after(1_001), vec![summary("Running")])), "Running");
    let mut exchange = open("?wait_ms=1000");
    exchange.start();
    exchange.resume(NOW, vec![unknown()]);
    exchange.resume(after(1_000), vec![]);
    assert_refused(&responded(exchange.resume(after(1_000), vec![unknown()])), 404, "run_unknown");
}

#[test]
fn nobody_waits_longer_than_the_limit() {
    for (asked_ms, granted_ms) in
        [(WATCH_TIME_MAX.0, WATCH_TIME_MAX.0), (WATCH_TIME_MAX.0 + 1, WATCH_TIME_MAX.0), (u64::MAX, WATCH_TIME_MAX.0)]
    {
        let mut exchange = open(&format!("?wait_ms={asked_ms}"));
        exchange.start();
        assert_eq!(exchange.resume(NOW, vec![summary("Running")]), Progress::Watch(after(granted_ms)));
    }
}

#[test]
fn a_fault_is_told_at_once() {
    let mut exchange = open("?wait_ms=1000");
    exchange.start();
    assert_refused(&responded(exchange.resume(NOW, vec![Err(AskFailure::Overloaded)])), 503, "overloaded");
}

#[test]
fn a_timeline_is_told_once_it_has_more_rows() {
    let rows = |progress| json(&responded(progress))["data"]["journal_rows"].clone();
    let mut exchange = open("/timeline?after=3&wait_ms=1000");
    assert_eq!(channels(exchange.start()), [format!("run/{RUN}")]);
    assert_eq!(exchange.resume(NOW, vec![timeline("Running", 2)]), Progress::Watch(after(1_000)));
    channels(exchange.resume(after(5), vec![]));
    assert_eq!(exchange.resume(after(5), vec![timeline("Running", 3)]), Progress::Watch(after(1_000)));
    channels(exchange.resume(after(6), vec![]));
    assert_eq!(rows(exchange.resume(after(6), vec![timeline("Running", 4)])), 4);
    // What is over has no more to come; and who has seen nothing takes what there is.
    for (target, answer) in [
        ("/timeline?after=3&wait_ms=1000", timeline("Completed", 3)),
        ("/timeline?wait_ms=1000", timeline("Running", 3)),
        ("/timeline?after=3", timeline("Running", 3)),
        ("/timeline", timeline("Running", 3)),
    ] {
        let mut exchange = open(target);
        exchange.start();
        assert_eq!(rows(exchange.resume(NOW, vec![answer])), 3, "{target}");
    }
}

#[test]
fn a_timeline_of_a_run_to_come_is_waited_for() {
    let mut exchange = open("/timeline?wait_ms=1000");
    exchange.start();
    assert_eq!(exchange.resume(NOW, vec![unknown()]), Progress::Watch(after(1_000)));
}
