//! The call request as SDKs read it (PROTOCOL §3).

use crate::driver::{Driver, SIGNING_KEY, ran, raw};
use serde_json::json;
use stepwell_engine::ids::Millis;
use stepwell_engine::signing;

#[test]
fn a_request_has_what_the_strict_sdks_need() {
    let (_, call) = Driver::started();
    assert_eq!(call.body["use_api"], false);
    assert_eq!(call.body["defers"], json!({}));
    assert_eq!(call.body["events"].as_array().unwrap().len(), 1);
    assert_eq!(call.body["event"]["user"], json!({}));
    for (field, value) in [
        ("attempt", json!(0)),
        ("max_attempts", json!(5)),
        ("disable_immediate_execution", json!(false)),
        ("use_api", json!(false)),
        ("step_id", json!("step")),
        ("generation_id", json!(1)),
        ("stack", json!({"current": 0, "stack": []})),
    ] {
        assert_eq!(call.ctx(field), &value, "{field}");
    }
    assert_eq!(call.ctx("fn_id").as_str().unwrap().len(), 36);
    assert_eq!(call.headers["x-inngest-req-version"], "-1");
    assert!(!call.headers.contains_key("x-inngest-signature"), "no key, no signature");
}

#[test]
fn a_signed_request_is_canonical_and_verifies() {
    let mut run = Driver::idle(4);
    run.settings.signing_keys = vec![SIGNING_KEY.to_owned()];
    let call = run.begin(|start| start.events = vec![raw(r#"{"name":"t/go","data":{"z":1.0,"a":[1e21]},"ts":1}"#)]);
    run.ops(&call, &json!([ran("b", json!({"y": 2.50, "x": "\u{e9}"})), ran("a", 1)]));
    let call = run.call();
    assert_eq!(String::from_utf8(signing::canonical(call.raw.as_bytes()).unwrap()).unwrap(), call.raw);
    let keys = [SIGNING_KEY.to_owned()];
    assert!(signing::signature_matches(
        &keys,
        &call.headers["x-inngest-signature"],
        call.raw.as_bytes(),
        Millis(run.now)
    ));
}

#[test]
fn the_step_of_a_targeted_call_is_in_the_query_and_the_rest_of_the_url_is_kept() {
    let mut run = Driver::idle(4);
    for function in run.catalog.functions.values_mut() {
        function.url = "https://h.test/api?fnId=app-fn&stepId=step&x=a%20b".to_owned();
    }
    let call = run.begin(|_| {});
    run.ops(&call, &json!([crate::driver::planned("p/1"), crate::driver::planned("q")]));
    let urls: Vec<_> = run.calls().into_iter().map(|call| call.url).collect();
    assert_eq!(
        urls,
        ["https://h.test/api?fnId=app-fn&x=a+b&stepId=p%2F1", "https://h.test/api?fnId=app-fn&x=a+b&stepId=q",]
    );
}

#[test]
fn large_events_are_fetched_by_the_sdk() {
    let mut run = Driver::idle(4);
    let large = format!(r#"{{"name":"t/go","data":"{}"}}"#, "x".repeat(2_200_000));
    let call = run.begin(|start| start.events = vec![raw(&large), raw(&large)]);
    assert_eq!((call.ctx("use_api"), &call.body["use_api"]), (&json!(true), &json!(true)));
    assert_eq!(call.body["events"], json!([]));
    assert_eq!(call.body["event"]["name"], "t/go");
}
