//! Functions that invoke functions.

use crate::driver::{Driver, invoke, raw};
use serde_json::{Value, json};
use stepwell_engine::ids::{EventId, Millis, RunId};
use stepwell_engine::limits::INVOKE_DEPTH_MAX;
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
    for opts in
        [json!({}), json!({"function_id": ""}), json!({"function_id": "f", "payload": {"data": [1]}}), json!([])]
    {
        let (mut run, call) = Driver::started_with(0);
        run.ops(&call, &json!([{"id": "i", "op": "InvokeFunction", "opts": opts, "displayName": "i"}]));
        assert_eq!(run.status(), "Failed", "{opts}");
    }
}
