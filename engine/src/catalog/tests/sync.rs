//! The server asks apps to sync (PROTOCOL §1.9, §1.10).

use super::driver::{Driver, app, function, function_with};
use crate::catalog::message::Ask;
use crate::limits::SIGNATURE_SKEW_MAX;
use crate::signing;
use crate::turn::{AppAnswer, CallFailure, Message};
use serde_json::{Value, json};

const URL: &str = "http://127.0.0.1:3000/api/inngest";

fn answer(status: u16, kind: &str, body: &Value) -> AppAnswer {
    let headers = [("x-inngest-sdk", "inngest-js:v4.24.0"), ("x-inngest-sync-kind", kind)];
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    AppAnswer { status, headers, body: body.to_string().into_bytes() }
}

fn registered(modified: bool) -> AppAnswer {
    answer(200, "out_of_band", &json!({"message": "Successfully registered", "modified": modified}))
}

fn unreachable() -> Result<AppAnswer, CallFailure> {
    Err(CallFailure::Unreachable("connection refused".to_owned()))
}

/// As PROTOCOL §1.10 shows it.
fn in_band(functions: &[Value]) -> AppAnswer {
    answer(
        200,
        "in_band",
        &json!({"app_id": "a", "env": null, "framework": "fast_api", "functions": functions, "inspection": {"x": 1},
            "sdk_author": "inngest", "sdk_language": "py", "sdk_version": "0.5.19", "url": URL}),
    )
}

fn signed(driver: &Driver, mut answer: AppAnswer) -> AppAnswer {
    let signature = signing::sign(&driver.settings.signing_keys[0], &answer.body, driver.now).unwrap();
    answer.headers.push(("x-inngest-signature".to_owned(), signature));
    answer
}

fn error_code(driver: &mut Driver, app: usize) -> Value {
    driver.answer(&Ask::Overview).0.unwrap()["apps"][app]["error"]["code"].clone()
}

#[test]
fn without_a_key_the_request_is_out_of_band_and_not_signed() {
    let mut driver = Driver::default();
    let (_, calls) = driver.sync(Some(URL), false);
    let call = &calls[0];
    assert_eq!((&*call.method, call.url.as_str()), ("PUT", URL));
    assert_eq!(call.body, format!(r#"{{"url":"{URL}"}}"#).into_bytes());
    assert_eq!(call.time_max.0, 10_000);
    let headers: Vec<_> = call.headers.iter().map(|(name, value)| (name.as_ref(), value.as_str())).collect();
    let expected = [
        ("content-type", "application/json"),
        ("user-agent", "Inngest"),
        ("x-inngest-server-kind", "dev"),
        ("x-inngest-sync-kind", "out_of_band"),
    ];
    assert_eq!(headers, expected);
}

#[test]
fn with_a_key_the_request_is_in_band_and_signed() {
    let mut driver = Driver::with_key(true);
    let (_, calls) = driver.sync(Some(URL), false);
    let header = |name| calls[0].headers.iter().find(|(held, _)| *held == name).unwrap().1.clone();
    assert_eq!(
        (header("x-inngest-server-kind").as_str(), header("x-inngest-sync-kind").as_str()),
        ("cloud", "in_band")
    );
    let signature = header("x-inngest-signature");
    assert!(signing::signature_matches(&driver.settings.signing_keys, &signature, &calls[0].body, driver.now));
}

#[test]
fn an_app_registers_while_the_request_to_it_is_open() {
    let mut driver = Driver::default();
    let (token, calls) = driver.sync(Some("http://localhost:3000/api/inngest"), false);
    driver.register(&app("a", &[function("a-f")])).unwrap();
    assert!(driver.reply(token).is_none());
    let done = driver.answered(&calls[0], Ok(registered(true)));
    assert!(!done.owing);
    let expected = json!({"apps": [{"url": "http://localhost:3000/api/inngest", "app": "a", "ok": true,
        "modified": true, "error": null}]});
    assert_eq!(driver.reply(token).unwrap().unwrap(), expected);
}

#[test]
fn python_names_its_app_by_uuid() {
    let mut driver = Driver::default();
    driver.register(&app("a", &[])).unwrap();
    let body = json!({"ok": true, "modified": false, "app_id": crate::ids::uuid_of("a")});
    let report = driver.sync_one("http://elsewhere.test/x", Ok(answer(200, "out_of_band", &body)));
    assert_eq!((&report["app"], &report["modified"]), (&json!("a"), &json!(false)));
}

#[test]
fn an_in_band_answer_registers_the_app() {
    let mut driver = Driver::with_key(true);
    let body = signed(&driver, in_band(&[function("a-f")]));
    let report = driver.sync_one(URL, Ok(body.clone()));
    assert_eq!(report, json!({"url": URL, "app": "a", "ok": true, "modified": true, "error": null}));
    let found = &driver.catalog().apps[&"a".into()];
    assert_eq!((found.sdk.as_str(), found.framework.as_str()), ("py:v0.5.19", "fast_api"));
    assert!(driver.catalog().function(&"a-f".into()).is_some());
    assert_eq!(driver.sync_one(URL, Ok(body))["modified"], false);
}

#[test]
fn an_app_that_prefers_it_answers_out_of_band() {
    let mut driver = Driver::with_key(true);
    driver.register(&app("a", &[])).unwrap();
    let report = driver.sync_one(URL, Ok(registered(false)));
    assert_eq!((&report["ok"], &report["app"]), (&json!(true), &json!("a")));
}

#[test]
fn an_in_band_answer_must_be_signed_with_our_key() {
    for (cloud, signature, is_taken) in
        [(true, None, false), (true, Some("t=1&s=00"), false), (false, Some("t=1&s=00"), false), (false, None, true)]
    {
        let mut driver = Driver::with_key(cloud);
        let mut body = in_band(&[function("a-f")]);
        body.headers.extend(signature.map(|text| ("x-inngest-signature".to_owned(), text.to_owned())));
        let report = driver.sync_one(URL, Ok(body));
        assert_eq!(report["ok"], is_taken, "{cloud} {signature:?}");
        assert_eq!(driver.catalog().functions.is_empty(), !is_taken);
        if !is_taken {
            assert_eq!(report["error"]["code"], "sig_verification_failed");
        }
    }
}

#[test]
fn an_in_band_answer_that_was_signed_long_ago_is_not_taken() {
    let mut driver = Driver::with_key(true);
    let recorded = signed(&driver, in_band(&[function("a-f")]));
    driver.now.0 += SIGNATURE_SKEW_MAX.0 + 1_000;
    let report = driver.sync_one(URL, Ok(recorded));
    assert_eq!(report["error"]["code"], "sig_verification_failed");
    assert!(driver.catalog().functions.is_empty());
}

#[test]
fn an_invalid_function_in_an_in_band_answer_is_named() {
    let mut driver = Driver::with_key(true);
    driver.register(&app("a", &[])).unwrap();
    let body = signed(&driver, in_band(&[function_with("a-f", json!({"triggers": [{"cron": "nonsense"}]}))]));
    let report = driver.sync_one(URL, Ok(body));
    assert_eq!(report["error"]["code"], "invalid_function");
    assert!(report["error"]["message"].as_str().unwrap().contains("a-f"), "{report}");
    assert_eq!(error_code(&mut driver, 0), "invalid_function");
}

#[test]
fn a_failure_is_kept_with_the_app_until_it_is_over() {
    let mut driver = Driver::default();
    driver.register(&app("a", &[])).unwrap();
    let report = driver.sync_one(URL, unreachable());
    assert_eq!((&report["ok"], &report["app"], &report["modified"]), (&json!(false), &json!("a"), &json!(null)));
    assert_eq!(report["error"]["code"], "unreachable");
    assert_eq!(error_code(&mut driver, 0), "unreachable");

    let (rows, version) = (driver.rows(), driver.catalog().version);
    driver.sync_one(URL, unreachable());
    assert_eq!((driver.rows(), driver.catalog().version), (rows, version), "the same failure again is no news");

    driver.sync_one(URL, Ok(registered(false)));
    assert_eq!(error_code(&mut driver, 0), json!(null));

    driver.sync_one(URL, unreachable());
    assert_eq!(driver.register(&app("a", &[])).unwrap()["modified"], false);
    assert_eq!(error_code(&mut driver, 0), json!(null), "registering ends it too");
}

#[test]
fn the_failure_of_an_unknown_app_is_only_reported() {
    let mut driver = Driver::default();
    let report = driver.sync_one(URL, unreachable());
    assert_eq!((&report["app"], &report["error"]["code"]), (&json!(null), &json!("unreachable")));
    assert!(driver.rows().is_empty());
}

#[test]
fn a_refused_register_call_explains_what_the_app_relays() {
    let mut driver = Driver::default();
    driver.register(&app("a", &[])).unwrap();
    let (token, calls) = driver.sync(Some(URL), false);
    let invalid = app("a", &[function_with("a-f", json!({"priority": {"run": 5}}))]);
    let refusal = driver.register(&invalid).unwrap_err();
    driver.answered(&calls[0], Ok(answer(400, "out_of_band", &json!({"message": "no", "modified": false}))));
    let error = driver.reply(token).unwrap().unwrap()["apps"][0]["error"].clone();
    assert_eq!(error, json!({"code": "invalid_function", "message": refusal.message}));
    assert_eq!(error_code(&mut driver, 0), "invalid_function");
    assert_eq!(driver.catalog().version, 2, "the failure was written once");
}

#[test]
fn all_known_apps_are_asked_and_answered_for_together() {
    let mut driver = Driver::default();
    for (name, url) in [("a", URL), ("b", "http://b.test/x"), ("same", URL), ("worker", "wss://connect/")] {
        let mut body = app(name, &[]);
        body["url"] = json!(url);
        driver.register(&body).unwrap();
    }
    let (token, calls) = driver.sync(None, false);
    assert_eq!(calls.iter().map(|call| call.url.as_str()).collect::<Vec<_>>(), [URL, "http://b.test/x"]);
    assert_ne!(calls[0].id, calls[1].id);
    let done = driver.answered(&calls[1], unreachable());
    assert!(done.owing);
    assert!(driver.reply(token).is_none());
    assert!(driver.answered(&calls[1], Ok(registered(true))).effects.is_empty(), "a second answer does not count");
    driver.answered(&calls[0], Ok(registered(false)));
    let apps = driver.reply(token).unwrap().unwrap()["apps"].clone();
    assert_eq!((&apps[0]["ok"], &apps[1]["ok"]), (&json!(true), &json!(false)));

    let (_, calls) = driver.sync(None, true);
    assert_eq!(calls.iter().map(|call| call.url.as_str()).collect::<Vec<_>>(), ["http://b.test/x"]);
}

#[test]
fn nothing_to_ask_is_answered_at_once() {
    let mut driver = Driver::default();
    let (token, calls) = driver.sync(None, false);
    assert!(calls.is_empty());
    assert_eq!(driver.reply(token).unwrap().unwrap(), json!({"apps": []}));
    for url in ["ftp://a.test", "nonsense", "wss://a.test"] {
        let (token, calls) = driver.sync(Some(url), false);
        assert!(calls.is_empty());
        let report = driver.reply(token).unwrap().unwrap()["apps"][0].clone();
        assert_eq!((&report["ok"], &report["error"]["code"]), (&json!(false), &json!("unsupported_protocol")));
    }
}

#[test]
fn what_was_under_way_at_a_restart_is_dropped() {
    let mut driver = Driver::default();
    let (token, calls) = driver.sync(Some(URL), false);
    assert!(!driver.turn(Message::Resume).owing);
    assert!(driver.answered(&calls[0], Ok(registered(true))).effects.is_empty());
    assert!(driver.reply(token).is_none());
}

#[test]
fn a_lost_call_is_an_app_that_was_not_reached() {
    let mut driver = Driver::default();
    let (token, calls) = driver.sync(Some(URL), false);
    assert!(!driver.turn(Message::Lost(vec![calls[0].id.clone(), "sync/0/0/0".to_owned()])).owing);
    let report = driver.reply(token).unwrap().unwrap()["apps"][0].clone();
    assert_eq!((&report["ok"], &report["error"]["code"]), (&json!(false), &json!("unreachable")));
}

#[test]
fn only_so_many_syncs_wait_at_once() {
    let mut driver = Driver::default();
    for _ in 0..crate::limits::SYNCS_WAITING_MAX {
        assert_eq!(driver.sync(Some(URL), false).1.len(), 1);
    }
    let (token, calls) = driver.sync(Some(URL), false);
    assert!(calls.is_empty());
    assert_eq!(driver.reply(token).unwrap().unwrap_err().code, crate::error::Code::Overloaded);
}
