//! What stops a run.

use crate::driver::{Driver, ran, raw, sleep};
use serde_json::{Value, json};
use stepwell_engine::catalog::Pause;
use stepwell_engine::ids::{EventId, Millis};
use stepwell_engine::limits::WAIT_TIME_DEFAULT;
use stepwell_engine::run::message::{Ask, Tell};
use stepwell_engine::waits::message::Waiter;

/// A run of a function with this flow control.
fn with(flow: &Value) -> Driver {
    let mut run = Driver::idle(4);
    for function in run.catalog.functions.values_mut() {
        function.flow = serde_json::from_value(flow.clone()).unwrap();
    }
    run
}

fn by(run: &Driver) -> Value {
    let last: Value = serde_json::from_slice(run.rows.values().last().unwrap()).unwrap();
    last["entry"]["Cancelled"]["by"].clone()
}

#[test]
fn events_of_cancel_on_are_watched_from_the_trigger_on_until_the_end() {
    let mut run = with(&json!({"cancel": [
        {"event": "t/stop", "if": "event.data.n == async.data.n"},
        {"event": "t/halt", "until": {"After": 60_000}},
        {"event": "t/past", "until": {"At": 1}},
    ]}));
    let call = run.begin(|start| start.received_at = Some(Millis(1_699_999_999_990)));
    let registers: Vec<Value> = run.sends.iter().filter_map(|(_, tell)| tell.get("Register")).cloned().collect();
    assert_eq!(registers.len(), 2, "what is over already is not watched");
    assert_eq!(registers[0]["since"]["at"], 1_699_999_999_990_u64);
    assert_eq!(registers[0]["own"], json!({"data": {"n": 1}}));
    assert_eq!(registers[1]["expires_at"], run.now + 60_000);
    run.evict();
    let event = EventId::new(Millis(run.now), 3);
    run.tell(&Tell::CancelledBy { event });
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(by(&run), json!({"Event": event}));
    let removed = run.sends.iter().filter(|(_, tell)| tell.get("Remove").is_some()).count();
    assert_eq!(removed, 2);
    // What is in flight comes to nothing, and neither does another event.
    run.returns(&call, &json!(1));
    run.tell(&Tell::CancelledBy { event });
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(run.journal(), ["Started", "Cancelled"]);
    let events: Vec<Value> = run.events().into_iter().map(|event| event["name"].clone()).collect();
    assert_eq!(events, ["inngest/function.finished", "inngest/function.cancelled"]);
}

#[test]
fn a_run_that_begins_too_late_is_never_called() {
    for (late, cancelled) in [(10_000, false), (10_001, true)] {
        let mut run = with(&json!({"timeouts": {"start": 10_000}}));
        let received_at = run.now - late;
        run.begin_later(|start| start.received_at = Some(Millis(received_at)));
        assert_eq!(run.status() == "Cancelled", cancelled, "{late}");
        assert_eq!(run.calls().is_empty(), cancelled);
    }
    // What a gate has held back is as late as it is behind that gate.
    for (late, cancelled) in [(10_000, false), (10_001, true)] {
        let mut run = with(&json!({"timeouts": {"start": 10_000}}));
        let now = run.now;
        run.begin_later(|start| {
            start.received_at = Some(Millis(now - 60_000));
            start.admitted_at = Some(Millis(now - late));
        });
        assert_eq!(run.status() == "Cancelled", cancelled, "{late}");
    }
    // An event of the future is not late because of that.
    let mut run = with(&json!({"timeouts": {"start": 10_000}}));
    let received_at = run.now - 60_000;
    let not_before = run.now - 10;
    run.begin(|start| {
        start.received_at = Some(Millis(received_at));
        start.not_before = Some(Millis(not_before));
    });
}

#[test]
fn a_run_that_the_app_is_at_has_begun_whatever_its_function_waits_for_since() {
    let gated = json!({"timeouts": {"start": 10_000}, "concurrency": {"steps": [{"limit": 1, "scope": "fn"}]}});
    for paused in [true, false] {
        let mut run = with(&json!({"timeouts": {"start": 10_000}}));
        let call = run.begin(|_| {});
        for function in run.catalog.functions.values_mut() {
            if paused {
                function.paused = Some(Pause::Keep);
            } else {
                function.flow = serde_json::from_value(gated.clone()).unwrap();
            }
        }
        run.now += 20_000;
        run.ops(&call, &json!([ran("a", 1)]));
        assert_eq!(run.status(), "Running", "{paused}");
    }
}

#[test]
fn a_changed_timeout_holds_for_runs_under_way() {
    let finish = |run: &mut Driver, span: u64| {
        for function in run.catalog.functions.values_mut() {
            function.flow = serde_json::from_value(json!({"timeouts": {"finish": span}})).unwrap();
        }
    };
    let mut run = with(&json!({"timeouts": {"finish": 30_000}}));
    let call = run.begin(|_| {});
    run.ops(&call, &json!([sleep("s", "1h")]));
    finish(&mut run, 60_000);
    let began = run.now;
    run.pass(30_000);
    assert_eq!((run.status().as_str(), run.wake_at), ("Running", Some(began + 60_000)), "it has more time");
    finish(&mut run, 20_000);
    run.turn(stepwell_engine::turn::Message::Wake);
    assert_eq!(by(&run), "FinishTimeout", "it has less");
}

#[test]
fn a_run_that_has_not_ended_in_time_is_cancelled() {
    let mut run = with(&json!({"timeouts": {"finish": 30_000}}));
    let call = run.begin(|_| {});
    run.ops(&call, &json!([sleep("s", "1h")]));
    assert_eq!(run.wake_at, Some(run.now + 30_000));
    run.pass(29_999);
    assert_eq!(run.status(), "Running");
    run.now += 1;
    run.turn(stepwell_engine::turn::Message::Wake);
    assert_eq!(run.status(), "Cancelled");
    assert_eq!(by(&run), "FinishTimeout");
    assert_eq!(run.wake_at, None);
}

#[test]
fn an_answer_that_comes_after_the_time_does_not_turn_the_status_back() {
    let mut run = with(&json!({"timeouts": {"finish": 1_000}}));
    let call = run.begin(|_| {});
    run.now += 2_000;
    run.returns(&call, &json!(1));
    assert_eq!(run.status(), "Cancelled");
}

#[test]
fn a_checkpoint_that_comes_after_the_time_saves_nothing() {
    let mut run = with(&json!({"timeouts": {"finish": 1_000}}));
    let call = run.begin(|_| {});
    run.now += 999;
    assert_eq!(run.checkpoint(&call, &json!([ran("a", 1)])), json!({"Ok": null}));
    run.now += 1;
    assert_eq!(run.checkpoint(&call, &json!([ran("b", 1)]))["Err"]["code"], "checkpoint_stale");
    assert_eq!(run.journal(), ["Started", "Checkpointed", "Cancelled"]);
    assert_eq!(by(&run), "FinishTimeout");
}

#[test]
fn a_timeout_that_a_deploy_took_away_stops_nobody() {
    let mut run = with(&json!({"timeouts": {"finish": 1_000}}));
    let call = run.begin(|_| {});
    for function in run.catalog.functions.values_mut() {
        function.flow = Default::default();
    }
    run.now += 2_000;
    run.returns(&call, &json!(1));
    assert_eq!(run.status(), "Completed");
}

#[test]
fn a_run_of_a_batch_and_a_watch_that_cannot_be_kept_are_not_watched() {
    let cancel = json!({"cancel": [
        {"event": "t/blank", "if": "  "},
        {"event": "t/broken", "if": "async.data ==="},
        {"event": "t/now", "until": {"At": 1_700_000_000_000_u64}},
        {"event": "t/soon", "until": {"At": 1_700_000_000_001_u64}},
    ]});
    let watched = |run: &Driver| -> Vec<Value> {
        run.sends.iter().filter_map(|(_, tell)| tell.get("Register")).map(|told| told["event"].clone()).collect()
    };
    let mut run = with(&cancel);
    run.begin(|_| {});
    assert_eq!(watched(&run), ["t/blank", "t/soon"]);
    let blank = run.sends.iter().find_map(|(_, tell)| tell.get("Register")).unwrap();
    assert!(blank.get("expression").is_none(), "it holds for every event: {blank}");
    assert_eq!(blank["expires_at"], json!(run.now + WAIT_TIME_DEFAULT.0));

    let mut batch = with(&cancel);
    batch.begin(|start| start.events.push(start.events[0].clone()));
    assert!(watched(&batch).is_empty(), "there is no one event to compare with");
}

#[test]
fn a_watch_counts_events_from_the_one_that_started_the_run_or_from_its_beginning() {
    for (received_at, since) in [(Some(5), 5), (None, 1_700_000_000_000_u64)] {
        let mut run = with(&json!({"cancel": [{"event": "t/stop"}]}));
        run.begin(|start| start.received_at = received_at.map(Millis));
        let register = run.sends.iter().find_map(|(_, tell)| tell.get("Register")).unwrap();
        let first = json!(EventId::new(Millis(1_700_000_000_000), 7));
        assert_eq!(register["since"], json!({"at": since, "after": first}));
        assert_eq!((&register["taken"], &register["wait"]["waiter"]), (&json!([first]), &json!({"Cancel": 0})));
    }
}

#[test]
fn a_watch_that_is_written_down_after_the_run_is_over_or_that_it_never_had_is_removed() {
    let mut run = with(&json!({"cancel": [{"event": "t/stop"}]}));
    let call = run.begin(|_| {});
    let registered = |run: &mut Driver, place| {
        run.sends.clear();
        run.tell(&Tell::Registered { waiter: Waiter::Cancel(place), at: "there".to_owned() });
        run.sends.iter().filter(|(_, tell)| tell.get("Remove").is_some()).count()
    };
    assert_eq!([registered(&mut run, 0), registered(&mut run, 1)], [0, 1]);
    run.returns(&call, &json!(1));
    assert_eq!(registered(&mut run, 0), 1);
}

#[test]
fn a_watch_that_cannot_be_kept_fails_the_run_unless_it_is_over() {
    let refused = || {
        let problem = serde_json::from_value(json!({"name": "wait_routes_exceeded", "message": "m"})).unwrap();
        Tell::Refused { waiter: Waiter::Cancel(0), problem }
    };
    let mut run = with(&json!({"cancel": [{"event": "t/stop"}]}));
    run.begin(|_| {});
    run.tell(&refused());
    assert_eq!((run.status().as_str(), &run.summary()["output"]["message"]), ("Failed", &json!("m")));
    run.tell(&refused());
    assert_eq!(run.journal(), ["Started", "GivenUp"]);
    // A run has no watch that a signal could end.
    run.tell(&Tell::Signalled { waiter: Waiter::Cancel(0), signal: "s".to_owned(), data: raw("1") });
    assert_eq!(run.journal(), ["Started", "GivenUp"]);
}

#[test]
fn a_bulk_cancellation_stops_the_runs_that_it_is_about() {
    for (condition, stopped) in [
        (None, true),
        (Some("event.data.n == 1"), true),
        (Some("event.data.n == 2"), false),
        (Some("event.data"), false),
    ] {
        let mut run = Driver::idle(4);
        run.begin(|_| {});
        let condition = condition.map(str::to_owned);
        run.tell(&Tell::CancelIf { cancellation: "c1".to_owned(), condition: condition.clone() });
        assert_eq!(run.status() == "Cancelled", stopped, "{condition:?}");
        if stopped {
            assert_eq!(by(&run), json!({"Bulk": "c1"}));
        }
    }
}

#[test]
fn the_time_that_a_run_has_counts_from_when_it_could_first_be_called() {
    let mut run = with(&json!({"timeouts": {"finish": 30_000}}));
    let began = run.now;
    run.begin_later(|start| start.not_before = Some(Millis(began + 60_000)));
    assert_eq!(run.pass_till_woken(), 60_000);
    run.call();
    assert_eq!(run.wake_at, Some(began + 60_000 + 30_000));
    // What was to begin in the past begins now.
    let mut run = with(&json!({"timeouts": {"finish": 30_000}}));
    run.begin(|start| start.not_before = Some(Millis(began - 5_000)));
    assert_eq!(run.wake_at, Some(began + 30_000));
}

#[test]
fn a_request_to_stop_a_run_says_who_asked() {
    let mut run = with(&json!({}));
    run.begin(|_| {});
    run.ask(&Ask::Cancel);
    assert_eq!(by(&run), "Request");
}

#[test]
fn a_run_that_has_begun_late_says_so_and_watches_nothing() {
    let mut run = with(&json!({"timeouts": {"start": 10_000}, "cancel": [{"event": "t/stop"}]}));
    let received_at = run.now - 10_001;
    run.begin_later(|start| start.received_at = Some(Millis(received_at)));
    assert_eq!(by(&run), "StartTimeout");
    assert!(run.sends.iter().all(|(_, tell)| tell.get("Register").is_none()));
}
