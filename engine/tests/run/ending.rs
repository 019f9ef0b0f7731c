//! Ends: results, failures, cancellation, and the events they emit (PROTOCOL §4.7).

use crate::driver::{Driver, planned, ran};
use serde_json::{Value, json};
use stepwell_engine::run::message::Ask;

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["name"].as_str().unwrap()).collect()
}

#[test]
fn a_completed_run_says_finished_with_its_result() {
    let (mut run, call) = Driver::started();
    run.returns(&call, &json!({"ok": true}));
    let events = run.events();
    assert_eq!(names(&events), ["inngest/function.finished"]);
    let data = &events[0]["data"];
    assert_eq!(data["function_id"], "app-fn");
    assert_eq!(data["result"], json!({"ok": true}));
    assert_eq!(data["_inngest"], json!({"status": "Completed"}));
    assert_eq!(data["event"]["name"], "t/go");
    assert_eq!(data["events"][0], data["event"]);
    assert!(data.get("error").is_none());
}

#[test]
fn a_failed_run_says_finished_and_failed_with_the_run_s_id() {
    let (mut run, call) = Driver::started();
    run.throws(&call, &[("x-inngest-no-retry", "true")]);
    let events = run.events();
    assert_eq!(names(&events), ["inngest/function.finished", "inngest/function.failed"]);
    assert_eq!(events[1]["id"], run.summary()["run_id"]);
    let error = &events[1]["data"]["error"];
    assert_eq!((&error["name"], &error["message"], &error["stack"]), (&json!("Error"), &json!("boom"), &json!("s")));
}

#[test]
fn a_cancelled_run_stops_and_says_so() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([planned("a"), planned("b")]));
    let calls = run.calls();
    assert_eq!(run.ask(&Ask::Cancel), json!({"Ok": null}));
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(names(&run.events()), ["inngest/function.finished", "inngest/function.cancelled"]);
    run.ops(&calls[0], &json!([ran("a", 1)]));
    run.no_calls();
    assert_eq!(run.ask(&Ask::Cancel), json!({"Ok": null}));
    assert_eq!(run.journal(), ["Started", "Answered", "Cancelled"]);
    assert_eq!((run.wake_at, run.owing), (None, false));
}

#[test]
fn runs_of_finished_and_failed_events_end_in_silence() {
    for (name, expected) in
        [("inngest/function.finished", 0), ("inngest/function.failed", 0), ("inngest/function.cancelled", 1)]
    {
        let mut run = Driver::idle(4);
        let call = run.begin(|start| start.event_name = name.to_owned());
        run.returns(&call, &json!(null));
        assert_eq!(run.events().len(), expected, "{name}");
    }
}

#[test]
fn the_history_hears_of_the_start_and_of_the_end() {
    let (mut run, call) = Driver::started();
    run.returns(&call, &json!(null));
    let told: Vec<_> = run.sends.iter().filter(|(to, _)| to == "History").map(|(_, tell)| tell).collect();
    assert_eq!(told[0]["Started"]["function"], "app-fn");
    assert_eq!(told[1]["Ended"]["status"], "Completed");
}

#[test]
fn a_function_that_is_not_registered_fails_its_run() {
    let mut run = Driver::idle(4);
    run.catalog.functions.clear();
    run.begin_later(|_| {});
    run.no_calls();
    assert_eq!(run.status(), "Failed");
    assert_eq!(run.summary()["output"]["name"], "function_gone");
}

#[test]
fn a_run_uses_the_newest_address_of_its_function() {
    let (mut run, call) = Driver::started();
    for function in run.catalog.functions.values_mut() {
        function.url = "http://127.0.0.1:4000/x?fnId=app-fn&stepId=step".to_owned();
        function.archived = true;
        // As in a snapshot that was decoded anew.
        function.callee = Default::default();
    }
    run.ops(&call, &json!([ran("a", 1)]));
    assert!(run.call().url.starts_with("http://127.0.0.1:4000/x?fnId=app-fn&stepId="));
}
