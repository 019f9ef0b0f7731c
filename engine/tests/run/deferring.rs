//! Functions that run once the run is over.

use crate::driver::{Call, Driver, failed, planned, ran, sleep};
use serde_json::{Value, json};
use stepwell_engine::limits::{DEFERS_BYTES_MAX, DEFERS_PER_RUN_MAX, NAME_BYTES_MAX};
use stepwell_engine::run::message::Ask;

fn add(id: &str, input: &Value) -> Value {
    json!({"id": id, "op": "DeferAdd", "name": id, "displayName": id, "opts": {"fn_slug": "app-later", "input": input}, "data": null})
}

fn abort(id: &str, target: &str) -> Value {
    json!({"id": id, "op": "DeferAbort", "opts": {"target_hashed_id": target, "fn_slug": "app-later", "id": target}, "data": null})
}

fn deferred(run: &Driver) -> Vec<Value> {
    run.events().into_iter().filter(|event| event["name"] == "inngest/deferred.schedule").collect()
}

fn statuses(run: &mut Driver) -> Vec<String> {
    let timeline = run.ask(&Ask::Timeline)["Ok"].clone();
    let defers = timeline["defers"].as_array().cloned().unwrap_or_default();
    defers
        .iter()
        .map(|defer| format!("{} {}", defer["id"].as_str().unwrap(), defer["status"].as_str().unwrap()))
        .collect()
}

#[test]
fn what_is_deferred_starts_when_the_run_is_over() {
    let (mut run, call) = Driver::started();
    assert_eq!(call.body["defers"], json!({}));
    run.ops(&call, &json!([add("d1", &json!({"x": 1})), ran("a", 1)]));
    let call = run.call();
    assert_eq!(call.body["defers"], json!({"d1": {"abortable": true}}));
    assert_eq!((call.stack(), call.ctx("disable_immediate_execution")), (vec!["a"], &json!(false)));
    assert_eq!(deferred(&run), Vec::<Value>::new());
    run.returns(&call, &json!(1));
    let [event] = deferred(&run).try_into().unwrap();
    assert_eq!(event["data"]["x"], 1);
    let marker = &event["data"]["_inngest"];
    assert_eq!((&marker["fn_slug"], &marker["parent_fn_slug"]), (&json!("app-later"), &json!("app-fn")));
    assert_eq!(marker["parent_run_id"], run.summary()["run_id"]);
    run.crash();
    assert_eq!(deferred(&run), [event.clone(), event], "said again under the same id");
}

#[test]
fn it_starts_also_where_the_run_failed_or_was_cancelled() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([add("d1", &json!({})), failed("a")]));
    let call = run.call();
    run.throws(&call, &[("x-inngest-no-retry", "true")]);
    assert_eq!((run.status(), deferred(&run).len()), ("Failed".to_owned(), 1));
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([add("d1", &json!({})), sleep("s", "1h")]));
    run.ask(&Ask::Cancel);
    assert_eq!((run.status(), deferred(&run).len()), ("Cancelled".to_owned(), 1));
}

#[test]
fn what_was_aborted_does_not_start() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([add("d1", &json!({})), add("d2", &json!({})), ran("a", 1)]));
    let call = run.call();
    run.ops(&call, &json!([abort("x", "d1"), abort("y", "nobody"), ran("b", 1)]));
    let call = run.call();
    assert_eq!(call.body["defers"], json!({"d1": {"abortable": false}, "d2": {"abortable": true}}));
    run.ops(&call, &json!([add("d1", &json!({"again": true})), ran("c", 1)]));
    let call = run.call();
    assert_eq!(statuses(&mut run), ["d1 aborted", "d2 scheduled"]);
    run.returns(&call, &json!(1));
    assert_eq!(deferred(&run).len(), 1);
}

#[test]
fn a_checkpoint_carries_them_too() {
    let (mut run, call) = Driver::started();
    assert_eq!(run.checkpoint(&call, &json!([add("d1", &json!({"n": 1})), ran("a", 1)])), json!({"Ok": null}));
    let rows = run.rows.len();
    assert_eq!(run.checkpoint(&call, &json!([add("d1", &json!({"n": 2}))])), json!({"Ok": null}));
    assert_eq!(run.rows.len(), rows, "what is known is not written again");
    run.ops(&call, &json!([crate::driver::complete(1)]));
    assert_eq!(deferred(&run)[0]["data"]["n"], 1, "what was said first stands");
}

#[test]
fn what_cannot_be_deferred_never_fails_the_run() {
    let (mut run, call) = Driver::started();
    let nameless = json!({"id": "n", "op": "DeferAdd", "opts": {"input": {}}});
    let crooked = json!({"id": "c", "op": "DeferAdd", "opts": "?"});
    run.ops(&call, &json!([add("list", &json!([1])), nameless, crooked, abort("z", ""), ran("a", 1)]));
    let call = run.call();
    assert_eq!(call.body["defers"]["list"], json!({"abortable": false}));
    assert_eq!(statuses(&mut run), ["c rejected", "list rejected", "n rejected"]);
    run.returns(&call, &json!(1));
    assert_eq!((run.status(), deferred(&run).len()), ("Completed".to_owned(), 0));
}

#[test]
fn a_run_defers_so_many_and_so_much() {
    let (mut run, call) = Driver::started();
    let mut ops: Vec<_> = (0..=DEFERS_PER_RUN_MAX).map(|n| add(&format!("{n:02}"), &json!({}))).collect();
    ops.push(ran("a", 1));
    run.ops(&call, &json!(ops));
    let statuses = statuses(&mut run);
    assert_eq!(statuses.iter().filter(|line| line.ends_with("scheduled")).count(), DEFERS_PER_RUN_MAX);
    assert_eq!(statuses.last().unwrap(), &format!("{DEFERS_PER_RUN_MAX} rejected"));

    let of = |bytes: usize| json!({"x": "x".repeat(bytes - r#"{"x":""}"#.len())});
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([add("1", &of(DEFERS_BYTES_MAX - 100)), add("2", &of(100)), add("3", &of(10)), ran("a", 1)]));
    assert_eq!(self::statuses(&mut run), ["1 scheduled", "2 scheduled", "3 rejected"]);
}

/// SDK 4 answers so where the function defers something between a step and work that is none.
#[test]
fn after_an_answer_that_only_defers_the_same_call_is_made_again() {
    let (mut run, call) = Driver::started_with(0);
    run.ops(&call, &json!([add("d1", &json!({"n": 1}))]));
    let again = run.call();
    assert_ne!(again.id, call.id, "a dispatch of its own");
    assert_eq!((again.step(), again.ctx("attempt")), ("step", &json!(0)), "no attempt has failed");
    assert_eq!(again.body["defers"], json!({"d1": {"abortable": true}}));
    assert_eq!(run.journal(), ["Started", "Answered"], "one row");
    run.ops(&again, &json!([abort("x", "d1")]));
    let again = run.call();
    assert_eq!(again.body["defers"], json!({"d1": {"abortable": false}}));
    run.ops(&call, &json!([ran("late", 1)]));
    run.no_calls();
    run.returns(&again, &json!(1));
    assert_eq!((run.status(), deferred(&run).len()), ("Completed".to_owned(), 0));
}

#[test]
fn also_where_a_planned_step_was_asked_for_or_others_are_under_way() {
    let (mut run, call) = Driver::started_with(0);
    run.ops(&call, &json!([planned("p"), sleep("s", "1h")]));
    let call = run.call();
    run.ops(&call, &json!([add("d1", &json!({}))]));
    let again = run.call();
    assert_eq!((again.step(), again.ctx("attempt")), ("p", &json!(0)));
    run.crash();
    let again = run.call();
    assert_eq!(again.step(), "p", "it is owed over a crash");
    run.ops(&again, &json!([ran("p", 1)]));
    let discovery = run.call();
    run.ops(&discovery, &json!([add("d2", &json!({}))]));
    let discovery = run.call();
    assert_eq!(discovery.step(), "step");
    run.ops(&discovery, &json!([sleep("s", "1h")]));
    run.no_calls();
    run.pass_till_woken();
    let call = run.call();
    run.returns(&call, &json!(1));
    assert_eq!((run.status(), deferred(&run).len()), ("Completed".to_owned(), 2));
}

#[test]
fn an_answer_that_defers_what_is_known_and_no_more_is_a_failed_attempt() {
    let (mut run, call) = Driver::started_with(1);
    run.ops(&call, &json!([add("d1", &json!({}))]));
    let call = run.call();
    run.ops(&call, &json!([add("d1", &json!({}))]));
    run.no_calls();
    run.pass_till_woken();
    let call = run.call();
    assert_eq!(call.ctx("attempt"), &json!(1));
    run.ops(&call, &json!([add("d1", &json!({}))]));
    assert_eq!(run.summary()["output"]["name"], "answer_empty");
    assert_eq!(deferred(&run).len(), 1);
}

/// Calls that go on side by side come by the same deferral, and each says it.
#[test]
fn what_its_call_could_not_tell_is_no_failed_attempt() {
    let (mut run, call) = Driver::started_with(0);
    run.ops(&call, &json!([planned("p"), planned("q")]));
    let [p, q] = <[Call; 2]>::try_from(run.calls()).unwrap();
    run.ops(&p, &json!([add("d1", &json!({}))]));
    let p = run.call();
    run.ops(&q, &json!([add("d1", &json!({}))]));
    let q = run.call();
    assert_eq!((q.step(), q.ctx("attempt")), ("q", &json!(0)));
    assert_eq!(q.body["defers"], json!({"d1": {"abortable": true}}));
    run.ops(&q, &json!([add("d1", &json!({}))]));
    assert_eq!(run.summary()["output"]["name"], "answer_invalid", "it was told, and says it again");
    run.ops(&p, &json!([ran("p", 1)]));
    assert_eq!(deferred(&run).len(), 1);
}

/// The hash of `complete`.
const FUNCTION: &str = "0737c22d3bfae812339732d14d8c7dbd6dc4e09c";

/// SDK 4 has no other way to say both.
#[test]
fn a_function_that_throws_beside_what_it_deferred_has_thrown() {
    let threw = |op: &str| json!({"op": op, "id": FUNCTION, "error": {"name": "E", "message": "boom"}});
    let (mut run, call) = Driver::started_with(1);
    run.ops(&call, &json!([add("d1", &json!({})), threw("StepError")]));
    run.no_calls();
    run.pass_till_woken();
    let call = run.call();
    assert_eq!((call.step(), call.ctx("attempt"), call.stack()), ("step", &json!(1), vec![]));
    assert_eq!(call.body["defers"], json!({"d1": {"abortable": true}}));
    run.ops(&call, &json!([add("d2", &json!({})), threw("StepError")]));
    assert_eq!((run.status(), run.summary()["output"]["message"].clone()), ("Failed".to_owned(), json!("boom")));
    assert_eq!(deferred(&run).len(), 2);

    let (mut run, call) = Driver::started_with(5);
    run.ops(&call, &json!([add("d1", &json!({})), threw("StepFailed")]));
    assert_eq!((run.status(), deferred(&run).len()), ("Failed".to_owned(), 1), "for good");
    assert_eq!(run.summary()["output"]["name"], "E");
}

#[test]
fn a_step_of_the_users_that_is_called_complete_is_a_step() {
    let (mut run, call) = Driver::started_with(0);
    let failed =
        json!({"op": "StepFailed", "id": FUNCTION, "name": "complete", "error": {"name": "E", "message": "boom"}});
    run.ops(&call, &json!([failed]));
    assert_eq!(run.call().stack(), [FUNCTION]);
}

#[test]
fn an_abort_that_is_known_is_not_written_again() {
    let (mut run, call) = Driver::started();
    run.checkpoint(&call, &json!([add("d1", &json!({})), abort("x", "d1")]));
    let rows = run.rows.len();
    run.checkpoint(&call, &json!([abort("x", "d1")]));
    run.checkpoint(&call, &json!([abort("y", "d1"), abort("z", "nobody")]));
    assert_eq!(run.rows.len(), rows);
}

#[test]
fn a_function_has_a_name_of_so_many_bytes_and_a_refusal_says_which_and_why() {
    let of = |id: &str, function: &str, input: Value| json!({"id": id, "op": "DeferAdd", "displayName": id, "opts": {"fn_slug": function, "input": input}});
    let (longest, longer) = ("x".repeat(NAME_BYTES_MAX), "x".repeat(NAME_BYTES_MAX + 1));
    let (mut run, call) = Driver::started();
    let ops = [of("1", &longest, json!({})), of("2", &longer, json!({})), of("3", &longest, json!([]))];
    run.ops(&call, &json!([ops[0], ops[1], ops[2], ran("a", 1)]));
    let defers = run.ask(&Ask::Timeline)["Ok"]["defers"].clone();
    assert_eq!((&defers[0]["status"], &defers[0]["function"]), (&json!("scheduled"), &json!(longest)));
    assert!(defers[0].get("reason").is_none());
    assert_eq!((&defers[1]["status"], &defers[1]["function"]), (&json!("rejected"), &json!("")));
    assert!(defers[1]["reason"].as_str().unwrap().contains(&NAME_BYTES_MAX.to_string()));
    assert_eq!((&defers[2]["status"], &defers[2]["function"]), (&json!("rejected"), &json!(longest)));
    assert!(defers[2]["reason"].as_str().unwrap().contains("data"));
}
