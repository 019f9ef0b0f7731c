//! The journal as people read it: what each kind of step shows while it lasts and when it is over.

use crate::driver::{Driver, failed, invoke, planned, ran, raw, sleep, threw, wait_for, wait_for_signal};
use serde_json::{Value, json};
use stepwell_engine::ids::{EventId, Millis, RunId};
use stepwell_engine::run::message::{Ask, Returned, Tell};
use stepwell_engine::waits::message::Waiter;

fn timeline(run: &mut Driver) -> Value {
    run.ask(&Ask::Timeline)["Ok"].clone()
}

fn step(run: &mut Driver, place: usize) -> Value {
    timeline(run)["steps"][place].clone()
}

const OUTPUT_BYTES_SHOWN: usize = 16 << 10;

#[test]
fn a_step_shows_when_it_was_asked_for_and_when_its_code_ran() {
    let (mut run, call) = Driver::started();
    let began = run.now;
    run.now += 10;
    let mut untimed = ran("b", json!([1]));
    untimed["timing"] = Value::Null;
    run.ops(&call, &json!([ran("a", json!({"x": 1}))]));
    let call = run.call();
    run.now += 20;
    run.ops(&call, &json!([untimed]));
    let shown = timeline(&mut run);
    assert_eq!(shown["journal_rows"], 3);
    assert_eq!((&shown["run"]["status"], &shown["attempts"]), (&json!("Running"), &json!([])));
    let a = json!({"id": "a", "name": "a", "op": "run", "status": "completed", "parallel": false, "queued_at_ms": began,
        "started_at_ms": 1_795_320_622_553_u64, "ended_at_ms": began + 10, "attempts": [], "output": {"x": 1},
        "output_bytes": 7});
    let b = json!({"id": "b", "name": "b", "op": "run", "status": "completed", "parallel": false,
        "queued_at_ms": began + 10, "started_at_ms": began + 10, "ended_at_ms": began + 30, "attempts": [],
        "output": [1], "output_bytes": 3});
    assert_eq!(shown["steps"], json!([a, b]));
}

#[test]
fn what_a_step_is_called_is_its_display_name_or_its_name() {
    let (mut run, call) = Driver::started();
    let named = |id: &str, display: Value, name: Value| json!({"id": id, "op": "StepRun", "displayName": display, "name": name, "data": 1});
    let ops = [named("a", json!("shown"), json!("name")), named("b", json!(null), json!("name"))];
    run.ops(&call, &json!([ops[0], ops[1], named("c", json!(null), json!(null))]));
    let names: Vec<Value> = (0..3).map(|place| step(&mut run, place)["name"].clone()).collect();
    assert_eq!(names, ["shown", "name", ""]);
}

#[test]
fn a_checkpointed_step_was_asked_for_with_its_request() {
    let (mut run, call) = Driver::started();
    let began = run.now;
    run.now += 5;
    run.checkpoint(&call, &json!([ran("a", 1), ran("b", 2)]));
    let shown = timeline(&mut run);
    for place in 0..2 {
        let step = &shown["steps"][place];
        assert_eq!((&step["queued_at_ms"], &step["ended_at_ms"]), (&json!(began), &json!(began + 5)));
        assert_eq!((&step["parallel"], &step["status"]), (&json!(false), &json!("completed")));
    }
}

#[test]
fn large_outputs_are_told_by_their_size() {
    for (bytes, is_shown) in [(OUTPUT_BYTES_SHOWN, true), (OUTPUT_BYTES_SHOWN + 1, false)] {
        let text = "x".repeat(bytes - 2);
        let (mut run, call) = Driver::started();
        run.ops(&call, &json!([ran("a", text.clone()), wait_for_signal("s", "go", "fail")]));
        let data = raw(&json!(text).to_string());
        run.tell(&Tell::Signalled { waiter: Waiter::Step("s".into()), signal: "go".to_owned(), data });
        for place in 0..2 {
            let step = step(&mut run, place);
            assert_eq!((step.get("output").is_some(), &step["output_bytes"]), (is_shown, &json!(bytes)), "{place}");
        }
    }
}

#[test]
fn a_step_in_stored_form_shows_what_it_is_remembered_as() {
    let (mut run, call) = Driver::started();
    run.now += 3;
    run.ops(&call, &json!([{"id": "a", "op": "Step", "displayName": "A", "data": {"data": 7}}]));
    let step = step(&mut run, 0);
    assert_eq!((&step["output"], &step["status"]), (&json!({"data": 7}), &json!("completed")));
    assert_eq!((&step["name"], &step["ended_at_ms"]), (&json!("A"), &json!(run.now)));
}

#[test]
fn a_step_that_failed_shows_its_error() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([failed("a")]));
    let step = step(&mut run, 0);
    assert_eq!((&step["status"], &step["ended_at_ms"]), (&json!("failed"), &json!(run.now)));
    assert_eq!(step["error"], json!({"name": "MyErr", "message": "always", "stack": "s"}));
    assert!(step.get("output").is_none());
}

#[test]
fn steps_that_are_found_together_are_parallel_and_wait_for_their_calls() {
    let (mut run, call) = Driver::started();
    run.now += 4;
    let found_at = run.now;
    run.ops(&call, &json!([planned("a"), sleep("s", "10s"), wait_for("w", "t/w", None, "1h")]));
    let shown = timeline(&mut run);
    let base = |id: &str, op: &str, status: &str| {
        json!({"id": id, "name": id, "op": op, "status": status, "parallel": true, "queued_at_ms": found_at,
               "attempts": []})
    };
    assert_eq!(shown["steps"][0], base("a", "run", "planned"));
    let mut sleeping = base("s", "sleep", "sleeping");
    sleeping["started_at_ms"] = json!(found_at);
    sleeping["wake_at_ms"] = json!(found_at + 10_000);
    assert_eq!(shown["steps"][1], sleeping);
    let mut waiting = base("w", "waitForEvent", "waiting");
    waiting["started_at_ms"] = json!(found_at);
    waiting["wake_at_ms"] = json!(found_at + 3_600_000);
    waiting["awaits"] = json!({"event": {"name": "t/w"}});
    assert_eq!(shown["steps"][2], waiting);

    let call = run.call();
    run.now += 6;
    run.ops(&call, &json!([ran("a", 1)]));
    let done = step(&mut run, 0);
    assert_eq!((&done["queued_at_ms"], &done["ended_at_ms"]), (&json!(found_at), &json!(found_at + 6)));
    assert_eq!((&done["status"], &done["parallel"]), (&json!("completed"), &json!(true)));
    run.pass_till_woken();
    let woken = step(&mut run, 1);
    assert_eq!((&woken["status"], &woken["ended_at_ms"]), (&json!("completed"), &json!(found_at + 10_000)));
    assert!(woken.get("timed_out").is_none() && woken.get("output").is_none(), "it did what it was to do: {woken}");
}

#[test]
fn one_step_alone_is_not_parallel() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([sleep("s", "10s")]));
    assert_eq!(step(&mut run, 0)["parallel"], false);
}

#[test]
fn what_was_said_first_of_a_rest_or_a_result_stands() {
    let (mut run, call) = Driver::started();
    run.ops_of("1", &call, &json!([planned("p"), sleep("s", "10s"), wait_for("w", "t/w", None, "1h"), ran("a", 1)]));
    let before = timeline(&mut run)["steps"].clone();
    run.now += 7;
    let call = run.calls().into_iter().find(|call| call.step() == "step").unwrap();
    run.ops_of("1", &call, &json!([sleep("s", "20s"), wait_for("w", "t/v", None, "2h"), ran("a", 2)]));
    let after = timeline(&mut run)["steps"].clone();
    for place in 1..4 {
        assert_eq!(after[place], before[place]);
    }
}

#[test]
fn a_failed_attempt_of_a_step_is_the_steps_and_one_of_the_function_is_the_runs() {
    let (mut run, call) = Driver::started_with(1);
    run.now += 2;
    let failed_at = run.now;
    run.throws(&call, &[]);
    let shown = timeline(&mut run);
    assert_eq!(shown["steps"], json!([]));
    let error = json!({"name": "Error", "message": "boom", "stack": "s"});
    let attempt = json!({"number": 0, "at_ms": failed_at, "error": error, "retry_at_ms": failed_at + 1_000});
    assert_eq!(shown["attempts"], json!([attempt]));

    run.pass_till_woken();
    let call = run.call();
    run.ops(&call, &json!([planned("p"), planned("q")]));
    let calls = run.calls();
    // The app does not say which step it was about; the call does.
    run.throws(&calls[0], &[]);
    run.ops(&calls[1], &json!([{"id": "q", "op": "StepError", "name": "Q", "error": {"message": "m"}}]));
    let shown = timeline(&mut run);
    assert_eq!(shown["attempts"].as_array().map(Vec::len), Some(1));
    for place in 0..2 {
        let step = &shown["steps"][place];
        assert_eq!((&step["status"], step["attempts"].as_array().map(Vec::len)), (&json!("retrying"), Some(1)));
        assert_eq!(step["attempts"][0]["retry_at_ms"], json!(run.now + 1_000));
    }
    run.pass_till_woken();
    let calls = run.calls();
    run.throws(&calls[0], &[]);
    let last = step(&mut run, 0)["attempts"][1].clone();
    assert_eq!((&last["number"], last.get("retry_at_ms")), (&json!(1), None), "there is no other");
    assert_eq!(run.status(), "Failed");
}

#[test]
fn a_step_that_threw_is_shown_before_it_has_ended() {
    let (mut run, call) = Driver::started();
    let mut op = threw("a");
    op["displayName"] = json!("A");
    run.ops(&call, &json!([op]));
    let step = step(&mut run, 0);
    assert_eq!((&step["name"], &step["op"], &step["queued_at_ms"]), (&json!("A"), &json!("run"), &json!(run.now)));
    assert!(step.get("ended_at_ms").is_none());
}

#[test]
fn an_invocation_shows_the_function_and_the_run_that_it_became() {
    let child = RunId::derived(EventId::new(Millis(1), 1), &"app-child".into());
    let error = json!({"name": "E", "message": "boom"});
    for (returned, status) in
        [(Returned::Value(raw(r#"{"n":1}"#)), "completed"), (Returned::Error(raw(&error.to_string())), "failed")]
    {
        let (mut run, call) = Driver::started();
        run.ops(&call, &json!([invoke("i", "app-child", &json!({"data": {}}))]));
        let before = step(&mut run, 0);
        assert_eq!((&before["op"], &before["status"]), (&json!("invoke"), &json!("invoking")));
        assert_eq!(before["awaits"], json!({"run": {"function": "app-child"}}));
        run.now += 9;
        run.tell(&Tell::Returned { step: "i".into(), run: Some(child), returned });
        let after = step(&mut run, 0);
        assert_eq!((&after["status"], &after["ended_at_ms"]), (&json!(status), &json!(run.now)));
        assert_eq!(after["awaits"], json!({"run": {"function": "app-child", "id": child}}));
        if status == "failed" {
            assert_eq!((&after["error"], after.get("output")), (&error, None));
        } else {
            assert_eq!((&after["output"], &after["output_bytes"]), (&json!({"n": 1}), &json!(7)));
        }
    }
}

#[test]
fn what_did_not_come_in_time_is_told() {
    let (mut run, call) = Driver::started();
    let mut invocation = invoke("i", "app-child", &json!({"data": {}}));
    invocation["opts"]["timeout"] = json!("5s");
    run.ops(&call, &json!([wait_for("w", "t/w", None, "5s"), invocation]));
    run.pass_till_woken();
    let shown = timeline(&mut run);
    for (place, status) in [(0, "completed"), (1, "failed")] {
        let step = &shown["steps"][place];
        assert_eq!((&step["timed_out"], &step["status"]), (&json!(true), &json!(status)));
        assert_eq!(step["ended_at_ms"], json!(run.now));
    }
}

#[test]
fn a_signal_shows_its_name_and_what_came_with_it() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([wait_for_signal("s", "go", "fail")]));
    let before = step(&mut run, 0);
    assert_eq!((&before["op"], &before["status"]), (&json!("waitForSignal"), &json!("waiting")));
    assert_eq!(before["awaits"], json!({"signal": {"name": "go"}}));
    let waiter = Waiter::Step("s".into());
    run.tell(&Tell::Signalled { waiter, signal: "go".to_owned(), data: raw("[7]") });
    let after = step(&mut run, 0);
    assert_eq!((&after["output"], &after["output_bytes"]), (&json!([7]), &json!(3)));
    assert!(after.get("timed_out").is_none());
}

#[test]
fn the_journal_is_shown_as_it_is_stored() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1)]));
    let stored: Vec<Value> = run.rows.values().map(|row| serde_json::from_slice(row).unwrap()).collect();
    assert_eq!(run.ask(&Ask::Journal)["Ok"], json!(stored));
}
