//! Functions that invoke functions.

use crate::driver::{Driver, invoke, raw};
use serde_json::{Value, json};
use stepwell_engine::ids::{EventId, Millis, RunId, uuid_of};
use stepwell_engine::limits::{EVENT_BYTES_MAX, EVENT_DEPTH_MAX, INVOKE_DEPTH_MAX, NAME_BYTES_MAX};
use stepwell_engine::run::message::{Returned, Tell};

fn invocations(run: &Driver) -> Vec<Value> {
    run.events().into_iter().filter(|event| event["name"] == "inngest/function.invoked").collect()
}

fn returned(step: &str, returned: Returned) -> Tell {
    let run = RunId::derived(EventId::new(Millis(1), 1), &"app-child".into());
    Tell::Returned { step: step.into(), run: Some(run), returned }
}

#[test]
fn an_invocation_is_an_event_that_says_who_waits() {
    let (mut run, call) = Driver::started();
    let payload = json!({"data": {"a": 1, "_inngest": "mine"}, "user": {"u": 1}, "v": "2"});
    run.ops(&call, &json!([invoke("i", "other-child", &payload)]));
    run.no_calls();
    let [event] = <[Value; 1]>::try_from(invocations(&run)).unwrap();
    assert_eq!(event["data"]["a"], 1);
    assert_eq!((&event["user"], &event["v"]), (&json!({"u": 1}), &json!("2")));
    let marker = &event["data"]["_inngest"];
    assert_eq!(marker["fn_id"], "other-child");
    assert_eq!(marker["correlation_id"], format!("{}.i", run.summary()["run_id"].as_str().unwrap()));
    assert_eq!(marker["depth"], 1);
    // The same again after a crash: the same event, by its id.
    let ids: Vec<Value> = sent_ids(&run);
    run.crash();
    assert!(sent_ids(&run).iter().all(|id| *id == ids[0]));
}

fn sent_ids(run: &Driver) -> Vec<Value> {
    run.sends.iter().filter(|(to, _)| to == "Stream").map(|(_, tell)| tell["System"]["id"].clone()).collect()
}

#[test]
fn a_result_and_an_error_come_back_once() {
    let value = Returned::Value(raw(r#"{"child":true}"#));
    let error = Returned::Error(raw(r#"{"error":"E","message":"boom","name":"E","stack":"s"}"#));
    for (returns, memo) in [
        (value, json!({"data": {"child": true}})),
        (error, json!({"error": {"error": "E", "message": "boom", "name": "E", "stack": "s"}})),
    ] {
        let (mut run, call) = Driver::started();
        run.ops(&call, &json!([invoke("i", "app-child", &json!({"data": null}))]));
        run.tell(&returned("i", returns));
        run.tell(&returned("i", Returned::Value(raw("2"))));
        assert_eq!(run.call().body["steps"]["i"], memo);
        assert_eq!(run.journal().len(), 3);
    }
}

#[test]
fn a_callee_that_takes_too_long_is_an_error_that_sdks_know() {
    let (mut run, call) = Driver::started();
    let mut op = invoke("i", "app-child", &json!({"data": {}}));
    op["opts"]["timeout"] = json!("10s");
    run.ops(&call, &json!([op]));
    run.pass(10_000);
    let call = run.call();
    assert_eq!(call.body["steps"]["i"]["error"]["name"], "InngestInvokeTimeoutError");
    run.tell(&returned("i", Returned::Value(raw("2"))));
    run.no_calls();
}

#[test]
fn a_run_tells_its_invoker_how_it_ended() {
    let invoker = RunId::derived(EventId::new(Millis(5), 5), &"app-parent".into());
    let invoked = |depth: u32| {
        let marker = json!({"correlation_id": format!("{invoker}.step"), "fn_id": "app-fn", "depth": depth});
        let event =
            json!({"name": "inngest/function.invoked", "data": {"_inngest": marker}, "id": "x", "ts": 1, "user": {}});
        raw(&event.to_string())
    };
    let answer = |run: &Driver| -> Value {
        let told: Vec<_> = run.sends.iter().filter(|(to, _)| to == "Run").map(|(_, tell)| tell.clone()).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["Returned"]["step"], "step");
        assert_eq!(
            told[0]["Returned"]["run"],
            json!(RunId::derived(EventId::new(Millis(1_700_000_000_000), 7), &"app-fn".into()))
        );
        told[0]["Returned"]["returned"].clone()
    };
    let begin = |depth| {
        let mut run = Driver::idle(0);
        let call = run.begin(|start| {
            start.events = vec![invoked(depth)];
            start.event_name = "inngest/function.invoked".to_owned();
        });
        (run, call)
    };
    let (mut run, call) = begin(1);
    run.returns(&call, &json!(7));
    assert_eq!(answer(&run), json!({"Value": 7}));
    let finished = run.events().remove(0);
    assert_eq!(finished["data"]["correlation_id"], format!("{invoker}.step"));

    let (mut run, call) = begin(1);
    run.throws(&call, &[]);
    let error = answer(&run)["Error"].clone();
    assert_eq!((&error["name"], &error["message"]), (&json!("Error"), &json!("boom")));

    let (mut run, _) = begin(1);
    run.ask(&stepwell_engine::run::message::Ask::Cancel);
    assert_eq!(answer(&run)["Error"]["name"], "InvokedFunctionCancelled");

    // How deep it may go.
    for (depth, allowed) in [(INVOKE_DEPTH_MAX - 1, true), (INVOKE_DEPTH_MAX, false)] {
        let (mut run, call) = begin(depth);
        run.ops(&call, &json!([invoke("i", "app-fn", &json!({"data": {}}))]));
        assert_eq!(invocations(&run).len(), usize::from(allowed));
        if !allowed {
            assert_eq!(run.call().body["steps"]["i"]["error"]["name"], "invoke_too_deep");
        }
    }
}

#[test]
fn an_invocation_that_cannot_be_made_is_a_failed_attempt() {
    let of = |payload: Value| json!({"function_id": "f", "payload": payload});
    let mut nested = json!(1);
    (0..=EVENT_DEPTH_MAX).for_each(|_| nested = json!([nested]));
    for opts in [
        json!({}),
        json!({"function_id": ""}),
        of(json!({"data": [1]})),
        of(json!({"user": 7})),
        of(json!({"meta": "x"})),
        of(json!({"meta": {"sessions": [1]}})),
        of(json!({"data": {"nested": nested}})),
        json!([]),
    ] {
        let (mut run, call) = Driver::started_with(0);
        run.ops(&call, &json!([{"id": "i", "op": "InvokeFunction", "opts": opts, "displayName": "i"}]));
        assert_eq!(run.status(), "Failed", "{opts}");
    }
}

#[test]
fn an_invocation_says_when_it_was_made_by_whom_and_for_how_long() {
    let (mut run, call) = Driver::started();
    run.now += 5;
    let mut op = invoke("i", "other-child", &json!({"meta": {"m": 1}}));
    op["opts"]["timeout"] = json!("10s");
    op["displayName"] = json!("charge");
    op["opts"]["payload"]["meta"]["propagated_sessions"] = json!({"tenant": "7"});
    run.ops(&call, &json!([op]));
    let id = run.summary()["run_id"].as_str().unwrap().to_owned();
    let event_id =
        EventId::derived_of(RunId::parse(&id).unwrap(), Millis(run.now), &format!("inngest/function.invoked/{id}/i"));
    let marker = json!({
        "correlation_id": format!("{id}.i"), "depth": 1, "expire": run.now + 10_000, "fn_id": "other-child", "name": "charge",
        "source_app_id": uuid_of("app"), "source_fn_id": run.summary()["function_id"], "source_fn_v": 1
    });
    let event = json!({
        "data": {"_inngest": marker}, "id": event_id, "meta": {"m": 1, "sessions": {"tenant": "7"}}, "name": "inngest/function.invoked", "ts": run.now,
        "user": {}
    });
    let sent = run.sends.iter().find(|(to, _)| to == "Stream").map(|(_, tell)| tell["System"].clone()).unwrap();
    let system = json!({
        "id": event_id, "seeded": true, "user_id": null, "name": "inngest/function.invoked", "ts": run.now, "event": event
    });
    assert_eq!(sent, system);
}

#[test]
fn an_invocation_lasts_a_year_unless_it_says_otherwise_and_no_longer() {
    let (mut run, call) = Driver::started();
    run.ops(&call, &json!([invoke("i", "other-child", &json!({}))]));
    let expire = run.now + 365 * 24 * 60 * 60 * 1_000;
    assert_eq!(invocations(&run)[0]["data"]["_inngest"]["expire"], json!(expire));
    let (mut run, call) = Driver::started();
    let mut op = invoke("i", "other-child", &json!({}));
    op["opts"]["timeout"] = json!("400d");
    run.ops(&call, &json!([op]));
    assert_eq!((run.status().as_str(), invocations(&run).len()), ("Failed", 0));
}

#[test]
fn an_invocation_keeps_to_the_limits_of_an_event() {
    let invocation = |function: usize, payload: usize| {
        let (mut run, call) = Driver::started_with(0);
        // `{"data":{"x":"…"}}` is seventeen bytes and the text.
        let payload = json!({"data": {"x": "x".repeat(payload - 17)}});
        run.ops(&call, &json!([invoke("i", &"f".repeat(function), &payload)]));
        (run.status(), invocations(&run).len())
    };
    let made = ("Running".to_owned(), 1);
    let refused = ("Failed".to_owned(), 0);
    assert_eq!(invocation(NAME_BYTES_MAX, 20), made);
    assert_eq!(invocation(NAME_BYTES_MAX + 1, 20), refused);
    assert_eq!(invocation(1, EVENT_BYTES_MAX), made);
    assert_eq!(invocation(1, EVENT_BYTES_MAX + 1), refused);
}

#[test]
fn each_event_of_a_batch_that_somebody_waits_for_is_answered() {
    let invoker = |count: u128| RunId::derived(EventId::new(Millis(5), count), &"app-parent".into());
    let event = |marker: Value| {
        let event = json!({"name": "inngest/function.invoked", "data": marker, "id": "x", "ts": 1, "user": {}});
        raw(&event.to_string())
    };
    let waited = |count| event(json!({"_inngest": {"correlation_id": format!("{}.s{count}", invoker(count))}}));
    let mut run = Driver::idle(4);
    let call = run
        .begin(|start| start.events = vec![event(json!({})), waited(1), event(json!({"_inngest": null})), waited(2)]);
    run.returns(&call, &json!(1));
    let answered: Vec<Value> = run.sends.iter().filter_map(|(_, tell)| tell.get("Returned")).cloned().collect();
    assert_eq!(answered.iter().map(|answer| answer["step"].clone()).collect::<Vec<_>>(), ["s1", "s2"]);
    let finished = run.events();
    let places: Vec<Value> = finished.iter().map(|event| event["data"]["correlation_id"].clone()).collect();
    assert_eq!(places, [Value::Null, json!(format!("{}.s1", invoker(1))), json!(format!("{}.s2", invoker(2)))]);
    let id = run.summary()["run_id"].as_str().unwrap().to_owned();
    let own = RunId::parse(&id).unwrap();
    let cause = |end: &str| EventId::derived_of(own, Millis(run.now), &format!("inngest/function.finished/{id}{end}"));
    let ids: Vec<Value> = finished.iter().map(|event| event["id"].clone()).collect();
    assert_eq!(ids, [json!(cause("")), json!(cause("/1")), json!(cause("/3"))]);
    assert_eq!(finished[2]["data"]["event"], serde_json::from_str::<Value>(waited(2).get()).unwrap());
}

#[test]
fn only_an_invocation_names_who_waits() {
    let invoker = RunId::derived(EventId::new(Millis(5), 5), &"app-parent".into());
    let answers = |name: &str, correlation: &str| {
        let marker = json!({"correlation_id": correlation, "fn_id": "app-fn"});
        let event = json!({"name": name, "data": {"_inngest": marker}, "id": "x", "ts": 1, "user": {}});
        let mut run = Driver::idle(4);
        let call = run.begin(|start| start.events = vec![raw(&event.to_string())]);
        run.returns(&call, &json!(1));
        run.sends.iter().filter(|(_, tell)| tell.get("Returned").is_some()).count()
    };
    assert_eq!(answers("inngest/function.invoked", &format!("{invoker}.s")), 1);
    assert_eq!(answers("t/go", &format!("{invoker}.s")), 0);
    assert_eq!(answers("inngest/function.invoked", "nonsense.s"), 0);
    assert_eq!(answers("inngest/function.invoked", &invoker.to_string()), 0);
}
