//! What a run wants of its function's gate of slots, and what it gives back.

use crate::driver::{Call, Driver, planned, ran};
use serde_json::{Value, json};
use stepwell_engine::catalog::Pause;
use stepwell_engine::gate::slots::message::Dispatch;
use stepwell_engine::ids::{EventId, Millis, RunId};
use stepwell_engine::limits::{CALL_TIME_MAX, PRIORITY_SECONDS_MAX};
use stepwell_engine::run::message::Tell;
use stepwell_engine::run::unit::UnitId;
use stepwell_engine::turn::{AppAnswer, CallKind, Message};

/// A run of a function with this flow control.
fn with(flow: Value) -> Driver {
    let mut run = Driver::idle(4);
    for function in run.catalog.functions.values_mut() {
        function.flow = serde_json::from_value(flow.clone()).unwrap();
    }
    run
}

fn limited() -> Driver {
    with(json!({"concurrency": {"steps": [{"limit": 1, "scope": "fn", "key": "event.data.n"}]}}))
}

/// Such a run, which has got its slot; its first call.
fn called() -> (Driver, Call) {
    let mut run = limited();
    run.begin_later(|_| {});
    grant(&mut run, "discovery:0", 1);
    let call = run.call();
    (run, call)
}

/// What the gate has been told since last time.
fn news(run: &mut Driver) -> Vec<Value> {
    let sends = std::mem::take(&mut run.sends);
    sends.into_iter().filter(|(to, _)| to == "Gate").map(|(_, tell)| tell["News"].clone()).collect()
}

fn id() -> RunId {
    RunId::derived(EventId::new(Millis(1_700_000_000_000), 7), &"app-fn".into())
}

fn dispatch(unit: &str, generation: u32) -> Dispatch {
    Dispatch { unit: UnitId::parse(unit).unwrap(), generation }
}

fn grant(run: &mut Driver, unit: &str, generation: u32) {
    run.tell(&Tell::Granted { run: id(), dispatch: dispatch(unit, generation), at: "slots/x/app-fn".to_owned() });
}

/// The gate asks for a slot that has long been held.
fn hold(run: &mut Driver, dispatch: Option<Dispatch>) {
    run.tell(&Tell::Holds { run: id(), dispatch, waits: false, anew: false, at: "slots/x/app-fn".to_owned() });
}

#[test]
fn a_run_with_limits_is_not_called_before_it_may() {
    let mut run = limited();
    run.begin_later(|_| {});
    run.no_calls();
    assert_eq!(run.status(), "Scheduled");
    let wanted = json!({
        "run": id(), "wanted": [{"unit": "discovery:0", "generation": 1}], "rank": 1_700_000_000_000_u64, "is_first": true,
        "keys": {"event.data.n": "1"}
    });
    assert_eq!(news(&mut run), [wanted]);
    assert!(!run.owing, "nothing is in flight: after a crash the gate tells it");
    grant(&mut run, "discovery:0", 1);
    let call = run.call();
    assert_eq!((run.status().as_str(), run.owing), ("Running", true));
    run.returns(&call, &json!(1));
    assert_eq!(run.journal(), ["Started", "Began", "Answered"]);
    let [over] = <[Value; 1]>::try_from(news(&mut run)).unwrap();
    assert_eq!(over["is_over"], true);
}

#[test]
fn a_step_gives_its_slot_back_in_the_turn_that_saves_it_and_asks_for_the_next() {
    let (mut run, call) = called();
    news(&mut run);
    run.ops(&call, &json!([ran("a", 1)]));
    run.no_calls();
    let [told] = <[Value; 1]>::try_from(news(&mut run)).unwrap();
    assert_eq!(told["released"], json!([{"unit": "discovery:0", "generation": 1}]));
    assert_eq!(told["wanted"], json!([{"unit": "discovery:1", "generation": 1}]));
    assert!(told.get("is_first").is_none());
    grant(&mut run, "discovery:1", 1);
    run.call();
    assert_eq!(run.journal(), ["Started", "Began", "Answered"], "one row a step, as without limits");
}

#[test]
fn a_run_that_rests_holds_nothing_and_asks_again_when_it_goes_on() {
    let (mut run, call) = called();
    run.throws(&call, &[]);
    let told = news(&mut run).pop().unwrap();
    assert_eq!(told["released"], json!([{"unit": "discovery:0", "generation": 1}]));
    assert!(told.get("wanted").is_none(), "it waits to be tried again");
    run.pass_till_woken();
    run.no_calls();
    let told = news(&mut run).pop().unwrap();
    assert_eq!(told["wanted"], json!([{"unit": "discovery:0", "generation": 2}]));
    grant(&mut run, "discovery:0", 2);
    run.call();
}

#[test]
fn a_slot_that_is_not_wanted_goes_back() {
    let (mut run, call) = called();
    run.returns(&call, &json!(1));
    news(&mut run);
    grant(&mut run, "step:x", 1);
    let told = news(&mut run).pop().unwrap();
    assert_eq!(told["released"], json!([{"unit": "step:x", "generation": 1}]));
    hold(&mut run, Some(dispatch("discovery:0", 1)));
    let told = news(&mut run).pop().unwrap();
    assert_eq!((&told["is_over"], &told["released"][0]["unit"]), (&json!(true), &json!("discovery:0")));
}

/// Given back, it could not be told from the same word that comes once more, when the slot has long been another run's.
#[test]
fn a_slot_that_comes_while_the_clock_is_back_is_kept_until_its_call_is_due() {
    let (mut run, call) = called();
    run.throws(&call, &[]);
    let waited = run.pass_till_woken();
    assert_eq!(news(&mut run).pop().unwrap()["wanted"], json!([{"unit": "discovery:0", "generation": 2}]));
    run.now -= waited;
    grant(&mut run, "discovery:0", 2);
    hold(&mut run, Some(dispatch("discovery:0", 2)));
    run.no_calls();
    assert!(news(&mut run).is_empty());
    run.pass_till_woken();
    run.no_calls();
    let told = news(&mut run).pop().unwrap();
    assert_eq!((&told["wanted"][0]["generation"], &told["repeats"]), (&json!(2), &json!(true)));
    grant(&mut run, "discovery:0", 2);
    assert_eq!(run.call().ctx("attempt"), &json!(1));
    grant(&mut run, "discovery:0", 2);
    run.no_calls();
}

#[test]
fn a_slot_that_is_in_use_is_kept_when_the_gate_asks() {
    let mut run = limited();
    run.begin_later(|_| {});
    grant(&mut run, "discovery:0", 1);
    run.call();
    news(&mut run);
    for dispatch in [Some(dispatch("discovery:0", 1)), None] {
        hold(&mut run, dispatch);
        assert!(news(&mut run).is_empty());
    }
}

#[test]
fn a_run_that_never_was_gives_everything_back() {
    let mut run = limited();
    grant(&mut run, "discovery:0", 1);
    let [told] = <[Value; 1]>::try_from(news(&mut run)).unwrap();
    assert_eq!((&told["is_over"], &told["run"]), (&json!(true), &json!(id())));
}

#[test]
fn a_cancelled_run_keeps_the_slot_of_the_call_that_the_app_is_at() {
    let (mut run, call) = called();
    news(&mut run);
    run.tell(&Tell::CancelIf { cancellation: "c".to_owned(), condition: None });
    let told = news(&mut run).pop().unwrap();
    assert_eq!(told["in_flight"], json!([{"unit": "discovery:0", "generation": 1}]));
    run.returns(&call, &json!(1));
    let told = news(&mut run).pop().unwrap();
    assert_eq!(told["released"], json!([{"unit": "discovery:0", "generation": 1}]));
}

#[test]
fn after_a_crash_a_later_dispatch_takes_the_slot_over() {
    let mut run = limited();
    run.begin_later(|_| {});
    grant(&mut run, "discovery:0", 1);
    run.call();
    news(&mut run);
    run.crash();
    run.no_calls();
    let told = news(&mut run).pop().unwrap();
    assert_eq!(told["wanted"], json!([{"unit": "discovery:0", "generation": 2}]));
    assert!(told.get("released").is_none() && told.get("is_first").is_none());
    grant(&mut run, "discovery:0", 1);
    run.no_calls();
    grant(&mut run, "discovery:0", 2);
    assert_eq!(run.call().ctx("generation_id"), 2);
    assert_eq!(run.journal(), ["Started", "Began", "Redispatched"]);
}

#[test]
fn an_evicted_run_asks_again_and_calls_once() {
    let (mut run, call) = called();
    news(&mut run);
    run.evict();
    hold(&mut run, None);
    assert!(
        news(&mut run).pop().unwrap().get("repeats").is_none(),
        "an answer to that would have the next ask as well"
    );
    run.evict();
    run.turn(Message::Wake);
    run.no_calls();
    assert!(run.owing, "it may be in flight");
    assert_eq!(news(&mut run).pop().unwrap()["repeats"], true, "whoever woke it may have had no room for the call");
    grant(&mut run, "discovery:0", 1);
    assert_eq!(run.call().id, call.id, "the shell knows it");
}

#[test]
fn what_the_gate_says_of_a_slot_is_news_to_a_run_that_has_forgotten_it() {
    let (mut run, call) = called();
    run.ops(&call, &json!([ran("a", 1)]));
    run.evict();
    news(&mut run);
    let waits = Tell::Holds {
        run: id(),
        dispatch: Some(dispatch("discovery:1", 1)),
        waits: true,
        anew: false,
        at: "slots/x/app-fn".to_owned(),
    };
    run.tell(&waits);
    assert!(!run.owing && news(&mut run).is_empty(), "it is not in flight, and need not be asked for");
    run.evict();
    hold(&mut run, Some(dispatch("discovery:1", 1)));
    assert_eq!(run.call().ctx("generation_id"), &json!(1), "whoever was to make it has forgotten that");
}

#[test]
fn a_call_that_waits_is_asked_for_with_what_other_keys_come_to() {
    let mut run = limited();
    run.begin_later(|_| {});
    news(&mut run);
    for function in run.catalog.functions.values_mut() {
        let flow = json!({"concurrency": {"steps": [{"limit": 1, "scope": "fn", "key": "event.data.n + 1.0"}]}});
        function.flow = serde_json::from_value(flow).unwrap();
    }
    let anew = |unit| Tell::Holds {
        run: id(),
        dispatch: Some(dispatch(unit, 1)),
        waits: true,
        anew: true,
        at: "slots/x/app-fn".to_owned(),
    };
    run.tell(&anew("discovery:0"));
    run.no_calls();
    let wanted = json!({
        "run": id(), "wanted": [{"unit": "discovery:0", "generation": 1}], "rank": 1_700_000_000_000_u64, "is_first": true,
        "keys": {"event.data.n + 1.0": "2"}, "repeats": true
    });
    assert_eq!(news(&mut run), [wanted]);
    run.tell(&anew("step:none"));
    assert_eq!(news(&mut run)[0]["released"], json!([{"unit": "step:none", "generation": 1}]), "there is no such call");
}

#[test]
fn a_request_that_the_server_makes_for_a_step_holds_a_slot() {
    let (mut run, call) = called();
    news(&mut run);
    run.ops(&call, &json!([{"op": "Gateway", "id": "f", "opts": {"url": "https://a.example/", "method": "GET"}}]));
    run.no_calls();
    let told = news(&mut run);
    assert_eq!(told[0]["released"], json!([{"unit": "discovery:0", "generation": 1}]));
    assert_eq!(told[0]["wanted"], json!([{"unit": "step:f", "generation": 1}]));
    grant(&mut run, "step:f", 1);
    let call = run.call();
    assert_eq!(call.kind, CallKind::Fetch);
    let busy = AppAnswer { status: 429, headers: vec![("retry-after".to_owned(), "60".to_owned())], body: Vec::new() };
    run.answer_raw(&call, Ok(busy));
    let told = news(&mut run);
    assert_eq!(told[0]["released"], json!([{"unit": "step:f", "generation": 1}]));
    assert_eq!(told[0].get("not_before"), None, "it is another's server that has too much to do");
}

/// A run rests: what it held it gives back, and what goes on asks anew.
#[test]
fn a_run_that_waits_holds_nothing_and_asks_anew() {
    let wait = json!({"op": "WaitForEvent", "id": "s", "name": "t/x", "opts": {"event": "t/x", "timeout": "1h"}});
    let signal = json!({"op": "WaitForSignal", "id": "s", "name": "go", "opts": {"signal": "go", "timeout": "1h"}});
    let invoke = json!({"op": "InvokeFunction", "id": "s", "opts": {"function_id": "app-fn", "timeout": "1h"}});
    let sleep = json!({"op": "Sleep", "id": "s", "name": "1h"});
    for op in [sleep, wait, signal, invoke] {
        let (mut run, call) = called();
        news(&mut run);
        run.ops(&call, &json!([op]));
        let told = news(&mut run);
        assert_eq!(told[0]["released"], json!([{"unit": "discovery:0", "generation": 1}]), "{op}");
        assert_eq!(told[0].get("wanted"), None);
        run.pass(3_600_000);
        run.no_calls();
        let told = news(&mut run);
        assert_eq!(told[0]["wanted"], json!([{"unit": "discovery:1", "generation": 1}]), "{op}");
        assert_eq!(told[0].get("is_first"), None, "it has begun");
        grant(&mut run, "discovery:1", 1);
        assert_eq!(run.call().ctx("attempt"), &json!(0));
    }
}

#[test]
fn what_a_key_comes_to_is_told_of_the_first_event_of_a_batch_and_nothing_where_it_cannot_be_evaluated() {
    for (key, expected) in
        [("event.data.n", "1"), ("event.data.missing", ""), ("event.data.n == 2.0", ""), ("!event.data.n", "")]
    {
        let mut run = with(json!({"concurrency": {"steps": [{"limit": 1, "scope": "fn", "key": key}]}}));
        run.begin_later(|start| {
            let second = start.events[0].get().replace("\"n\":1", "\"n\":2");
            start.events.push(serde_json::value::RawValue::from_string(second).unwrap());
            start.is_batch = true;
        });
        assert_eq!(news(&mut run)[0]["keys"], json!({key: expected}));
    }
}

#[test]
fn a_question_asks_the_gate_for_nothing() {
    let (mut run, call) = called();
    run.evict();
    news(&mut run);
    assert_eq!(run.status(), "Running");
    assert!(news(&mut run).is_empty());
    assert_eq!(run.wake_at, Some(run.now), "whatever may be due is seen to when it wakes");
    run.turn(Message::Wake);
    assert_eq!(news(&mut run).pop().unwrap()["wanted"], json!([{"unit": "discovery:0", "generation": 1}]));
    run.returns(&call, &json!(1));
}

#[test]
fn two_steps_at_once_want_a_slot_each() {
    let (mut run, call) = called();
    news(&mut run);
    run.ops(&call, &json!([planned("a"), planned("b")]));
    let told = news(&mut run).pop().unwrap();
    assert_eq!(told["wanted"].as_array().unwrap().len(), 2);
    grant(&mut run, "step:b", 1);
    let call = run.call();
    assert_eq!(call.step(), "b");
    run.ops(&call, &json!([ran("b", 1)]));
    assert_eq!(news(&mut run).pop().unwrap()["released"][0]["unit"], "step:b");
}

#[test]
fn the_first_step_of_a_priority_is_so_many_seconds_ahead() {
    for (priority, ahead) in [
        ("120", 120_000),
        ("event.data.n", 1_000),
        ("event.data.n == 1.0 ? -60 : 0", -60_000),
        ("100000", PRIORITY_SECONDS_MAX * 1_000),
        ("-100000", -PRIORITY_SECONDS_MAX * 1_000),
        ("\"soon\"", 0),
        ("event.data.none", 0),
    ] {
        let mut run = with(json!({"priority": priority, "throttle": {"limit": 1, "period": 1_000}}));
        run.begin_later(|_| {});
        assert_eq!(news(&mut run)[0]["rank"], 1_700_000_000_000_i64 - ahead, "{priority}");
    }
}

#[test]
fn a_run_that_waits_too_long_to_begin_is_cancelled_and_one_that_has_begun_is_not() {
    let flow = json!({"timeouts": {"start": 10_000}, "concurrency": {"steps": [{"limit": 1, "scope": "fn"}]}});
    let mut run = with(flow.clone());
    run.begin_later(|_| {});
    assert_eq!(run.pass_till_woken(), 10_001);
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(news(&mut run).pop().unwrap()["is_over"], true);
    grant(&mut run, "discovery:0", 1);
    run.no_calls();

    let mut run = with(flow);
    run.begin_later(|_| {});
    grant(&mut run, "discovery:0", 1);
    assert_eq!(run.wake_at, None);
    run.pass(20_000);
    assert_eq!(run.status(), "Running");
}

#[test]
fn the_time_to_finish_begins_with_the_first_call() {
    let flow = json!({"timeouts": {"finish": 10_000}, "concurrency": {"runs": {"limit": 1, "scope": "fn"}}});
    let mut run = with(flow);
    run.begin_later(|_| {});
    assert_eq!(run.wake_at, None, "it waits, and that is no time of its own");
    run.pass(60_000);
    grant(&mut run, "discovery:0", 1);
    assert_eq!(run.pass_till_woken(), 10_000);
    assert_eq!(run.status(), "Cancelled");
}

#[test]
fn a_paused_function_is_not_called_a_draining_one_is() {
    let (mut run, call) = Driver::started();
    let slug = "app-fn".into();
    run.catalog.functions.get_mut(&slug).unwrap().paused = Some(Pause::Drain);
    run.ops(&call, &json!([ran("a", 0)]));
    let call = run.call();
    run.catalog.functions.get_mut(&slug).unwrap().paused = Some(Pause::Keep);
    run.ops(&call, &json!([ran("b", 1)]));
    run.no_calls();
    assert_eq!(news(&mut run).pop().unwrap()["wanted"][0]["unit"], "discovery:2");
    run.catalog.functions.get_mut(&slug).unwrap().paused = None;
    grant(&mut run, "discovery:2", 1);
    run.call();
}

#[test]
fn an_app_with_too_much_to_do_slows_all_calls_of_its_function() {
    for (status, header, is_told) in [(429, true, true), (503, true, true), (503, false, false), (500, true, false)] {
        let (mut run, call) = called();
        news(&mut run);
        let headers: &[(&str, &str)] = if header { &[("retry-after", "30")] } else { &[] };
        run.answer_with(&call, status, headers, &json!({"message": "busy"}));
        let told = news(&mut run).pop().unwrap();
        let expected = if is_told { json!(run.now + 30_000) } else { Value::Null };
        assert_eq!(told["not_before"], expected, "{status} {header}");
    }
}

#[test]
fn a_run_that_is_turned_away_is_skipped_unless_it_has_begun() {
    let mut run = limited();
    run.begin_later(|_| {});
    news(&mut run);
    run.tell(&Tell::TurnedAway { dispatch: dispatch("discovery:0", 2) });
    assert_eq!(run.status(), "Scheduled", "that is no call of its");
    run.tell(&Tell::TurnedAway { dispatch: dispatch("discovery:0", 1) });
    assert_eq!((run.status().as_str(), run.journal()), ("Skipped", vec!["Started".to_owned(), "Skipped".to_owned()]));
    let told = news(&mut run).pop().unwrap();
    assert_eq!(told["is_over"], true);
    grant(&mut run, "discovery:0", 1);
    run.no_calls();

    let mut run = limited();
    run.begin_later(|_| {});
    grant(&mut run, "discovery:0", 1);
    run.call();
    run.tell(&Tell::TurnedAway { dispatch: dispatch("discovery:0", 1) });
    assert_eq!(run.status(), "Running");
}

/// A run whose call the app is at, cancelled.
fn cancelled_in_flight(evicted: bool) -> (Driver, crate::driver::Call) {
    let (mut run, call) = called();
    news(&mut run);
    if evicted {
        run.evict();
    }
    run.tell(&Tell::CancelIf { cancellation: "c".to_owned(), condition: None });
    let told = news(&mut run).pop().unwrap();
    assert_eq!(told["in_flight"], json!([{"unit": "discovery:0", "generation": 1}]));
    assert!(told.get("released").is_none());
    (run, call)
}

#[test]
fn what_the_app_is_at_keeps_its_slot_whatever_comes_twice_and_whoever_was_evicted() {
    for (evicted, evicted_again) in [(false, false), (true, false), (false, true), (true, true)] {
        let (mut run, call) = cancelled_in_flight(evicted);
        if evicted_again {
            run.evict();
        }
        grant(&mut run, "discovery:0", 1);
        hold(&mut run, Some(dispatch("discovery:0", 1)));
        let told = news(&mut run);
        assert!(told.iter().all(|told| told.get("released").is_none()), "{evicted} {evicted_again}: {told:?}");
        assert_eq!(run.owing, !evicted && !evicted_again, "it owes the gate its slot, as far as it knows");
        run.returns(&call, &json!(1));
        let told = news(&mut run).pop().unwrap();
        assert_eq!(told["released"], json!([{"unit": "discovery:0", "generation": 1}]));
        assert!(!run.owing);
    }
}

#[test]
fn a_slot_of_which_nobody_knows_any_more_is_kept_for_as_long_as_a_call_may_take() {
    let (mut run, _) = cancelled_in_flight(true);
    run.evict();
    run.now += CALL_TIME_MAX.0 - 1;
    hold(&mut run, Some(dispatch("discovery:0", 1)));
    assert!(news(&mut run).iter().all(|told| told.get("released").is_none()));
    run.now += 1;
    hold(&mut run, Some(dispatch("discovery:0", 1)));
    assert_eq!(news(&mut run).pop().unwrap()["released"], json!([{"unit": "discovery:0", "generation": 1}]));
}

#[test]
fn a_run_that_was_evicted_while_it_waited_gives_the_slot_of_its_step_back() {
    let mut run = limited();
    run.begin_later(|_| {});
    run.evict();
    grant(&mut run, "discovery:0", 1);
    let call = run.call();
    news(&mut run);
    run.ops(&call, &json!([ran("a", 1)]));
    assert_eq!(news(&mut run).pop().unwrap()["released"], json!([{"unit": "discovery:0", "generation": 1}]));
}

#[test]
fn a_run_that_is_cancelled_before_it_has_begun_wants_no_slot_that_comes_late() {
    let mut run = limited();
    run.begin_later(|_| {});
    run.evict();
    run.tell(&Tell::CancelIf { cancellation: "c".to_owned(), condition: None });
    assert!(news(&mut run).pop().unwrap().get("in_flight").is_none());
    grant(&mut run, "discovery:0", 1);
    assert_eq!(news(&mut run).pop().unwrap()["released"], json!([{"unit": "discovery:0", "generation": 1}]));
}

#[test]
fn after_a_crash_nothing_is_left_of_what_the_app_was_at() {
    let (mut run, _) = cancelled_in_flight(false);
    run.crash();
    let told = news(&mut run).pop().unwrap();
    assert_eq!((&told["is_over"], told.get("in_flight")), (&json!(true), None));
    assert!(!run.owing);
}

#[test]
fn a_lost_call_of_a_run_that_is_over_gives_its_slot_back() {
    let (mut run, call) = cancelled_in_flight(true);
    run.turn(Message::Lost(vec![call.id]));
    let told = news(&mut run).pop().unwrap();
    assert_eq!(told["released"], json!([{"unit": "discovery:0", "generation": 1}]));
}
