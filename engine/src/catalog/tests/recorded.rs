//! Bodies as SDKs sent them (PROTOCOL §1.4, §1.5).

use super::driver::{Driver, app};
use crate::catalog::flow::*;
use crate::catalog::{Flow, Trigger};
use crate::ids::Millis;
use serde_json::json;

const JS4: &str = r#"{"url":"http://127.0.0.1:13100/api/inngest","deployType":"ping","framework":"express",
 "appName":"js4nock","functions":[
  {"id":"js4nock-full","name":"Full config",
   "triggers":[{"event":"t/full","expression":"event.data.x > 1"},
               {"cron":"TZ=Europe/Berlin 0 5 1 1 *","jitter":"30s"}],
   "steps":{"step":{"id":"step","name":"step",
     "runtime":{"type":"http","url":"http://127.0.0.1:13100/api/inngest?fnId=js4nock-full&stepId=step"},
     "retries":{"attempts":7}}},
   "throttle":{"limit":3,"period":"10s","key":"event.data.u","burst":2},
   "concurrency":[{"limit":2,"key":"event.data.u","scope":"env"},{"limit":5}],
   "priority":{"run":"event.data.p"},"timeouts":{"start":"10s","finish":"1m"},
   "singleton":{"key":"event.data.u","mode":"skip"},"cancel":[{"event":"t/c","timeout":"5m"}]},
  {"id":"js4nock-onfail-failure","name":"onfail (failure)",
   "triggers":[{"event":"inngest/function.failed","expression":"event.data.function_id == 'js4nock-onfail'"}],
   "steps":{"step":{"id":"step","name":"step",
     "runtime":{"type":"http","url":"http://127.0.0.1:13100/api/inngest?fnId=js4nock-onfail-failure&stepId=step"},
     "retries":{"attempts":1}}}}],
 "sdk":"js:v4.24.0","v":"0.1","capabilities":{"trust_probe":"v1","connect":"v1"},
 "featureObservations":{
   "aiMetadataExtraction":{"readinessReason":"AI_METADATA_EXTRACTION_READINESS_REASON_OTEL_PROVIDER_MISSING",
     "otelSetup":{"path":"OTEL_SETUP_PATH_EXTEND_EXISTING_PROVIDER","failure":"OTEL_SETUP_FAILURE_NO_PROVIDER"}},
   "extendedTraces":{"readinessReason":"EXTENDED_TRACES_READINESS_REASON_NOT_ENABLED_BY_USER","config":{}},
   "sendEvents":{"readinessReason":"SEND_EVENTS_READINESS_REASON_READY","config":{}}}}"#;

const PY: &str = r#"{"appname":"pyapp","capabilities":{"connect":"v1","in_band_sync":"v1","trust_probe":"v1"},
 "deploy_type":"ping","framework":"fast_api","functions":[
  {"cancel":[],"concurrency":[],"id":"pyapp-fn-failure","name":"fn (failure)",
   "triggers":[{"event":"inngest/function.failed","expression":"event.data.function_id == 'pyapp-fn'"}],
   "steps":{"step":{"id":"step","name":"step","retries":{"attempts":0},
     "runtime":{"type":"http","url":"http://127.0.0.1:13102/api/inngest?fnId=pyapp-fn-failure&stepId=step"}}}}],
 "sdk":"py:v0.5.19","url":"http://127.0.0.1:13102/api/inngest","v":"0.1"}"#;

#[test]
fn a_body_of_the_javascript_sdk_is_understood() {
    let mut driver = Driver::default();
    let answer = driver.register_text(JS4).unwrap();
    assert_eq!(answer["ok"], true);
    assert_eq!(answer["modified"], true);
    assert_eq!(answer["app_id"], crate::ids::uuid_of("js4nock"));
    let app = &driver.catalog().apps[&"js4nock".into()];
    assert_eq!((app.sdk.as_str(), app.framework.as_str()), ("js:v4.24.0", "express"));
    assert_eq!(app.url, "http://127.0.0.1:13100/api/inngest");

    let full = &driver.catalog().functions[&"js4nock-full".into()];
    assert_eq!((full.name.as_str(), full.retries, full.version, full.archived), ("Full config", 7, 1, false));
    assert_eq!(full.url, "http://127.0.0.1:13100/api/inngest?fnId=js4nock-full&stepId=step");
    let event = Trigger::Event { name: "t/full".into(), expression: Some("event.data.x > 1".into()) };
    let cron = Trigger::Cron { schedule: "TZ=Europe/Berlin 0 5 1 1 *".into(), jitter: Some("30s".into()) };
    assert_eq!(full.triggers, [event, cron]);
    let key = || Some("event.data.u".to_owned());
    let expected = Flow {
        concurrency: Concurrency {
            steps: vec![
                Limit { limit: 2, scope: Scope::Env, key: key() },
                Limit { limit: 5, scope: Scope::Fn, key: None },
            ],
            runs: None,
        },
        throttle: Some(Throttle { limit: 3, period: Millis(10_000), burst: 2, key: key() }),
        priority: Some("event.data.p".into()),
        singleton: Some(Singleton { mode: SingletonMode::Skip, key: key() }),
        timeouts: Timeouts { start: Some(Millis(10_000)), finish: Some(Millis(60_000)) },
        cancel: vec![Cancel { event: "t/c".into(), condition: None, until: Some(CancelUntil::After(Millis(300_000))) }],
        ..Flow::default()
    };
    assert_eq!(full.flow, expected);
    assert_eq!(driver.catalog().triggered_by("t/full"), [("js4nock-full".into(), 0)]);
    assert_eq!(driver.catalog().triggered_by("inngest/function.failed"), [("js4nock-onfail-failure".into(), 0)]);
}

#[test]
fn a_body_of_the_python_sdk_is_understood() {
    let mut driver = Driver::default();
    driver.register_text(PY).unwrap();
    let function = &driver.catalog().functions[&"pyapp-fn-failure".into()];
    assert_eq!((function.app.as_str(), function.retries), ("pyapp", 0));
    assert!(function.flow.is_none());
    let row = serde_json::to_value(function).unwrap();
    assert_eq!(row.get("flow"), None, "what is not asked for is not kept");
}

#[test]
fn the_other_recorded_configurations_are_understood() {
    let mut driver = Driver::default();
    let batch = super::driver::function_with(
        "a-batch",
        json!({"batchEvents":{"maxSize":100,"timeout":"60s","key":"event.data.u","if":"event.data.b == true"}}),
    );
    let limits = super::driver::function_with(
        "a-limits",
        json!({"rateLimit":{"limit":1,"period":"1m","key":"event.data.u"},
            "debounce":{"period":"5s","key":"event.data.u","timeout":"1m"},"idempotency":"event.data.id"}),
    );
    driver.register(&app("a", &[batch, limits])).unwrap();
    let flow = |id: &str| driver.catalog().functions[&id.into()].flow.clone();
    let key = || Some("event.data.u".to_owned());
    let expected =
        Batch { events_max: 100, timeout: Millis(60_000), key: key(), condition: Some("event.data.b == true".into()) };
    assert_eq!(flow("a-batch"), Flow { batch: Some(expected), ..Flow::default() });
    let expected = Flow {
        rate_limit: Some(RateLimit { limit: 1, period: Millis(60_000), key: key() }),
        debounce: Some(Debounce { period: Millis(5_000), key: key(), timeout: Some(Millis(60_000)) }),
        idempotency: Some("event.data.id".into()),
        ..Flow::default()
    };
    assert_eq!(flow("a-limits"), expected);
}

#[test]
fn every_form_of_concurrency_is_understood() {
    let step = |limit| Limit { limit, scope: Scope::Fn, key: None };
    let keyed = |limit, scope| Limit { limit, scope, key: Some("event.data.k".into()) };
    for (written, steps, runs) in [
        (json!(4), vec![step(4)], None),
        (json!(0), vec![], None),
        (json!([]), vec![], None),
        (json!(null), vec![], None),
        (json!({"limit": 3}), vec![step(3)], None),
        (json!({"limit": 3, "key": "event.data.k", "scope": "account"}), vec![keyed(3, Scope::Account)], None),
        (json!([{"limit": 9}, {"limit": 2, "key": "event.data.k"}]), vec![keyed(2, Scope::Fn), step(9)], None),
        (json!({"Limit": 3, "SCOPE": "Fn"}), vec![step(3)], None),
        (json!({"fn": [{"limit": 2}], "step": [{"limit": 5}]}), vec![step(5)], Some(step(2))),
        (json!({"fn": [{"limit": 2, "key": "event.data.k"}]}), vec![], Some(keyed(2, Scope::Fn))),
    ] {
        let mut driver = Driver::default();
        let function = super::driver::function_with("a-f", json!({"concurrency": written}));
        driver.register(&app("a", &[function])).unwrap();
        let found = &driver.catalog().functions[&"a-f".into()].flow.concurrency;
        assert_eq!(*found, Concurrency { steps, runs }, "{written}");
    }
}

#[test]
fn a_throttle_of_none_lets_one_and_no_more_at_once() {
    let mut driver = Driver::default();
    for throttle in [json!({"limit": 0, "period": "9s"}), json!({"limit": 1, "period": "9s"})] {
        let function = super::driver::function_with("a-f", json!({"throttle": throttle}));
        driver.register(&super::driver::app("a", &[function])).unwrap();
        let read = driver.catalog().functions[&"a-f".into()].flow.throttle.clone();
        assert_eq!(read, Some(Throttle { limit: 1, period: Millis(9_000), burst: 0, key: None }));
    }
}
