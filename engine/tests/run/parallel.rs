//! Parallel steps: planning, de-duplication, coalescing, race mode (PROTOCOL §5).

use crate::driver::{Call, Driver, invoke, planned, racing, ran, raw, sleep, wait_for, wait_for_signal};
use serde_json::{Value, json};
use stepwell_engine::ids::{EventId, Millis};
use stepwell_engine::run::message::{Returned, Tell};
use stepwell_engine::turn::CallKind;
use stepwell_engine::waits::message::Waiter;

fn step<'a>(calls: &'a [Call], id: &str) -> &'a Call {
    calls.iter().find(|call| call.step() == id).unwrap_or_else(|| panic!("no call for {id}: {calls:#?}"))
}

#[test]
fn fan_out_calls_each_step_and_fan_in_asks_once() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([planned("p1"), planned("p2"), sleep("ps", "1s"), planned("p3")]));
    let calls = run.calls();
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call.ctx("disable_immediate_execution") == true));
    for id in ["p3", "p2"] {
        run.ops(step(&calls, id), &json!([ran(id, id)]));
        run.no_calls();
    }
    run.ops(step(&calls, "p1"), &json!([ran("p1", 1)]));
    let call = run.call();
    assert_eq!((call.stack(), &call.ctx("stack")["current"]), (vec!["p3", "p2", "p1"], &json!(3)));
    run.ops(&call, &json!([sleep("ps", "1s")]));
    run.no_calls();
    run.pass_till_woken();
    let call = run.call();
    assert_eq!(call.stack(), ["p3", "p2", "p1", "ps"]);
    assert_eq!(call.ctx("stack")["current"], 4);
    assert_eq!(call.body["steps"]["ps"], json!(null));
    assert_eq!(call.ctx("disable_immediate_execution"), false);
    run.ops(&call, &json!([ran("after", 1)]));
    assert_eq!(run.call().ctx("disable_immediate_execution"), false);
}

/// Ends what lasts.
type Ends = Box<dyn Fn(&mut Driver)>;

/// What lasts, each as the driver ends it.
fn lasting() -> Vec<(&'static str, Value, Ends)> {
    let event = EventId::new(Millis(1_700_000_000_500), 9);
    let went = |run: &mut Driver| {
        run.pass_till_woken();
    };
    let came = move |run: &mut Driver| {
        let (step, received_at) = ("l".into(), Millis(1_700_000_000_500));
        run.tell(&Tell::Resumed { step, id: event, received_at, event: raw(r#"{"name":"t/w","data":{}}"#) });
    };
    let signalled = |run: &mut Driver| {
        let (waiter, data) = (Waiter::Step("l".into()), raw("1"));
        run.tell(&Tell::Signalled { waiter, signal: "go".to_owned(), data });
    };
    let returned = |run: &mut Driver| {
        let returned = Returned::Value(raw("1"));
        run.tell(&Tell::Returned { step: "l".into(), run: None, returned });
    };
    vec![
        ("a sleep", sleep("l", "1h"), Box::new(went)),
        ("a wait", wait_for("l", "t/w", None, "1h"), Box::new(came)),
        ("a wait in vain", wait_for("l", "t/w", None, "1h"), Box::new(went)),
        ("a signal", wait_for_signal("l", "go", "fail"), Box::new(signalled)),
        ("an invocation", invoke("l", "app-child", &json!({"data": {}})), Box::new(returned)),
    ]
}

#[test]
fn a_chain_beside_what_lasts_goes_on_meanwhile() {
    for version in ["1", "2"] {
        for (what, op, end) in lasting() {
            let (mut run, call) = Driver::started();
            run.ops_of(version, &call, &json!([op, planned("a")]));
            let call = run.call();
            assert_eq!(call.step(), "a", "{what}");
            run.ops_of(version, &call, &json!([ran("a", 1)]));
            let call = run.call();
            assert_eq!((call.step(), call.stack()), ("step", vec!["a"]), "{what} is not over");
            run.ops_of(version, &call, &json!([op, planned("b")]));
            let call = run.call();
            assert_eq!((call.step(), run.status().as_str()), ("b", "Running"), "{what}");
            run.ops_of(version, &call, &json!([ran("b", 2)]));
            let call = run.call();
            assert_eq!(call.stack(), ["a", "b"], "{what}");
            run.ops_of(version, &call, &json!([op]));
            run.no_calls();
            end(&mut run);
            let call = run.call();
            assert_eq!(call.stack(), ["a", "b", "l"], "{what}");
            assert_eq!(call.ctx("disable_immediate_execution"), version == "1", "nothing else is under way");
            run.returns(&call, &json!("all"));
            assert_eq!(run.summary()["output"], "all");
        }
    }
}

#[test]
fn what_lasted_goes_on_though_a_planned_step_is_under_way() {
    for (what, op, end) in lasting() {
        let (mut run, call) = Driver::started();
        run.ops(&call, &json!([op, planned("long")]));
        let long = run.call();
        end(&mut run);
        let call = run.call();
        assert_eq!((call.step(), call.stack()), ("step", vec!["l"]), "{what}");
        assert_eq!(call.ctx("disable_immediate_execution"), true, "no step may run twice");
        run.ops(&call, &json!([planned("long"), planned("next")]));
        let next = run.call();
        assert_eq!(next.step(), "next", "{what}");
        run.ops(&next, &json!([ran("next", 1)]));
        run.no_calls();
        run.ops(&long, &json!([ran("long", 2)]));
        assert_eq!(run.call().stack(), ["l", "next", "long"], "planned steps are awaited together: {what}");
    }
}

#[test]
fn a_chain_beside_a_request_of_the_server_goes_on_meanwhile() {
    let fetch = json!({"id": "f", "op": "Gateway", "opts": {"url": "http://127.0.0.1:9/", "method": "GET"}});
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([fetch, planned("a")]));
    let calls = run.calls();
    let a = calls.iter().find(|call| call.kind == CallKind::App).expect("a call to the app");
    assert_eq!((a.step(), calls.len()), ("a", 2));
    run.ops(a, &json!([ran("a", 1)]));
    let call = run.call();
    assert_eq!(call.stack(), ["a"]);
    assert_eq!(call.ctx("disable_immediate_execution"), true);
    run.ops(&call, &json!([fetch, planned("b")]));
    assert_eq!(run.call().step(), "b");
}

#[test]
fn nothing_is_run_at_once_while_anything_is_at_rest() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([sleep("s", "1h"), planned("a")]));
    let call = run.call();
    run.ops(&call, &json!([ran("a", 1)]));
    // The sleep may end while the app is at this: what it ran at once, the discovery of then would plan again.
    let early = run.call();
    assert_eq!(early.ctx("disable_immediate_execution"), true);
    run.pass_till_woken();
    let late = run.call();
    assert_eq!(late.ctx("disable_immediate_execution"), true);
    run.ops(&late, &json!([planned("b")]));
    let b = run.call();
    run.ops(&early, &json!([sleep("s", "1h"), planned("b")]));
    run.no_calls();
    run.ops(&b, &json!([ran("b", 2)]));
    assert_eq!(run.call().stack(), ["a", "s", "b"]);
}

#[test]
fn a_planned_step_that_comes_to_rest_is_awaited_as_it_was() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([planned("p"), planned("q")]));
    let calls = run.calls();
    run.ops(step(&calls, "p"), &json!([sleep("p", "1h")]));
    run.ops(step(&calls, "q"), &json!([ran("q", 1)]));
    run.no_calls();
    run.pass_till_woken();
    assert_eq!(run.call().stack(), ["q", "p"]);
}

#[test]
fn an_sdk_that_does_not_coalesce_is_asked_after_every_step() {
    let (mut run, call) = Driver::started();
    run.ops_of("1", &call, &json!([planned("p1"), planned("p2")]));
    let calls = run.calls();
    run.ops_of("1", step(&calls, "p2"), &json!([ran("p2", 2)]));
    let first = run.call();
    assert_eq!((first.stack(), &first.ctx("stack")["current"]), (vec!["p2"], &json!(1)));
    run.ops_of("1", step(&calls, "p1"), &json!([ran("p1", 1)]));
    let second = run.call();
    assert_eq!((second.stack(), &second.ctx("stack")["current"]), (vec!["p2", "p1"], &json!(2)));
    run.ops_of("1", &first, &json!([planned("after")]));
    let after = run.call();
    run.ops_of("1", &second, &json!([planned("after")]));
    run.no_calls();
    run.ops_of("1", &after, &json!([ran("after", 3)]));
    let last = run.call();
    assert_eq!(last.ctx("disable_immediate_execution"), true, "version 1 keeps planning once it was parallel");
    run.returns(&last, &json!(null));
    assert_eq!(run.status(), "Completed");
}

#[test]
fn a_step_that_is_reported_again_is_not_called_again() {
    let (mut run, call) = Driver::started();
    run.ops_of("1", &call, &json!([planned("p1"), planned("p2")]));
    let calls = run.calls();
    run.ops_of("1", step(&calls, "p1"), &json!([ran("p1", 1)]));
    let discovery = run.call();
    run.ops_of("1", &discovery, &json!([planned("p2"), planned("q")]));
    assert_eq!(run.call().step(), "q");
}

#[test]
fn a_sleep_that_is_reported_again_is_neither_restarted_nor_extended() {
    let (mut run, call) = Driver::started();
    run.ops_of("1", &call, &json!([planned("p1"), sleep("s", "10s")]));
    let wake_at = run.wake_at;
    run.pass(4_000);
    let call = run.call();
    run.ops_of("1", &call, &json!([ran("p1", 1)]));
    let call = run.call();
    run.ops_of("1", &call, &json!([sleep("s", "10s")]));
    assert_eq!(run.wake_at, wake_at);
    run.pass_till_woken();
    assert_eq!(run.call().stack(), ["p1", "s"]);
}

#[test]
fn in_race_mode_the_winner_goes_on_at_once() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([racing("r1"), racing("r2")]));
    let calls = run.calls();
    run.ops(step(&calls, "r2"), &json!([ran("r2", 2)]));
    let discovery = run.call();
    assert_eq!(discovery.stack(), ["r2"]);
    assert_eq!(discovery.ctx("disable_immediate_execution"), true, "r1 still runs: nothing may run twice");
    run.ops(&discovery, &json!([racing("r1"), planned("after")]));
    let after = run.call();
    assert_eq!(after.step(), "after");
    run.ops(&after, &json!([ran("after", 3)]));
    let last = run.call();
    run.returns(&last, &json!("won"));
    assert_eq!(run.status(), "Completed");
    run.ops(step(&calls, "r1"), &json!([ran("r1", 1)]));
    run.no_calls();
    assert_eq!(run.summary()["output"], "won");
}

#[test]
fn without_race_mode_a_coalescing_run_waits_for_the_loser() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([planned("r1"), planned("r2")]));
    let calls = run.calls();
    run.ops(step(&calls, "r2"), &json!([ran("r2", 2)]));
    run.no_calls();
    run.ops(step(&calls, "r1"), &json!([ran("r1", 1)]));
    assert_eq!(run.call().stack(), ["r2", "r1"]);
}

#[test]
fn two_discoveries_may_both_return_and_the_first_wins() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([racing("r1"), racing("r2")]));
    let calls = run.calls();
    run.ops(step(&calls, "r1"), &json!([ran("r1", 1)]));
    let first = run.call();
    run.ops(step(&calls, "r2"), &json!([ran("r2", 2)]));
    let second = run.call();
    run.returns(&second, &json!("second"));
    run.returns(&first, &json!("first"));
    assert_eq!(run.summary()["output"], "second");
    assert_eq!(run.events().len(), 1, "one finished event");
}

#[test]
fn nested_parallel_steps_after_a_step() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("first", 1)]));
    let call = run.call();
    run.ops(&call, &json!([planned("x"), planned("y")]));
    for call in run.calls() {
        let id = call.step().to_owned();
        run.ops(&call, &json!([ran(&id, 1)]));
    }
    let call = run.call();
    run.ops(&call, &json!([planned("x2"), planned("y2")]));
    assert_eq!(run.calls().len(), 2);
}

#[test]
fn a_targeted_answer_about_something_else_is_a_failed_attempt() {
    let (mut run, call) = Driver::started_with(1);
    run.ops(&call, &json!([planned("p1"), planned("p2")]));
    let calls = run.calls();
    run.ops(step(&calls, "p1"), &json!([planned("other")]));
    run.no_calls();
    run.pass_till_woken();
    let again = run.call();
    assert_eq!((again.step(), again.ctx("attempt")), ("p1", &json!(1)));
    run.ops(&again, &json!([]));
    assert_eq!(run.summary()["output"]["name"], "answer_invalid");
    assert_eq!(run.status(), "Failed");
}

#[test]
fn an_answer_that_asks_for_nothing_does_not_loop() {
    let (mut run, call) = Driver::started_with(1);
    run.ops(&call, &json!([]));
    run.no_calls();
    assert_eq!(run.pass_till_woken(), 1_000);
    let call = run.call();
    run.ops(&call, &json!([{"op": "None"}]));
    assert_eq!(run.summary()["output"]["name"], "answer_empty");
}

#[test]
fn re_planning_a_finished_step_does_not_strand_the_run() {
    let (mut run, call) = Driver::started_with(0);
    run.ops(&call, &json!([ran("a", 1)]));
    let call = run.call();
    run.ops(&call, &json!([planned("a")]));
    assert_eq!(run.status(), "Failed");
}

#[test]
fn a_discovery_request_is_followed_by_a_discovery() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1), {"id": "d", "op": "DiscoveryRequest"}]));
    assert_eq!(run.call().stack(), ["a"]);
}

#[test]
fn two_sleeps_that_end_together_end_in_the_order_of_their_times() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([sleep("b", "1s"), sleep("a", "2s")]));
    run.no_calls();
    run.pass(5_000);
    assert_eq!(run.call().stack(), ["b", "a"]);
}

#[test]
fn after_parallel_sleeps_steps_run_immediately_again() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([sleep("a", "1s"), sleep("b", "1s")]));
    run.pass(1_000);
    assert_eq!(run.call().ctx("disable_immediate_execution"), false);
}

#[test]
fn only_planned_steps_are_awaited_together() {
    // Two sleeps found at once end each for itself: nothing was planned that could coalesce with them.
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([sleep("a", "1s"), sleep("b", "2s")]));
    run.pass_till_woken();
    assert_eq!(run.call().stack(), ["a"]);
}

#[test]
fn one_planned_step_beside_what_was_done_is_not_parallel() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1), planned("p")]));
    let calls = run.calls();
    assert_eq!(calls.iter().map(Call::step).collect::<Vec<_>>(), ["step", "p"]);
    run.ops(step(&calls, "step"), &json!([planned("p")]));
    run.no_calls();
    run.ops(step(&calls, "p"), &json!([ran("p", 1)]));
    assert_eq!(run.call().ctx("disable_immediate_execution"), false);
}

#[test]
fn what_is_done_or_races_is_not_awaited() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1)]));
    let call = run.call();
    // `a` is done, `r` races: only `p` and `q` are waited for.
    run.ops(&call, &json!([planned("a"), racing("r"), planned("p"), planned("q")]));
    let calls = run.calls();
    assert_eq!(calls.iter().map(Call::step).collect::<Vec<_>>(), ["p", "q", "r"]);
    run.ops(step(&calls, "p"), &json!([ran("p", 1)]));
    run.no_calls();
    run.ops(step(&calls, "q"), &json!([ran("q", 1)]));
    assert_eq!(run.call().stack(), ["a", "p", "q"]);
    run.ops(step(&calls, "r"), &json!([ran("r", 1)]));
    assert_eq!(run.call().stack(), ["a", "p", "q", "r"]);
}

#[test]
fn an_sdk_that_does_not_coalesce_awaits_nothing_also_where_a_later_version_takes_over() {
    let (mut run, call) = Driver::started();
    run.ops_of("1", &call, &json!([planned("p"), planned("q")]));
    let calls = run.calls();
    run.ops_of("2", step(&calls, "p"), &json!([ran("p", 1)]));
    assert_eq!(run.call().stack(), ["p"]);
}

#[test]
fn a_request_for_a_discovery_is_made_though_others_are_awaited() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([planned("p"), planned("q"), {"id": "d", "op": "DiscoveryRequest"}]));
    let calls = run.calls();
    assert_eq!(calls.iter().map(Call::step).collect::<Vec<_>>(), ["step", "p", "q"]);
}

#[test]
fn a_step_that_is_done_and_rests_or_runs_again_is_left_as_it_is() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1)]));
    let call = run.call();
    run.ops(&call, &json!([sleep("a", "1s"), sleep("b", "2s")]));
    assert_eq!(run.pass_till_woken(), 2_000, "`a` does not sleep");
    assert_eq!(run.call().body["steps"], json!({"a": {"data": 1}, "b": null}));
}

#[test]
fn a_unit_is_caused_by_the_step_that_ended_before_it() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1), ran("b", 1), planned("p"), planned("q")]));
    let current: Vec<_> = run.calls().iter().map(|call| call.ctx("stack")["current"].clone()).collect();
    assert_eq!(current, [2, 2]);
}

#[test]
fn an_answer_beside_others_that_asks_for_nothing_new_waits_for_them() {
    let (mut run, call) = Driver::started();
    run.ops_of("1", &call, &json!([planned("p"), sleep("s", "1h")]));
    let calls = run.calls();
    run.ops_of("1", step(&calls, "p"), &json!([ran("p", 1)]));
    let call = run.call();
    for nothing in [json!([]), json!([planned("p")])] {
        run.ops_of("1", &call, &nothing);
        assert_eq!(run.status(), "Running");
        run.no_calls();
    }
    run.pass_till_woken();
    assert_eq!(run.call().stack(), ["p", "s"]);
}

#[test]
fn whatever_is_new_moves_a_run_and_what_is_done_does_not() {
    let again = [
        planned("a"),
        sleep("a", "1s"),
        crate::driver::wait_for("a", "t/w", None, "1h"),
        crate::driver::wait_for_signal("a", "go", "fail"),
        crate::driver::invoke("a", "app-child", &json!({"data": {}})),
    ];
    for op in again {
        let (mut run, call) = Driver::started_with(0);
        run.ops(&call, &json!([ran("a", 1)]));
        let call = run.call();
        run.ops(&call, &json!([op]));
        assert_eq!(run.summary()["output"]["name"], "answer_empty", "{op}");
    }
}

#[test]
fn a_targeted_answer_about_another_step_that_ran_is_a_failed_attempt() {
    let (mut run, call) = Driver::started_with(1);
    run.ops(&call, &json!([planned("p1"), planned("p2")]));
    let calls = run.calls();
    run.ops(step(&calls, "p1"), &json!([ran("other", 1)]));
    run.no_calls();
    run.pass_till_woken();
    assert_eq!(run.call().step(), "p1");
}

#[test]
fn of_two_ops_about_one_step_the_last_counts() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([ran("a", 1), ran("a", 2)]));
    assert_eq!(run.call().body["steps"], json!({"a": {"data": 2}}));
}

#[test]
fn one_racing_step_among_those_that_end_together_goes_on_at_once() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([racing("r"), planned("s"), planned("p")]));
    let calls = run.calls();
    run.ops(step(&calls, "r"), &json!([sleep("r", "5s")]));
    run.ops(step(&calls, "s"), &json!([sleep("s", "5s")]));
    run.no_calls();
    run.pass(5_000);
    let call = run.call();
    assert_eq!((call.step(), call.stack().len()), ("step", 2), "though p is under way");
}

#[test]
fn a_discovery_that_finds_nothing_waits_for_what_is_under_way() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([racing("a"), racing("b")]));
    let calls = run.calls();
    run.ops(step(&calls, "a"), &json!([ran("a", 1)]));
    let discovery = run.call();
    run.ops(&discovery, &json!([]));
    run.no_calls();
    assert_eq!((run.wake_at, run.status().as_str()), (None, "Running"), "it is no failed attempt");
    run.ops(step(&calls, "b"), &json!([ran("b", 1)]));
    assert_eq!(run.call().step(), "step");
}

#[test]
fn a_sleep_that_lost_a_race_holds_up_nothing() {
    let (mut run, call) = Driver::started();
    let mut nap = sleep("nap", "1h");
    nap["opts"] = json!({"parallelMode": "race"});
    run.ops(&call, &json!([racing("a"), nap]));
    let call = run.call();
    run.ops(&call, &json!([ran("a", 1)]));
    let call = run.call();
    run.ops(&call, &json!([nap, planned("b"), planned("c")]));
    for call in run.calls() {
        let step = call.step().to_owned();
        run.ops(&call, &json!([ran(&step, 1)]));
    }
    let call = run.call();
    assert_eq!((call.step(), call.stack()), ("step", vec!["a", "b", "c"]), "the nap is not over");
}
