//! Requests that the server makes for a step: `step.fetch` and `step.ai.infer`, as inngest 4 sends them (PROTOCOL §3.5, §7.7, §7.8).

use crate::driver::{Call, Driver, planned};
use serde_json::{Value, json};
use stepwell_engine::run::message::Ask;
use stepwell_engine::turn::{AppAnswer, CallFailure, CallKind};

fn fetch(opts: &Value) -> Value {
    json!([{"displayName": "step.fetch: api.test", "op": "Gateway", "id": "f", "opts": opts, "userland": {"id": "step.fetch: api.test"}, "data": null}])
}

fn infer(opts: &Value) -> Value {
    json!([{"displayName": "inf", "op": "AIGateway", "id": "i", "opts": opts, "userland": {"id": "inf"}, "data": null}])
}

/// As PROTOCOL §3.5 recorded it.
fn recorded() -> Value {
    fetch(
        &json!({"url": "http://127.0.0.1:13900/echo", "method": "POST", "headers": {"content-type": "application/json", "x-a": "1"}, "body": "{\"q\":1}"}),
    )
}

fn chat() -> Value {
    infer(&json!({
        "type": "step.ai.infer", "url": "http://127.0.0.1:13900/v1/chat/completions", "auth_key": "sk-test", "format": "openai-chat",
        "body": {"messages": [{"role": "user", "content": "hi"}], "model": "gpt-4o"}
    }))
}

/// A run whose app asked for this; the call that the server makes.
fn asked(ops: &Value) -> (Driver, Call) {
    let (mut run, call) = Driver::started_with(1);
    run.ops(&call, ops);
    let call = run.call();
    (run, call)
}

fn answered(run: &mut Driver, call: &Call, status: u16, headers: &[(&str, &str)], body: &str) {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    run.answer_raw(call, Ok(AppAnswer { status, headers, body: body.as_bytes().to_vec() }));
}

/// What the step is remembered as, in the call to the app that follows.
fn memo(run: &mut Driver, step: &str) -> Value {
    run.call().body["steps"][step].clone()
}

#[test]
fn a_fetch_is_made_by_the_server_and_its_answer_is_the_step_s_result() {
    let (mut run, call) = asked(&recorded());
    assert_eq!(
        (call.kind, call.method.as_str(), call.url.as_str()),
        (CallKind::Fetch, "POST", "http://127.0.0.1:13900/echo")
    );
    assert_eq!((call.headers["x-a"].as_str(), call.raw.as_str()), ("1", "{\"q\":1}"));
    assert!(!call.headers.contains_key("x-inngest-signature") && !call.headers.contains_key("x-run-id"));
    let headers =
        [("content-type", "text/plain"), ("set-cookie", "a"), ("set-cookie", "b"), ("content-encoding", "gzip")];
    answered(&mut run, &call, 404, &headers, "né \"x\"");
    let data = json!({"body": "né \"x\"", "headers": {"content-type": "text/plain", "set-cookie": "a,b"}, "status_code": 404, "url": "http://127.0.0.1:13900/echo"});
    assert_eq!(memo(&mut run, "f"), json!({ "data": data }));
    assert_eq!(run.journal(), ["Started", "Answered", "Answered"]);
}

#[test]
fn an_answer_without_a_body_is_one_that_sdks_can_make_a_response_of() {
    for (status, body) in [(204, json!(null)), (304, json!(null)), (200, json!(""))] {
        let (mut run, call) = asked(&recorded());
        answered(&mut run, &call, status, &[], "");
        assert_eq!(memo(&mut run, "f")["data"]["body"], body, "{status}");
    }
}

#[test]
fn what_a_fetch_leaves_out_has_its_default_and_what_is_not_its_to_say_is_left_out() {
    let headers = json!({"Host": "other", "Content-Length": "7", "X-B": "2", "User-Agent": "mine"});
    let (_, call) =
        asked(&fetch(&json!({"url": "https://api.test/?a=1", "headers": headers, "body": {"not": "a text"}})));
    assert_eq!((call.method.as_str(), call.raw.as_str()), ("POST", "{\"not\":\"a text\"}"));
    assert_eq!(
        call.headers.into_iter().collect::<Vec<_>>(),
        [("user-agent".to_owned(), "mine".to_owned()), ("x-b".to_owned(), "2".to_owned())]
    );
    let (_, call) = asked(&fetch(&json!({"url": "https://api.test/", "method": "get"})));
    assert_eq!((call.method.as_str(), call.raw.as_str()), ("GET", ""));
}

#[test]
fn only_the_transport_s_failures_are_a_fetch_s_and_are_tried_again_as_a_step_s() {
    let (mut run, call) = asked(&recorded());
    run.answer_raw(&call, Err(CallFailure::Unreachable("connection refused".to_owned())));
    let step = run.ask(&Ask::Timeline)["Ok"]["steps"][0].clone();
    assert_eq!(
        (&step["status"], &step["op"], &step["name"]),
        (&json!("retrying"), &json!("step.fetch"), &json!("step.fetch: api.test"))
    );
    run.no_calls();
    assert_eq!(run.pass_till_woken(), 1_000);
    let again = run.call();
    assert_eq!((again.url.as_str(), again.raw.as_str()), (call.url.as_str(), call.raw.as_str()));
    assert_ne!(again.id, call.id);
    run.answer_raw(&again, Err(CallFailure::TimedOut("too long".to_owned())));
    let error = json!({"message": "Error making gateway request: too long", "name": "GatewayError"});
    assert_eq!(memo(&mut run, "f"), json!({ "error": error }));
}

#[test]
fn an_answer_that_comes_twice_or_to_an_earlier_try_counts_once() {
    let (mut run, call) = asked(&recorded());
    run.answer_raw(&call, Err(CallFailure::Unreachable("reset".to_owned())));
    answered(&mut run, &call, 200, &[], "late");
    run.no_calls();
    run.pass_till_woken();
    let again = run.call();
    answered(&mut run, &again, 200, &[], "first");
    answered(&mut run, &again, 200, &[], "second");
    assert_eq!(memo(&mut run, "f")["data"]["body"], "first");
}

/// So it is where the app was called for just that step: in a rerun from it.
#[test]
fn an_answer_to_a_planned_step_that_comes_twice_is_not_that_of_the_request_it_asks_for() {
    let (mut run, call) = Driver::started_with(1);
    run.ops(&call, &json!([planned("f")]));
    let target = run.call();
    run.ops(&target, &recorded());
    let errand = run.call();
    assert_eq!((target.step(), errand.kind), ("f", CallKind::Fetch));
    assert_ne!(errand.id, target.id);
    run.ops(&target, &recorded());
    run.no_calls();
    answered(&mut run, &errand, 200, &[], "yes");
    assert_eq!(memo(&mut run, "f")["data"]["body"], "yes");
}

#[test]
fn a_crash_sends_the_request_again() {
    let (mut run, call) = asked(&recorded());
    assert!(run.owing);
    run.crash();
    let again = run.call();
    assert_eq!(
        (again.url.as_str(), again.raw.as_str(), again.kind),
        (call.url.as_str(), call.raw.as_str(), CallKind::Fetch)
    );
    answered(&mut run, &call, 200, &[], "hidden by the crash");
    answered(&mut run, &again, 200, &[], "known");
    assert_eq!(memo(&mut run, "f")["data"]["body"], "known");
}

#[test]
fn a_server_for_everybody_goes_to_public_addresses_unless_it_is_told_otherwise() {
    for (cloud, private, expected) in
        [(false, false, CallKind::Fetch), (true, false, CallKind::FetchPublic), (true, true, CallKind::Fetch)]
    {
        let (mut run, call) = Driver::started_with(4);
        run.settings.cloud = cloud;
        run.settings.private_addresses = private;
        run.ops(&call, &recorded());
        assert_eq!(run.call().kind, expected);
    }
    // What is refused would be refused again.
    let (mut run, call) = asked(&recorded());
    run.answer_raw(&call, Err(CallFailure::Refused("10.0.0.1 is not a public address".to_owned())));
    let timeline = run.ask(&Ask::Timeline)["Ok"]["steps"][0].clone();
    assert_eq!((&timeline["status"], &timeline["error"]["code"]), (&json!("failed"), &json!("address_not_public")));
    assert_eq!(memo(&mut run, "f")["error"]["name"], "GatewayError");
}

#[test]
fn a_request_that_cannot_be_sent_is_the_step_s_error_at_once() {
    let long = format!("http://a.test/{}", "x".repeat(9_000));
    for opts in [
        json!({}),
        json!({"url": "ftp://a.test/"}),
        json!({"url": "/relative"}),
        json!({"url": long}),
        json!({"url": "http://a.test/", "method": "G T"}),
        json!({"url": "http://a.test/", "headers": {"a b": "c"}}),
        json!({"url": "http://a.test/", "headers": {"a": "b\r\nc: d"}}),
        json!({"url": "http://a.test/", "headers": {"a": "x".repeat(70_000)}}),
        json!({"url": "http://a.test/", "body": "x".repeat((4 << 20) + 1)}),
    ] {
        let (mut run, call) = Driver::started_with(4);
        run.ops(&call, &fetch(&opts));
        let timeline = run.ask(&Ask::Timeline)["Ok"]["steps"][0]["error"]["code"].clone();
        assert_eq!(timeline, "gateway_invalid", "{:.100}", opts.to_string());
        assert_eq!(memo(&mut run, "f")["error"]["name"], "GatewayError");
    }
    // An op that says nothing that can be read is no step's.
    let (mut run, call) = Driver::started_with(0);
    run.ops(&call, &fetch(&json!({"url": 7})));
    assert_eq!(run.summary()["output"]["name"], "answer_invalid");
}

#[test]
fn an_inference_is_asked_for_as_its_format_wants() {
    let (_, call) = asked(&chat());
    assert_eq!((call.method.as_str(), call.url.as_str()), ("POST", "http://127.0.0.1:13900/v1/chat/completions"));
    assert_eq!(call.headers["authorization"], "Bearer sk-test");
    assert_eq!(call.headers["content-type"], "application/json");
    assert_eq!(call.raw, r#"{"messages":[{"content":"hi","role":"user"}],"model":"gpt-4o"}"#);
    let of = |format: &str| {
        let headers = json!({"Anthropic-Version": "2023-06-01"});
        asked(&infer(
            &json!({"url": "https://m.test/v1", "auth_key": "k y", "format": format, "body": {}, "headers": headers}),
        ))
        .1
    };
    let anthropic = of("anthropic");
    assert_eq!(
        (anthropic.headers["x-api-key"].as_str(), anthropic.headers["anthropic-version"].as_str()),
        ("k y", "2023-06-01")
    );
    assert!(!anthropic.headers.contains_key("authorization"));
    let gemini = of("gemini");
    assert_eq!(gemini.url, "https://m.test/v1?key=k+y");
    assert!(!gemini.headers.contains_key("authorization"));
    assert_eq!(of("bedrock").headers["authorization"], "k y");
    assert_eq!(of("something-new").headers["authorization"], "Bearer k y");
}

#[test]
fn an_inference_gives_the_answer_s_json() {
    let (mut run, call) = asked(&chat());
    answered(&mut run, &call, 200, &[], r#"{"choices":[{"message":{"content":"hello"}}],"n":12345678901234567890}"#);
    let call = run.call();
    assert!(
        call.raw.contains(r#""i":{"data":{"choices":[{"message":{"content":"hello"}}],"n":12345678901234567890}}"#),
        "{}",
        call.raw
    );
}

#[test]
fn a_model_s_server_that_answers_with_an_error_is_asked_again_when_it_says_so_and_then_named() {
    let (mut run, call) = asked(&chat());
    answered(&mut run, &call, 429, &[("retry-after", "7")], "{\"error\":\"slow down\"}");
    assert_eq!(run.pass_till_woken(), 7_000);
    let call = run.call();
    answered(&mut run, &call, 500, &[], "{\"error\":\"down\"}");
    let error = json!({"data": {"error": "down"}, "message": "Error making AI request: unsuccessful status code: 500", "name": "AIGatewayError"});
    assert_eq!(memo(&mut run, "i"), json!({ "error": error }));
}

#[test]
fn requests_beside_each_other_and_beside_steps_all_come_back() {
    let (mut run, call) = Driver::started_with(4);
    let mut ops = recorded();
    ops.as_array_mut().unwrap().extend(chat().as_array().unwrap().clone());
    run.ops(&call, &ops);
    let calls = run.calls();
    assert_eq!(calls.len(), 2);
    answered(&mut run, &calls[0], 200, &[], "{}");
    let discovery = run.call();
    run.ops(&discovery, &json!([]));
    answered(&mut run, &calls[1], 200, &[], "{}");
    let last = run.call();
    assert_eq!(last.body["steps"].as_object().unwrap().len(), 2);
    run.returns(&last, &json!("done"));
    assert_eq!(run.status(), "Completed");
}

#[test]
fn secrets_are_sent_and_not_shown() {
    let gemini =
        infer(&json!({"url": "https://m.test/v1?a=b", "auth_key": "hidden-key", "format": "gemini", "body": {}}));
    let fetch =
        fetch(&json!({"url": "https://m.test/", "headers": {"Authorization": "hidden-header", "x-shown": "shown"}}));
    for (ops, shown) in [(chat(), "gpt-4o"), (gemini, "m.test/v1?a=b"), (fetch, "\"shown\"")] {
        let (mut run, _) = asked(&ops);
        for ask in [Ask::Journal, Ask::Timeline] {
            let text = run.ask(&ask).to_string();
            assert!(!text.contains("sk-test") && !text.contains("hidden"), "{text}");
        }
        let text = run.ask(&Ask::Journal).to_string();
        assert!(text.contains(shown), "{text}");
    }
}
