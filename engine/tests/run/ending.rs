//! Ends: results, failures, cancellation, and the events they emit (PROTOCOL §4.7).

use crate::driver::{Driver, planned, ran, raw};
use serde_json::{Value, json};
use stepwell_engine::ids::{EventId, Millis, RunId};
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
    let events = run.events();
    assert_eq!(names(&events), ["inngest/function.finished", "inngest/function.cancelled"]);
    let cancelled = &events[1];
    assert_eq!(cancelled["id"], run.summary()["run_id"]);
    assert_eq!((cancelled["data"].get("error"), cancelled["data"].get("result")), (None, None));
    assert_eq!(cancelled["data"]["_inngest"]["status"], "Cancelled");
    run.ops(&calls[0], &json!([ran("a", 1)]));
    run.no_calls();
    assert_eq!(run.ask(&Ask::Cancel), json!({"Ok": null}));
    assert_eq!(run.journal(), ["Started", "Answered", "Cancelled"]);
    assert_eq!((run.wake_at, run.owing), (None, false));
}

#[test]
fn the_sessions_of_the_trigger_go_on_with_the_news_of_the_end() {
    let meta = json!({"sessions": {"tenant": "7"}});
    let event = json!({"data": {}, "id": "e", "meta": meta, "name": "t/go", "ts": 1, "user": {}});
    let mut run = Driver::idle(4);
    let call = run.begin(|start| start.events = vec![raw(&event.to_string())]);
    run.throws(&call, &[("x-inngest-no-retry", "true")]);
    let events = run.events();
    assert_eq!(names(&events), ["inngest/function.finished", "inngest/function.failed"]);
    assert!(events.iter().all(|event| event["meta"] == meta), "{events:?}");
    let (mut run, call) = Driver::started();
    run.returns(&call, &json!(1));
    assert_eq!(run.events()[0].get("meta"), None);
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

#[test]
fn the_end_of_a_run_is_told_with_its_time_and_its_cause() {
    let (mut run, call) = Driver::started();
    run.now += 5;
    run.throws(&call, &[("x-inngest-no-retry", "true")]);
    let (ended_at, id) = (run.now, run.summary()["run_id"].as_str().unwrap().to_owned());
    let error = json!({"error": "Error", "name": "Error", "message": "boom", "stack": "s"});
    let result = json!({"name": "Error", "message": "boom", "stack": "s"});
    let told: Vec<Value> =
        run.sends.iter().filter(|(to, _)| to == "Stream").map(|(_, tell)| tell["System"].clone()).collect();
    assert_eq!(told.len(), 2);
    for (told, name) in told.iter().zip(["inngest/function.finished", "inngest/function.failed"]) {
        let event_id = EventId::derived_of(RunId::parse(&id).unwrap(), Millis(ended_at), &format!("{name}/{id}"));
        assert_eq!(told["id"], json!(event_id));
        assert_eq!((&told["seeded"], &told["name"], &told["ts"]), (&json!(true), &json!(name), &json!(ended_at)));
        let event = &told["event"];
        assert_eq!((&event["ts"], &event["name"], &event["user"]), (&json!(ended_at), &json!(name), &json!({})));
        let shown = if name.ends_with("failed") { id.clone() } else { event_id.to_string() };
        assert_eq!(event["id"], json!(shown));
        let data = &event["data"];
        assert_eq!((&data["error"], &data["result"], &data["run_id"]), (&error, &result, &json!(id)));
        assert_eq!(data["_inngest"], json!({"status": "Failed"}));
    }
    let history: Vec<&Value> = run.sends.iter().filter(|(to, _)| to == "History").map(|(_, tell)| tell).collect();
    assert_eq!(history[0]["Started"]["event"], json!(EventId::new(Millis(1_700_000_000_000), 7)));
    let ended = json!({
        "run": id, "function": "app-fn", "event": EventId::new(Millis(1_700_000_000_000), 7), "started_at": 1_700_000_000_000_u64,
        "status": "Failed", "at": ended_at
    });
    assert_eq!(*history[1], json!({"Ended": ended}));
}

#[test]
fn a_summary_tells_when_a_run_began_and_ended() {
    let (mut run, call) = Driver::started();
    let before = run.summary();
    assert_eq!((&before["ended_at"], &before["output"]), (&Value::Null, &Value::Null));
    assert_eq!(before["run_started_at"], "2023-11-14T22:13:20.000Z");
    assert_eq!(before["event_id"], json!(EventId::new(Millis(1_700_000_000_000), 7)));
    run.now += 1_500;
    run.returns(&call, &json!(1));
    assert_eq!(run.summary()["ended_at"], "2023-11-14T22:13:21.500Z");
}

#[test]
fn whoever_watches_a_run_is_told_how_far_its_journal_has_come() {
    let (mut run, call) = Driver::started();
    assert_eq!(run.news, ["1"]);
    run.ops(&call, &json!([ran("a", 1)]));
    assert_eq!(run.news, ["1", "2"]);
}

#[test]
fn a_function_that_is_gone_fails_its_run_only_when_a_call_is_due() {
    let (mut run, call) = Driver::started();
    run.throws(&call, &[]);
    run.catalog.functions.clear();
    assert_eq!(run.status(), "Running");
    run.pass_till_woken();
    run.no_calls();
    assert_eq!(run.status(), "Failed");
}

#[test]
fn a_run_of_several_events_is_that_of_the_first() {
    let first = EventId::new(Millis(1_700_000_000_000), 7);
    let event = |name: &str| raw(&json!({"name": name, "data": {}, "id": name, "ts": 1, "user": {}}).to_string());
    let mut run = Driver::idle(0);
    let call = run.begin(|start| {
        start.event_ids = vec![first, EventId::new(Millis(1_700_000_000_000), 8)];
        start.events = vec![event("t/one"), event("t/two")];
    });
    assert_eq!(call.body["event"]["name"], "t/one");
    assert_eq!(call.body["events"].as_array().unwrap().len(), 2);
    assert_eq!(run.summary()["event_id"], json!(first));
    run.returns(&call, &json!(1));
    assert_eq!(run.events()[0]["data"]["event"]["name"], "t/one");
    let told: Vec<&Value> = run.sends.iter().filter(|(to, _)| to == "History").map(|(_, tell)| tell).collect();
    assert_eq!((&told[0]["Started"]["event"], &told[1]["Ended"]["event"]), (&json!(first), &json!(first)));
}

#[test]
fn a_summary_tells_the_schedule_that_started_a_run() {
    let timer = |name: &str| {
        raw(&json!({"name": name, "data": {"cron": "0 9 * * *"}, "id": "x", "ts": 1, "user": {}}).to_string())
    };
    let summary = |name: &'static str| {
        let mut run = Driver::idle(0);
        run.begin(|start| (start.events, start.event_name) = (vec![timer(name)], name.to_owned()));
        run.summary()
    };
    assert_eq!(summary("inngest/scheduled.timer")["cron"], "0 9 * * *");
    assert!(summary("t/timer").get("cron").is_none());
}
