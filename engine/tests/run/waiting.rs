//! Waits for events and signals, as the run sees them.

use crate::driver::{Driver, invoke, planned, ran, raw, sleep, wait_for, wait_for_signal};
use serde_json::{Value, json};
use stepwell_engine::ids::{EventId, Millis};
use stepwell_engine::limits::{EVENT_IDEMPOTENCY_TIME, EVENT_NAME_CHARACTERS_MAX, SIGNAL_NAME_BYTES_MAX};
use stepwell_engine::run::message::{Returned, Tell};
use stepwell_engine::turn::Message;
use stepwell_engine::waits::message::Waiter;

fn resumed(step: &str, number: u128, received_at: u64, data: &str) -> Tell {
    let event = raw(&format!(r#"{{"data":{data},"id":"x","name":"t/wake","ts":1,"user":{{}}}}"#));
    let id = EventId::new(Millis(received_at), number);
    Tell::Resumed { step: step.into(), id, received_at: Millis(received_at), event }
}

/// The messages to waits of one kind.
fn to_waits(run: &Driver, kind: &str) -> Vec<Value> {
    let to_waits = run.sends.iter().filter(|(to, _)| to == "Waits");
    to_waits.filter_map(|(_, tell)| tell.get(kind)).cloned().collect()
}

#[test]
fn an_awaited_event_is_the_steps_result_as_it_came() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([wait_for("w", "t/wake", Some("event.data.n == async.data.n"), "1h")]));
    run.no_calls();
    assert_eq!((run.wake_at, run.owing), (Some(run.now + 3_600_000), false));
    let register = to_waits(&run, "Register").remove(0);
    assert_eq!(register["route"], json!({"Value": ["data", "n"]}));
    assert_eq!(register["own"], json!({"data": {"n": 1}}));
    run.now += 5;
    run.tell(&resumed("w", 1, run.now, r#"{"n":1}"#));
    let call = run.call();
    assert_eq!(call.body["steps"]["w"], json!({"data": {"n": 1}, "id": "x", "name": "t/wake", "ts": 1, "user": {}}));
    assert_eq!(to_waits(&run, "Remove").len(), 1);
    assert_eq!(run.journal(), ["Started", "Answered", "Resumed"]);
    assert_eq!(run.wake_at, None);
}

#[test]
fn event_and_timeout_are_decided_by_whichever_is_recorded_first() {
    let event = |run: &mut Driver| run.tell(&resumed("w", 1, run.now, "1"));
    for event_first in [true, false] {
        let (mut run, call) = Driver::started();
        run.ops(&call, &json!([wait_for("w", "t/wake", None, "10s")]));
        run.now += 10_000;
        if event_first {
            event(&mut run);
            run.turn(Message::Wake);
        } else {
            run.turn(Message::Wake);
            event(&mut run);
        }
        let call = run.call();
        let data = if event_first { json!(1) } else { Value::Null };
        assert_eq!(call.body["steps"]["w"]["data"], data);
        assert_eq!(call.body["steps"]["w"].is_null(), !event_first);
        assert_eq!(run.journal().len(), 3);
        assert_eq!(to_waits(&run, "Remove").len(), 1);
    }
}

#[test]
fn a_wait_with_no_time_ends_at_once_and_is_never_registered() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([wait_for("w", "t/wake", None, "")]));
    run.pass(0);
    assert_eq!(run.call().body["steps"], json!({"w": null}));
    assert!(run.sends.iter().all(|(to, _)| to != "Waits"));
}

#[test]
fn a_second_event_and_one_that_comes_twice_change_nothing() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([wait_for("w", "t/wake", None, "1h")]));
    run.tell(&resumed("w", 1, run.now, "1"));
    run.call();
    run.tell(&resumed("w", 1, run.now, "1"));
    run.tell(&resumed("w", 2, run.now, "2"));
    run.tell(&resumed("nobody", 3, run.now, "3"));
    run.no_calls();
    assert_eq!(run.journal().len(), 3);
}

#[test]
fn a_wait_that_is_written_down_after_it_is_over_is_removed() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([wait_for("w", "t/wake", None, "1h")]));
    let registered = Tell::Registered { waiter: Waiter::Step("w".into()), at: "there".to_owned() };
    run.tell(&registered);
    assert!(to_waits(&run, "Remove").is_empty(), "it still waits");
    run.tell(&resumed("w", 1, run.now, "1"));
    run.sends.clear();
    run.tell(&registered);
    assert_eq!(to_waits(&run, "Remove").len(), 1);
    let call = run.call();
    run.returns(&call, &json!(1));
    run.sends.clear();
    run.tell(&registered);
    assert_eq!(to_waits(&run, "Remove").len(), 1, "also when the run is over");
}

#[test]
fn an_event_that_ended_a_wait_ends_no_later_wait_of_the_same_run() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([wait_for("w", "t/wake", None, "1h")]));
    run.tell(&resumed("w", 7, run.now, "1"));
    let call = run.call();
    run.ops(&call, &json!([wait_for("again", "t/wake", None, "1h")]));
    let register = to_waits(&run, "Register").pop().unwrap();
    let taken: Vec<String> = serde_json::from_value(register["taken"].clone()).unwrap();
    assert!(taken.contains(&EventId::new(Millis(run.now), 7).to_string()));
    assert_eq!(taken.len(), 2, "the event that started the run is the other: {taken:?}");
}

#[test]
fn an_event_that_ended_a_wait_may_end_the_one_beside_it_also_where_that_is_said_again() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([wait_for("v", "t/wake", None, "1h"), wait_for("w", "t/wake", None, "1h")]));
    run.tell(&resumed("v", 7, run.now, "1"));
    let before = to_waits(&run, "Register").pop().unwrap();
    run.sends.clear();
    run.crash();
    assert_eq!(to_waits(&run, "Register"), [before]);
}

#[test]
fn a_look_back_reaches_no_further_than_the_runs_beginning() {
    let (mut run, call) = Driver::started();
    run.settings.wait_look_back = Some(Millis(5_000));
    let began = run.now;
    run.now += 1_000;
    run.ops(&call, &json!([ran("a", 1)]));
    let call = run.call();
    run.ops(&call, &json!([wait_for("w", "t/wake", None, "1h")]));
    assert_eq!(to_waits(&run, "Register")[0]["since"]["at"], json!(began));
    run.tell(&resumed("w", 1, run.now, "1"));
    run.now += 60_000;
    let call = run.call();
    run.ops(&call, &json!([wait_for("v", "t/wake", None, "1h")]));
    assert_eq!(to_waits(&run, "Register")[1]["since"]["at"], json!(run.now - 5_000));
}

#[test]
fn parallel_waits_are_reported_again_and_again_and_registered_once() {
    let (mut run, call) = Driver::started();
    let waits = json!([wait_for("v", "t/v", None, "1h"), wait_for("w", "t/w", None, "1h"), planned("p")]);
    run.ops(&call, &waits);
    let step = run.call();
    run.ops(&step, &json!([ran("p", 1)]));
    let call = run.call();
    run.ops(&call, &waits);
    run.no_calls();
    run.tell(&resumed("v", 1, run.now, "1"));
    let call = run.call();
    assert_eq!(call.stack(), ["p", "v"]);
    run.ops(&call, &waits);
    run.no_calls();
    assert_eq!(to_waits(&run, "Register").len(), 2);
    run.tell(&resumed("w", 1, run.now, "2"));
    let call = run.call();
    assert_eq!(call.stack(), ["p", "v", "w"]);
    run.ops(&call, &waits);
    assert_eq!(to_waits(&run, "Register").len(), 2, "what is done is not registered again");
}

#[test]
fn the_end_of_a_run_removes_its_waits() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([wait_for("w", "t/wake", None, "1h"), wait_for_signal("s", "go", "fail")]));
    run.ask(&stepwell_engine::run::message::Ask::Cancel);
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(to_waits(&run, "Remove").len(), 2);
    run.tell(&resumed("w", 1, run.now, "1"));
    run.no_calls();
    assert_eq!(run.status(), "Cancelled");
}

#[test]
fn waits_are_said_again_after_a_crash() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([planned("p"), wait_for("w", "t/wake", None, "1h")]));
    let before = to_waits(&run, "Register");
    run.sends.clear();
    run.crash();
    assert_eq!(to_waits(&run, "Register"), before);
}

fn with_opts(op: &str, opts: &Value) -> Value {
    json!({"op": op, "id": "w", "name": "t/wake", "opts": opts})
}

#[test]
fn what_cannot_be_waited_for_fails_the_run() {
    for (op, name, code) in [
        (wait_for("w", "t/wake", Some("async.data ==="), "1h"), "InvalidExpression", "expression_invalid"),
        (wait_for("w", "t/wake", None, "soon"), "wait_invalid", "wait_invalid"),
        (wait_for("w", "", None, "1h"), "wait_invalid", "wait_invalid"),
        (wait_for("w", "t/wake", None, "400d"), "InngestErrTimeoutTooLong", "sleep_too_long"),
        (wait_for_signal("s", "", "fail"), "wait_invalid", "wait_invalid"),
        (with_opts("WaitForEvent", &json!({"timeout": 3_600_000})), "wait_invalid", "wait_invalid"),
        (with_opts("WaitForEvent", &json!({"timeout": "1h", "if": 7})), "wait_invalid", "wait_invalid"),
        (with_opts("WaitForEvent", &json!("1h")), "wait_invalid", "wait_invalid"),
        (with_opts("WaitForSignal", &json!({"signal": 7})), "wait_invalid", "wait_invalid"),
        (with_opts("WaitForSignal", &json!({"timeout": "400d"})), "InngestErrTimeoutTooLong", "sleep_too_long"),
    ] {
        let (mut run, call) = Driver::started();
        run.ops(&call, &json!([op]));
        assert_eq!(run.status(), "Failed", "{op}");
        assert_eq!(run.summary()["output"]["name"], name);
        let row: Value = serde_json::from_slice(run.rows.values().last().unwrap()).unwrap();
        assert_eq!(row["entry"]["Answered"]["then"]["Fail"]["problem"]["code"], code);
    }
}

#[test]
fn a_signal_brings_its_name_and_data() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([wait_for_signal("s", "go", "replace")]));
    assert_eq!(to_waits(&run, "Hold")[0]["replace"], true);
    let waiter = Waiter::Step("s".into());
    run.tell(&Tell::Signalled { waiter, signal: "go".to_owned(), data: raw("[1]") });
    assert_eq!(run.call().body["steps"]["s"], json!({"data": {"signal": "go", "data": [1]}}));
}

/// Also where another waiter has taken the place: it is told nothing, and its time runs out.
#[test]
fn a_signal_that_does_not_come_is_null() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([wait_for_signal("s", "go", "fail")]));
    run.pass(3_600_000);
    assert_eq!(run.call().body["steps"]["s"], json!(null));
}

#[test]
fn a_conflict_fails_the_run_that_waits_and_no_other() {
    let problem = || {
        let json = json!({"name": "SignalConflict", "message": "Signal conflict", "code": "signal_conflict"});
        serde_json::from_value(json).unwrap()
    };
    let refused = || Tell::Refused { waiter: Waiter::Step("s".into()), problem: problem() };
    let (mut run, call) = Driver::started();
    run.tell(&refused());
    assert_eq!(run.status(), "Running");
    run.ops(&call, &json!([wait_for_signal("s", "go", "fail")]));
    run.tell(&refused());
    assert_eq!(run.status(), "Failed");
    assert_eq!(run.summary()["output"]["message"], "Signal conflict");
}

#[test]
fn a_timeline_shows_what_is_waited_for_and_what_came() {
    let (mut run, call) = Driver::started();
    let waits = [wait_for("v", "t/v", Some("async.data == 1"), "1h"), wait_for("w", "t/w", None, "1s")];
    run.ops(&call, &json!(waits));
    let steps = |run: &mut Driver| run.ask(&stepwell_engine::run::message::Ask::Timeline)["Ok"]["steps"].clone();
    let waiting = steps(&mut run);
    assert_eq!(waiting[0]["op"], "waitForEvent");
    assert_eq!(waiting[0]["status"], "waiting");
    assert_eq!(waiting[0]["awaits"], json!({"event": {"name": "t/v", "if": "async.data == 1"}}));
    run.tell(&resumed("v", 7, run.now, "1"));
    run.pass(1_000);
    let over = steps(&mut run);
    assert_eq!(over[0]["awaits"]["event"]["id"], json!(EventId::new(Millis(run.now - 1_000), 7)));
    assert_eq!(over[0]["output"]["data"], 1);
    assert_eq!((&over[1]["timed_out"], &over[1]["status"]), (&json!(true), &json!("completed")));
}

#[test]
fn what_comes_must_be_what_the_step_waits_for() {
    let signalled = || Tell::Signalled { waiter: Waiter::Step("w".into()), signal: "go".to_owned(), data: raw("1") };
    let returned = || Tell::Returned { step: "w".into(), run: None, returned: Returned::Value(raw("1")) };
    let event = |run: &Driver| resumed("w", 1, run.now, "1");
    for (place, op) in [
        wait_for("w", "t/wake", None, "1h"),
        wait_for_signal("w", "go", "fail"),
        invoke("w", "app-child", &json!({"data": {}})),
        sleep("w", "1h"),
    ]
    .into_iter()
    .enumerate()
    {
        let (mut run, call) = Driver::started();
        run.ops(&call, &json!([op]));
        let tells = [event(&run), signalled(), returned()];
        for (kind, tell) in tells.iter().enumerate().filter(|(kind, _)| *kind != place) {
            run.tell(tell);
            assert_eq!(run.journal().len(), 2, "{op} {kind}");
        }
        if let Some(tell) = tells.get(place) {
            run.tell(tell);
            assert_eq!(run.journal().len(), 3, "{op}");
        }
    }
}

#[test]
fn a_wait_says_what_it_waits_for_how_long_and_since_when() {
    let (mut run, call) = Driver::started();
    run.now += 10;
    run.ops(&call, &json!([wait_for("w", "t/wake", Some(" "), "1h"), wait_for_signal("s", "go", "fail")]));
    let id = run.summary()["run_id"].clone();
    let register = to_waits(&run, "Register").remove(0);
    assert_eq!(register["wait"], json!({"run": id, "waiter": {"Step": "w"}}));
    assert_eq!((&register["event"], register.get("expression")), (&json!("t/wake"), None));
    assert_eq!((&register["since"], &register["own"]), (&json!({"at": run.now}), &Value::Null));
    assert_eq!(register["expires_at"], json!(run.now + 3_600_000));
    let hold = to_waits(&run, "Hold").remove(0);
    let wait = json!({"run": id, "waiter": {"Step": "s"}});
    assert_eq!(
        hold,
        json!({"wait": wait, "signal": "go", "since": run.now, "expires_at": run.now + 3_600_000, "replace": false})
    );
}

#[test]
fn an_event_that_ended_a_wait_is_named_to_later_ones_for_as_long_as_it_may_be_sent_again() {
    for (later, named) in [(1, 2), (EVENT_IDEMPOTENCY_TIME.0, 2), (EVENT_IDEMPOTENCY_TIME.0 + 1, 1)] {
        let (mut run, call) = Driver::started();
        run.ops(&call, &json!([wait_for("w", "t/wake", None, "1h")]));
        run.tell(&resumed("w", 7, run.now, "1"));
        let call = run.call();
        run.now += later;
        run.ops(&call, &json!([wait_for("again", "t/wake", None, "1h")]));
        let register = to_waits(&run, "Register").pop().unwrap();
        assert_eq!(register["taken"].as_array().map(Vec::len), Some(named), "{later} ms later");
    }
}

#[test]
fn a_wait_may_have_a_name_as_long_as_the_limit_and_no_longer() {
    let event = |length: usize| wait_for("w", &"é".repeat(length), None, "1h");
    let signal = |length: usize| wait_for_signal("s", &"x".repeat(length), "fail");
    for (op, failed) in [
        (event(EVENT_NAME_CHARACTERS_MAX), false),
        (event(EVENT_NAME_CHARACTERS_MAX + 1), true),
        (signal(SIGNAL_NAME_BYTES_MAX), false),
        (signal(SIGNAL_NAME_BYTES_MAX + 1), true),
    ] {
        let (mut run, call) = Driver::started();
        run.ops(&call, &json!([op]));
        assert_eq!(run.status() == "Failed", failed);
    }
}

#[test]
fn names_in_the_options_go_before_the_names_of_ops() {
    let (mut run, call) = Driver::started();
    let mut event = wait_for("w", "t/name", None, "1h");
    event["opts"]["event"] = json!("t/opts");
    let mut signal = wait_for_signal("s", "opts", "fail");
    signal["name"] = json!("name");
    let mut plain = wait_for_signal("p", "name", "fail");
    plain["opts"] = json!({"timeout": "1h"});
    run.ops(&call, &json!([event, signal, plain]));
    assert_eq!(to_waits(&run, "Register")[0]["event"], "t/opts");
    let signals: Vec<Value> = to_waits(&run, "Hold").iter().map(|hold| hold["signal"].clone()).collect();
    assert_eq!(signals, ["opts", "name"]);
}

#[test]
fn an_invocation_does_not_tell_anybody_that_it_is_over() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([invoke("i", "app-child", &json!({"data": {}})), sleep("s", "1h")]));
    run.tell(&Tell::Returned { step: "i".into(), run: None, returned: Returned::Value(raw("1")) });
    run.pass(3_600_000);
    assert!(run.sends.iter().all(|(to, _)| to != "Waits"));
}
