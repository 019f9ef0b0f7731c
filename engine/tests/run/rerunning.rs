//! Runs that repeat another run, whole or from a step.

use crate::driver::{Driver, failed, invoke, planned, ran, raw, sleep, threw, wait_for};
use serde_json::{Value, json};
use stepwell_engine::ids::{EventId, Millis, RunId};
use stepwell_engine::limits::STEP_OUTPUT_BYTES_MAX;
use stepwell_engine::run::message::{Ask, Skip, Tell};
use stepwell_engine::run::rerun::FromStep;

fn again() -> RunId {
    let earlier = RunId::derived(EventId::new(Millis(1_700_000_000_000), 7), &"app-fn".into());
    RunId::repeating(earlier, Millis(1_700_000_001_000), 9)
}

fn from(step: &str, input: Option<&str>) -> Option<FromStep> {
    Some(FromStep { step: step.to_owned(), input: input.map(raw) })
}

fn ask(run: &mut Driver, from: Option<FromStep>) -> Value {
    run.ask(&Ask::Rerun { run: again(), from })
}

/// The run that repeats `old`, and what it was told to begin with.
fn repeat(old: &mut Driver, from: Option<FromStep>) -> Driver {
    assert_eq!(ask(old, from), json!({"Ok": again()}));
    let (to, start) = old.sends.last().unwrap();
    assert_eq!(to, "Run");
    let mut new = Driver::idle(4);
    new.now = old.now;
    let tell: Tell = serde_json::from_value(start.clone()).unwrap();
    let Tell::Start(start) = tell else { panic!("a start expected") };
    new.begin_later(|own| *own = start);
    new
}

/// Ran a and b, and failed in c.
fn ended() -> Driver {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", json!({"x": 1}))]));
    let call = run.call();
    run.ops(&call, &json!([ran("b", 2)]));
    let call = run.call();
    run.ops(&call, &json!([failed("c")]));
    let call = run.call();
    run.throws(&call, &[("x-inngest-no-retry", "true")]);
    assert_eq!(run.status(), "Failed");
    run
}

#[test]
fn a_rerun_has_the_same_events_and_nothing_else() {
    let mut old = ended();
    let rows = old.rows.clone();
    old.now += 60_000;
    let mut new = repeat(&mut old, None);
    assert_eq!(old.rows, rows, "the old run stays as it was");
    let call = new.call();
    assert_eq!(call.ctx("run_id"), &json!(again()));
    assert_eq!((call.stack(), &call.body["steps"]), (vec![], &json!({})));
    assert_eq!(call.body["event"]["name"], "t/go");
    let summary = new.summary();
    assert_eq!(summary["original_run_id"], old.summary()["run_id"]);
    assert_eq!(summary["event_id"], old.summary()["event_id"]);
    assert!(old.summary().get("original_run_id").is_none());
    new.returns(&call, &json!("this time"));
    assert_eq!(new.status(), "Completed");
}

#[test]
fn the_stream_lists_a_rerun_under_its_event() {
    let mut old = ended();
    ask(&mut old, None);
    let reran = old.sends.iter().rev().find_map(|(to, tell)| (to == "Stream").then(|| tell["Ran"].clone())).unwrap();
    assert_eq!(reran, json!({"event": old.summary()["event_id"], "run": again()}));
}

#[test]
fn a_rerun_from_a_step_keeps_what_had_ended_before_it() {
    let mut old = ended();
    let mut new = repeat(&mut old, from("c", None));
    let call = new.call();
    assert_eq!(call.stack(), ["a", "b"]);
    assert_eq!(call.body["steps"], json!({"a": {"data": {"x": 1}}, "b": {"data": 2}}));
    assert_eq!(call.ctx("stack")["current"], json!(2));
    let timeline = new.ask(&Ask::Timeline)["Ok"].clone();
    let steps: Vec<_> =
        timeline["steps"].as_array().unwrap().iter().map(|s| (&s["id"], &s["copied"], &s["output"])).collect();
    assert_eq!(steps, [(&json!("a"), &json!(true), &json!({"x": 1})), (&json!("b"), &json!(true), &json!(2))]);
    new.ops(&call, &json!([ran("c", 3)]));
    let call = new.call();
    assert_eq!(call.body["steps"]["c"], json!({"data": 3}));
    new.evict();
    new.returns(&call, &json!("done"));
    assert_eq!(new.status(), "Completed");
}

#[test]
fn errors_sleeps_and_waits_in_vain_are_kept_as_they_were() {
    let (mut old, call) = Driver::started();
    old.ops(&call, &json!([failed("broken")]));
    let call = old.call();
    old.ops(&call, &json!([sleep("nap", "1s")]));
    old.pass_till_woken();
    let call = old.call();
    old.ops(&call, &json!([invoke("other", "app-other", &json!({}))]));
    let mut new = repeat(&mut old, from("other", None));
    let steps = new.call().body["steps"].clone();
    assert_eq!(steps["nap"], json!(null));
    assert_eq!(steps["broken"]["error"]["message"], "always");
    assert!(steps.get("other").is_none());
    let timeline = new.ask(&Ask::Timeline)["Ok"].clone();
    assert_eq!(timeline["steps"][0]["status"], "failed");
}

#[test]
fn the_step_gets_other_arguments_until_it_has_ended() {
    let mut old = ended();
    let mut new = repeat(&mut old, from("b", Some(r#"[{"n": 7}]"#)));
    let call = new.call();
    assert_eq!((call.step(), call.stack()), ("b", vec!["a"]), "the step has a call of its own, and has not ended");
    assert_eq!(call.body["steps"], json!({"a": {"data": {"x": 1}}, "b": {"input": [{"n": 7}]}}));
    assert_eq!(new.ask(&Ask::Actions)["Ok"]["b"], json!({"input": [{"n": 7}]}));
    new.ops(&call, &json!([ran("b", 14)]));
    let call = new.call();
    assert_eq!((call.step(), &call.body["steps"]["b"]), ("step", &json!({"data": 14})));
    assert_eq!(new.ask(&Ask::Actions)["Ok"]["b"], json!({"data": 14}));
}

#[test]
fn memos_and_arguments_stand_in_the_order_of_their_ids() {
    for (step, order) in
        [("a", r#""a":{"input":[]}}"#), ("c", r#""a":{"data":{"x":1}},"b":{"data":2},"c":{"input":[]}}"#)]
    {
        let mut old = ended();
        let call = repeat(&mut old, from(step, Some("[]"))).call();
        assert!(call.raw.contains(&format!("\"steps\":{{{order}")), "{}", call.raw);
    }
}

#[test]
fn a_step_may_be_named_where_only_one_has_the_name() {
    let (mut old, call) = Driver::started();
    let named = |id: &str, name: &str| {
        let mut op = planned(id);
        op["displayName"] = json!(name);
        op
    };
    old.ops(&call, &json!([named("1", "same"), named("2", "same"), named("3", "charge")]));
    assert_eq!(ask(&mut old, from("same", None))["Err"]["code"], "step_ambiguous");
    assert_eq!(ask(&mut old, from("nobody", None))["Err"]["code"], "step_unknown");
    assert_eq!(ask(&mut old, from("charge", None)), json!({"Ok": again()}));
    assert_eq!(ask(&mut old, from("2", None)), json!({"Ok": again()}), "an id comes before a name");
}

#[test]
fn arguments_are_an_array() {
    let mut old = ended();
    let sent = old.sends.len();
    for input in ["{}", "1", "\"[]\""] {
        assert_eq!(ask(&mut old, from("b", Some(input)))["Err"]["code"], "body_invalid", "{input}");
    }
    let of = |bytes: usize| format!("[\"{}\"]", "x".repeat(bytes - 4));
    let large = of(STEP_OUTPUT_BYTES_MAX + 1);
    assert_eq!(ask(&mut old, from("b", Some(&large)))["Err"]["code"], "body_too_large");
    assert_eq!(old.sends.len(), sent, "nothing was started");
    assert_eq!(ask(&mut old, from("b", Some(&of(STEP_OUTPUT_BYTES_MAX)))), json!({"Ok": again()}));
}

#[test]
fn a_rerun_of_a_rerun_names_the_first_of_the_line_and_keeps_its_copies() {
    let mut old = ended();
    let mut new = repeat(&mut old, from("b", None));
    let call = new.call();
    new.ops(&call, &json!([ran("b", 3)]));
    let call = new.call();
    new.ops(&call, &json!([failed("c")]));
    let mut third = repeat(&mut new, from("c", None));
    assert_eq!(third.summary()["original_run_id"], old.summary()["run_id"]);
    assert_eq!(third.call().body["steps"], json!({"a": {"data": {"x": 1}}, "b": {"data": 3}}));
    let mut by_name = repeat(&mut new, from("a", None));
    assert_eq!(by_name.call().body["steps"], json!({}));
}

#[test]
fn a_rerun_that_is_told_twice_starts_once_and_survives_a_crash() {
    let mut old = ended();
    let mut new = repeat(&mut old, from("c", Some("[1]")));
    let first = new.call();
    new.tell_start();
    new.no_calls();
    new.crash();
    let second = new.call();
    assert_ne!(first.id, second.id, "a new generation");
    assert_eq!(second.body["steps"], first.body["steps"]);
}

#[test]
fn a_run_that_was_skipped_begins_where_it_is_run_again() {
    let mut old = Driver::idle(4);
    old.begin_later(|start| start.skip = Some(Skip::Paused));
    assert_eq!(old.status(), "Skipped");
    let mut new = repeat(&mut old, None);
    assert_eq!(new.call().ctx("run_id"), &json!(again()));
    assert_eq!(new.status(), "Running");
}

#[test]
fn a_rerun_of_a_batch_has_all_of_its_events_and_is_listed_under_each() {
    let ids = [7, 8].map(|count| EventId::new(Millis(1_700_000_000_000), count));
    let mut old = Driver::idle(4);
    let call = old.begin(|start| {
        let second = r#"{"data":{"n":2},"id":"e2","name":"t/go","ts":1,"user":{}}"#;
        start.events.push(raw(second));
        start.event_ids = ids.to_vec();
        start.is_batch = true;
    });
    old.returns(&call, &json!(1));
    let mut new = repeat(&mut old, None);
    let events = new.call().body["events"].as_array().unwrap().clone();
    assert_eq!(events.iter().map(|event| event["data"]["n"].clone()).collect::<Vec<_>>(), [json!(1), json!(2)]);
    let listed = old.sends.iter().filter_map(|(_, tell)| tell.get("Ran")).map(|ran| ran["event"].clone());
    assert_eq!(listed.collect::<Vec<_>>(), ids.map(|id| json!(id)));
}

#[test]
fn a_function_that_is_archived_is_not_run_again() {
    let mut old = ended();
    old.catalog.functions.values_mut().for_each(|function| function.archived = true);
    assert_eq!(ask(&mut old, None)["Err"]["code"], "function_gone");
}

#[test]
fn a_function_that_is_gone_is_not_run_again() {
    let mut old = ended();
    old.catalog.functions.clear();
    assert_eq!(ask(&mut old, None)["Err"]["code"], "function_gone");
}

#[test]
fn a_rerun_begins_now_as_the_function_is_now_and_without_what_was_to_cancel_the_old_run() {
    let mut old = ended();
    old.now += 60_000;
    old.catalog.functions.values_mut().for_each(|function| function.version = 3);
    let (time, of_old) = (old.now, old.summary()["function_version"].clone());
    ask(&mut old, None);
    let start = old.sends.last().unwrap().1["Start"].clone();
    assert_eq!((&start["received_at"], &start["not_before"]), (&json!(time), &Value::Null));
    assert_eq!((&start["function_version"], of_old), (&json!(3), json!(1)));
    assert!(start.get("cancel_on").is_none());
}

#[test]
fn a_rerun_of_a_run_of_the_future_and_of_one_that_is_watched_has_neither_time_nor_watch() {
    let mut old = Driver::idle(4);
    old.catalog.functions.values_mut().for_each(|function| {
        function.flow = serde_json::from_value(json!({"cancel": [{"event": "t/stop"}]})).unwrap();
    });
    let later = Millis(old.now + 5_000);
    old.begin_later(|start| start.not_before = Some(later));
    let watched = old.sends.iter().any(|(to, _)| to == "Waits");
    assert!(watched, "the old run is watched");
    ask(&mut old, None);
    let start = old.sends.last().unwrap().1["Start"].clone();
    assert_eq!(start["not_before"], Value::Null);
    assert!(start.get("cancel_on").is_none());
}

#[test]
fn a_step_that_was_saved_or_threw_is_known_by_its_name_and_what_is_deferred_is_no_step() {
    let (mut old, call) = Driver::started();
    let named = |mut op: Value, name: &str| {
        op["displayName"] = json!(name);
        op
    };
    let later = json!({"id": "d1", "op": "DeferAdd", "displayName": "later", "opts": {"fn_slug": "app-later"}});
    assert_eq!(old.checkpoint(&call, &json!([named(ran("1", 1), "load"), later])), json!({"Ok": null}));
    old.ops(&call, &json!([named(threw("2"), "charge")]));
    assert_eq!(repeat(&mut old, from("load", None)).call().stack(), Vec::<&str>::new());
    assert_eq!(repeat(&mut old, from("charge", None)).call().stack(), ["1"]);
    for deferred in ["d1", "later"] {
        assert_eq!(ask(&mut old, from(deferred, None))["Err"]["code"], "step_unknown");
    }
}

#[test]
fn what_was_copied_is_shown_as_it_ended() {
    let (mut old, call) = Driver::started();
    old.ops(&call, &json!([failed("broken")]));
    let call = old.call();
    old.ops(&call, &json!([wait_for("paid", "t/paid", None, "1h")]));
    let (id, received_at) = (EventId::new(Millis(old.now), 9), Millis(old.now));
    let event = raw(r#"{"name":"t/paid","data":{"n":1}}"#);
    old.tell(&Tell::Resumed { step: "paid".into(), id, received_at, event });
    let call = old.call();
    old.ops(&call, &json!([ran("last", 1)]));
    let mut new = repeat(&mut old, from("last", None));
    let steps = new.ask(&Ask::Timeline)["Ok"]["steps"].clone();
    assert_eq!((&steps[0]["status"], &steps[0]["error"]["message"]), (&json!("failed"), &json!("always")));
    assert_eq!((&steps[1]["status"], &steps[1]["output"]["data"]), (&json!("completed"), &json!({"n": 1})));
}

#[test]
fn a_rerun_does_not_answer_whoever_invoked_the_run_that_it_repeats() {
    let invoker = RunId::derived(EventId::new(Millis(5), 5), &"app-parent".into());
    let marker = json!({"correlation_id": format!("{invoker}.step"), "fn_id": "app-fn", "depth": 1});
    let event =
        json!({"name": "inngest/function.invoked", "data": {"_inngest": marker}, "id": "x", "ts": 1, "user": {}});
    let mut old = Driver::idle(0);
    let call = old.begin(|start| {
        start.events = vec![raw(&event.to_string())];
        start.event_name = "inngest/function.invoked".to_owned();
    });
    let mut new = repeat(&mut old, None);
    let again = new.call();
    new.returns(&again, &json!("sooner"));
    assert!(!new.sends.iter().any(|(_, tell)| tell.get("Returned").is_some()));
    old.returns(&call, &json!("as asked"));
    assert!(old.sends.iter().any(|(_, tell)| tell.get("Returned").is_some()));
}
