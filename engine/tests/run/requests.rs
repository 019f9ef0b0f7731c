//! The call request as SDKs read it (PROTOCOL §3).

use crate::driver::{Driver, SIGNING_KEY, ran, raw};
use serde_json::json;
use stepwell_engine::ids::Millis;
use stepwell_engine::limits::{CALL_BODY_BYTES_MAX, CALL_STATE_BYTES_MAX};
use stepwell_engine::signing;
use stepwell_engine::turn::CallFailure;

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

#[test]
fn a_request_says_whose_it_is_in_its_headers() {
    let (mut run, call) = Driver::started();
    let id = run.summary()["run_id"].as_str().unwrap().to_owned();
    let named = |call: &crate::driver::Call, unit: &str, generation: &str, version: &str, step: &str| {
        let call_id = format!("{id}/{unit}/{generation}");
        let agent = concat!("Stepwell/", env!("CARGO_PKG_VERSION"));
        let expected = [
            ("accept-encoding", "gzip, br"),
            ("content-type", "application/json"),
            ("user-agent", agent),
            ("x-inngest-generation-id", generation),
            ("x-inngest-job-id", &call_id),
            ("x-inngest-req-version", version),
            ("x-inngest-step-id", step),
            ("x-request-id", &call_id),
            ("x-run-id", &id),
        ];
        assert_eq!(call.id, call_id);
        let held: Vec<(&str, &str)> =
            call.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(held, expected);
        for (field, value) in [
            ("job_id", call_id.as_str()),
            ("request_id", call_id.as_str()),
            ("run_id", &id),
            ("qi_id", unit),
            ("env", ""),
        ] {
            assert_eq!(call.ctx(field), value, "{field}");
        }
    };
    named(&call, "discovery:0", "1", "-1", "step");
    run.ops(&call, &json!([crate::driver::planned("p"), crate::driver::planned("q")]));
    named(&run.calls()[0], "step:p", "1", "2", "p");
}

/// A run whose next body is so many bytes long where it carries everything.
fn with_body_of(bytes: usize) -> crate::driver::Call {
    let call_with = |pad: usize, odd: usize| {
        let mut run = Driver::idle(4);
        let event = format!(r#"{{"name":"t/go","data":"{}"}}"#, "x".repeat(pad));
        let call = run.begin(|start| start.events = vec![raw(&event)]);
        run.ops(&call, &json!([ran("a", "x".repeat(odd))]));
        run.call()
    };
    let least = call_with(0, 0).raw.len();
    // The event is in the body twice, the step's result once.
    call_with((bytes - least) / 2, (bytes - least) % 2)
}

#[test]
fn a_body_may_be_as_large_as_the_limit_before_the_sdk_fetches_the_rest() {
    let fits = with_body_of(CALL_BODY_BYTES_MAX);
    assert_eq!((fits.raw.len(), fits.ctx("use_api")), (CALL_BODY_BYTES_MAX, &json!(false)));
    assert_eq!(fits.body["steps"].as_object().map(serde_json::Map::len), Some(1));
    let too_large = with_body_of(CALL_BODY_BYTES_MAX + 1);
    assert_eq!((too_large.ctx("use_api"), &too_large.body["events"]), (&json!(true), &json!([])));
    assert_eq!(too_large.body["steps"], json!({}));
}

#[test]
fn a_state_beyond_its_share_is_fetched_by_the_sdk_and_the_events_are_sent() {
    let (mut run, call) = Driver::started();
    // A memo is `{"data":"…"}`: eleven bytes around the text.
    run.ops(&call, &json!([ran("a", "x".repeat(CALL_STATE_BYTES_MAX - 11))]));
    let call = run.call();
    assert_eq!(call.ctx("use_api"), false);
    run.ops(&call, &json!([ran("b", 1)]));
    let call = run.call();
    assert_eq!(
        (call.ctx("use_api"), &call.body["use_api"], &call.body["steps"]),
        (&json!(true), &json!(true), &json!({}))
    );
    assert_eq!(call.body["events"].as_array().map(Vec::len), Some(1));
    assert_eq!(call.stack(), ["a", "b"]);
}

#[test]
fn calls_are_signed_with_the_first_key() {
    let mut run = Driver::idle(4);
    let other = "signkey-test-0000000000000000".to_owned();
    run.settings.signing_keys = vec![SIGNING_KEY.to_owned(), other.clone()];
    let call = run.begin(|_| {});
    let matches = |key: String| {
        let signature = &call.headers["x-inngest-signature"];
        signing::signature_matches(&[key], signature, call.raw.as_bytes(), Millis(run.now))
    };
    assert!(matches(SIGNING_KEY.to_owned()));
    assert!(!matches(other));
}

#[test]
fn a_call_that_reached_nobody_tells_nothing_of_the_sdk() {
    let (mut run, call) = Driver::started();
    run.answer_raw(&call, Err(CallFailure::Unreachable("refused".to_owned())));
    run.pass_till_woken();
    assert_eq!(run.call().headers["x-inngest-req-version"], "-1");
}
