//! Each rule of a function's configuration, at its limit and beyond (PROTOCOL §1.6, SERVER §1.6).

use super::driver::{Driver, app, function, function_with};
use crate::error::{Code, Detail, Refusal};
use crate::limits;
use serde_json::{Value, json};

fn details(function: Value) -> Vec<Detail> {
    match Driver::default().register(&app("a", &[function])) {
        Ok(_) => Vec::new(),
        Err(refusal) => {
            assert_eq!(refusal.code, Code::ConfigInvalid);
            assert!(!refusal.details.is_empty());
            refusal.details
        }
    }
}

fn accept(more: Value) {
    let details = details(function_with("a-f", more.clone()));
    assert!(details.is_empty(), "{more}: {details:?}");
}

fn refuse(more: Value, code: &str, field: &str) {
    let details = details(function_with("a-f", more.clone()));
    let found: Vec<_> = details.iter().map(|detail| (detail.code.as_ref(), detail.field.as_str())).collect();
    assert_eq!(found, [(code, field)], "{more}: {details:?}");
    assert!(details.iter().all(|detail| detail.subject == "a-f" && !detail.message.is_empty()));
}

fn events(count: usize) -> Value {
    json!((0..count).map(|number| json!({"event": format!("e{number}")})).collect::<Vec<_>>())
}

#[test]
fn triggers() {
    let (max, long) = (limits::TRIGGERS_PER_FUNCTION_MAX, limits::TRIGGER_NAME_CHARACTERS_MAX);
    accept(json!({"triggers": []}));
    accept(json!({"triggers": events(max)}));
    refuse(json!({"triggers": events(max + 1)}), "trigger_limit", "triggers");
    refuse(json!({"triggers": {}}), "type_invalid", "triggers");
    refuse(json!({"triggers": ["x"]}), "type_invalid", "triggers[0]");
    refuse(json!({"triggers": [{}]}), "trigger_invalid", "triggers[0]");
    refuse(json!({"triggers": [{"event": ""}]}), "trigger_invalid", "triggers[0]");
    refuse(json!({"triggers": [{"event": 5}]}), "type_invalid", "triggers[0].event");
    refuse(json!({"triggers": [{"event": "x", "cron": "* * * * *"}]}), "trigger_invalid", "triggers[0]");
    accept(json!({"triggers": [{"event": "é".repeat(long)}]}));
    refuse(json!({"triggers": [{"event": "é".repeat(long + 1)}]}), "event_name_invalid", "triggers[0].event");
    accept(json!({"triggers": [{"event": "x"}, {"event": "x", "expression": "true"}]}));
    refuse(json!({"triggers": [{"event": "x"}, {"event": "x"}]}), "trigger_duplicate", "triggers[1]");
    refuse(
        json!({"triggers": [{"cron": "* * * * *"}, {"cron": "* * * * *", "jitter": "5s"}]}),
        "trigger_duplicate",
        "triggers[1]",
    );
}

#[test]
fn schedules() {
    let cron = |cron: &str, jitter: Value| json!({"triggers": [{"cron": cron, "jitter": jitter}]});
    accept(cron("TZ=UTC 0 5 1 1 *", json!(null)));
    refuse(cron("@daily", json!(null)), "schedule_invalid", "triggers[0].cron");
    refuse(cron("0 0 0 5 1 1", json!(null)), "schedule_invalid", "triggers[0].cron");
    refuse(cron("0 24 * * *", json!(null)), "schedule_invalid", "triggers[0].cron");
    refuse(cron("TZ=Europe/Atlantis * * * * *", json!(null)), "schedule_invalid", "triggers[0].cron");
    for jitter in ["1s", "5m", "0", "0s", "0ms", ""] {
        accept(cron("* * * * *", json!(jitter)));
    }
    for jitter in ["999ms", "300001ms", "soon"] {
        refuse(cron("* * * * *", json!(jitter)), "duration_invalid", "triggers[0].jitter");
    }
}

#[test]
fn expressions() {
    let max = limits::EXPRESSION_BYTES_MAX;
    for (place, field, code) in [
        (json!({"idempotency": "$"}), "idempotency", "expression_invalid"),
        (json!({"priority": {"run": "$"}}), "priority.run", "expression_invalid"),
        (json!({"triggers": [{"event": "x", "expression": "$"}]}), "triggers[0].expression", "expression_invalid"),
        (json!({"concurrency": {"limit": 1, "key": "$"}}), "concurrency.key", "expression_invalid"),
        (json!({"throttle": {"limit": 1, "period": "1s", "key": "$"}}), "throttle.key", "expression_invalid"),
        (json!({"rateLimit": {"limit": 1, "period": "1s", "key": "$"}}), "rateLimit.key", "expression_invalid"),
        (json!({"debounce": {"period": "1s", "key": "$"}}), "debounce.key", "expression_invalid"),
        (json!({"singleton": {"mode": "skip", "key": "$"}}), "singleton.key", "expression_invalid"),
        (json!({"cancel": [{"event": "x", "if": "$"}]}), "cancel[0].if", "expression_invalid"),
        (
            json!({"batchEvents": {"maxSize": 2, "timeout": "1s", "key": "$"}}),
            "batchEvents.key",
            "batch_key_expression_invalid",
        ),
        (
            json!({"batchEvents": {"maxSize": 2, "timeout": "1s", "if": "$"}}),
            "batchEvents.if",
            "batch_if_expression_invalid",
        ),
    ] {
        let with = |source: &str| serde_json::from_str(&place.to_string().replace('$', source)).unwrap();
        let long = format!("'{}'", "x".repeat(max - 2));
        accept(with("event.data.x"));
        accept(with(""));
        accept(with(&long));
        refuse(with(&format!("{long} ")), code, field);
        refuse(with("event.data."), code, field);
        refuse(with("unknown.data"), code, field);
        refuse(with("  "), code, field);
        refuse(serde_json::from_str(&place.to_string().replace("\"$\"", "7")).unwrap(), "type_invalid", field);
    }
}

#[test]
fn only_a_cancellation_knows_the_event_that_arrives() {
    let expression = "event.data.k == async.data.k";
    accept(json!({"cancel": [{"event": "x", "if": expression}]}));
    let trigger = json!({"triggers": [{"event": "x", "expression": expression}]});
    refuse(trigger, "expression_invalid", "triggers[0].expression");
}

#[test]
fn concurrency() {
    accept(json!({"concurrency": [{"limit": 1}, {"limit": 2}]}));
    refuse(
        json!({"concurrency": [{"limit": 1}, {"limit": 2}, {"limit": 3}]}),
        "concurrency_limit_invalid",
        "concurrency",
    );
    accept(json!({"concurrency": {"limit": 1, "scope": "env", "key": "'x'"}}));
    refuse(json!({"concurrency": {"limit": 1, "scope": "env"}}), "concurrency_limit_invalid", "concurrency.key");
    refuse(
        json!({"concurrency": [{"limit": 1, "scope": "account"}]}),
        "concurrency_limit_invalid",
        "concurrency[0].key",
    );
    refuse(json!({"concurrency": {"limit": 1, "scope": "zzz"}}), "value_invalid", "concurrency.scope");
    refuse(json!({"concurrency": {"fn": [{"limit": 1, "scope": "app"}]}}), "value_invalid", "concurrency.fn[0].scope");
    refuse(json!({"concurrency": {"fn": [{"limit": 1}, {"limit": 2}]}}), "concurrency_limit_invalid", "concurrency.fn");
    refuse(json!({"concurrency": {"fn": [{"limit": 0}]}}), "concurrency_limit_invalid", "concurrency.fn[0]");
    for scope in ["env", "account"] {
        let shared = json!({"concurrency": {"fn": [{"limit": 1, "scope": scope, "key": "event.data.k"}]}});
        refuse(shared, "concurrency_limit_invalid", "concurrency.fn[0].scope");
    }
    accept(json!({"concurrency": u32::MAX}));
    for wrong in [json!(-1), json!("5"), json!(1.5), json!(u64::from(u32::MAX) + 1), json!(true)] {
        refuse(json!({"concurrency": wrong}), "type_invalid", "concurrency");
        refuse(json!({"concurrency": {"limit": wrong}}), "type_invalid", "concurrency.limit");
    }
}

#[test]
fn throttles() {
    let throttle = |limit: Value, period: &str| json!({"throttle": {"limit": limit, "period": period}});
    for period in ["1s", "7d", "1w"] {
        accept(throttle(json!(1), period));
    }
    for period in ["999ms", "604800001ms", "x", ""] {
        refuse(throttle(json!(1), period), "duration_invalid", "throttle.period");
    }
    accept(throttle(json!(0), "1s"));
    refuse(throttle(json!(-1), "1s"), "type_invalid", "throttle.limit");
    refuse(json!({"throttle": {"limit": 1, "period": "1s", "burst": "1"}}), "type_invalid", "throttle.burst");
    refuse(json!({"throttle": 5}), "type_invalid", "throttle");
}

#[test]
fn rate_limits() {
    let rate_limit = |limit: Value, period: &str| json!({"rateLimit": {"limit": limit, "period": period}});
    for period in ["1ms", "24h", "1d"] {
        accept(rate_limit(json!(1), period));
    }
    for period in ["0", "86400001ms", "-1s", "x"] {
        refuse(rate_limit(json!(1), period), "duration_invalid", "rateLimit.period");
    }
    refuse(rate_limit(json!(0), "1s"), "value_invalid", "rateLimit.limit");
    refuse(rate_limit(json!(null), "1s"), "value_invalid", "rateLimit.limit");
    refuse(rate_limit(json!(-1), "1s"), "type_invalid", "rateLimit.limit");
}

#[test]
fn debounces() {
    let debounce = |period: &str, timeout: &str| json!({"debounce": {"period": period, "timeout": timeout}});
    for period in ["1s", "7d"] {
        accept(debounce(period, "1m"));
    }
    for period in ["999ms", "168h1ms"] {
        refuse(debounce(period, ""), "duration_invalid", "debounce.period");
    }
    refuse(debounce("1s", "later"), "duration_invalid", "debounce.timeout");
}

#[test]
fn batches() {
    let batch = |size: Value, timeout: &str| json!({"batchEvents": {"maxSize": size, "timeout": timeout}});
    for size in [2, 500] {
        accept(batch(json!(size), "1s"));
    }
    for size in [json!(0), json!(1), json!(501), json!(null)] {
        refuse(batch(size, "1s"), "batch_size_invalid", "batchEvents.maxSize");
    }
    refuse(batch(json!("9"), "1s"), "type_invalid", "batchEvents.maxSize");
    for timeout in ["1s", "60s", "5m"] {
        accept(batch(json!(2), timeout));
    }
    for timeout in ["999ms", "300001ms", "1d", "", "x"] {
        refuse(batch(json!(2), timeout), "batch_timeout_invalid", "batchEvents.timeout");
    }
}

#[test]
fn combinations() {
    let with = |more: Value| {
        let mut function = json!({"batchEvents": {"maxSize": 2, "timeout": "1s"}});
        function.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        function
    };
    for (field, more) in [
        ("cancel", json!({"cancel": [{"event": "x"}]})),
        ("debounce", json!({"debounce": {"period": "1s"}})),
        ("singleton", json!({"singleton": {"mode": "skip"}})),
        ("priority", json!({"priority": {"run": "1"}})),
    ] {
        accept(more.clone());
        refuse(with(more), "combo_unsupported", field);
    }
    accept(with(json!({"cancel": [], "rateLimit": {"limit": 1, "period": "1s"}, "idempotency": "event.id"})));
}

#[test]
fn cancellations() {
    let max = limits::CANCELS_PER_FUNCTION_MAX;
    accept(json!({"cancel": events(max)}));
    refuse(json!({"cancel": events(max + 1)}), "cancel_limit", "cancel");
    refuse(json!({"cancel": [{}]}), "event_name_invalid", "cancel[0].event");
    let long = "x".repeat(limits::TRIGGER_NAME_CHARACTERS_MAX);
    accept(json!({"cancel": [{"event": long}]}));
    refuse(json!({"cancel": [{"event": format!("{long}x")}]}), "event_name_invalid", "cancel[0].event");
    for timeout in ["1h", "2030-01-01T00:00:00Z"] {
        accept(json!({"cancel": [{"event": "x", "timeout": timeout}]}));
    }
    refuse(json!({"cancel": [{"event": "x", "timeout": "later"}]}), "duration_invalid", "cancel[0].timeout");
}

#[test]
fn singletons_and_timeouts() {
    for mode in ["skip", "cancel", ""] {
        accept(json!({"singleton": {"mode": mode}}));
    }
    refuse(json!({"singleton": {"mode": "zzz"}}), "value_invalid", "singleton.mode");
    accept(json!({"timeouts": {"start": "", "finish": "1h"}}));
    refuse(json!({"timeouts": {"start": "x"}}), "duration_invalid", "timeouts.start");
    refuse(json!({"timeouts": {"finish": 5}}), "type_invalid", "timeouts.finish");
}

#[test]
fn steps() {
    let at = |url: Value| json!({"steps": {"step": {"runtime": {"type": "http", "url": url}}}});
    for url in ["http://a.test", "https://a.test", "ws://a.test", "wss://connect/?fnId=x"] {
        accept(at(json!(url)));
    }
    for url in ["ftp://a.test", "/api/inngest", ""] {
        refuse(at(json!(url)), "url_invalid", "steps.step.runtime.url");
    }
    refuse(json!({"steps": {"step": {}}}), "url_invalid", "steps.step.runtime");
    refuse(json!({"steps": {}}), "step_count_invalid", "steps");
    refuse(json!({"steps": null}), "step_count_invalid", "steps");
    let step = json!({"runtime": {"url": "http://a.test"}});
    refuse(json!({"steps": {"a": step, "b": step}}), "step_count_invalid", "steps");
    refuse(json!({"steps": []}), "type_invalid", "steps");
}

#[test]
fn retries_are_clamped_and_not_refused() {
    for (attempts, expected) in
        [(json!(null), 4), (json!(0), 0), (json!(20), 20), (json!(21), 20), (json!(-1), 0), (json!(u64::MAX), 20)]
    {
        let mut driver = Driver::default();
        let step = json!({"runtime": {"url": "http://a.test"}, "retries": {"attempts": attempts}});
        driver.register(&app("a", &[function_with("a-f", json!({"steps": {"step": step}}))])).unwrap();
        assert_eq!(driver.catalog().functions[&"a-f".into()].retries, expected, "{attempts}");
    }
    let step = json!({"runtime": {"url": "http://a.test"}, "retries": {"attempts": "3"}});
    refuse(json!({"steps": {"step": step}}), "type_invalid", "steps.step.retries.attempts");
}

#[test]
fn names() {
    let max = limits::NAME_BYTES_MAX;
    accept(json!({"name": "x".repeat(max)}));
    refuse(json!({"name": "x".repeat(max + 1)}), "function_name_invalid", "name");
    refuse(json!({"name": ""}), "function_name_missing", "name");
    refuse(json!({"name": 5}), "type_invalid", "name");
    let found = details(function_with("a-f", json!({"id": null})));
    assert_eq!((found[0].subject.as_str(), found[0].field.as_str()), ("functions[0]", "id"));
    assert_eq!(details(json!("x"))[0].code, "type_invalid");
}

#[test]
fn every_fault_of_every_function_is_named() {
    let mut driver = Driver::default();
    let rows = driver.rows();
    let first = function_with("a-1", json!({"name": "", "debounce": {"period": "x"}, "triggers": [{"cron": "x"}]}));
    let second = function_with("a-2", json!({"singleton": {"mode": "x"}}));
    let refusal = driver.register(&app("a", &[first, function("a-ok"), second])).unwrap_err();
    let found: Vec<_> = refusal.details.iter().map(|detail| (detail.subject.as_str(), detail.field.as_str())).collect();
    assert_eq!(
        found,
        [("a-1", "name"), ("a-1", "triggers[0].cron"), ("a-1", "debounce.period"), ("a-2", "singleton.mode")]
    );
    assert!(refusal.message.contains("4 faults"), "{}", refusal.message);
    assert!(refusal.message.contains("a-1: name is missing"), "{}", refusal.message);
    assert_eq!(driver.rows(), rows, "all or nothing");
}

#[test]
fn the_same_id_twice_is_refused() {
    let refusal = Driver::default().register(&app("a", &[function("a-f"), function("a-f")])).unwrap_err();
    assert_eq!((refusal.details.len(), refusal.details[0].code.as_ref()), (1, "function_id_duplicate"));
}

#[test]
fn an_app_has_only_so_many_functions() {
    let functions = |count: usize| (0..count).map(|number| function(&format!("a-{number}"))).collect::<Vec<_>>();
    let max = limits::FUNCTIONS_PER_APP_MAX;
    let mut driver = Driver::default();
    let refusal = driver.register(&app("a", &functions(max + 1))).unwrap_err();
    assert_eq!((refusal.details.len(), refusal.details[0].code.as_ref()), (1, "function_limit"));
    driver.register(&app("a", &functions(max))).unwrap();
}

#[test]
fn a_server_has_only_so_many_apps() {
    let mut driver = Driver::default();
    for number in 0..limits::APPS_MAX {
        driver.register(&app(&format!("app{number}"), &[])).unwrap();
    }
    assert_eq!(driver.register(&app("another", &[])).unwrap_err().code, Code::ConfigInvalid);
    assert_eq!(driver.register(&app("app0", &[])).unwrap()["modified"], false);
}

#[test]
fn an_app_is_refused_without_a_name_an_address_or_a_safe_sdk() {
    let refused = |change: Value| -> Refusal {
        let mut body = app("a", &[]);
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        Driver::default().register(&body).unwrap_err()
    };
    for name in [json!(null), json!(""), json!("  "), json!(5)] {
        assert_eq!(refused(json!({"appName": name})).code, Code::AppNameMissing, "{name}");
    }
    assert_eq!(refused(json!({"sdk": "js:v3.30.1"})).code, Code::SdkVersionDenied);
    for url in [json!(null), json!(""), json!("nonsense"), json!("file:///x")] {
        let refusal = refused(json!({"url": url}));
        assert_eq!((refusal.code, refusal.details[0].code.as_ref()), (Code::ConfigInvalid, "url_invalid"), "{url}");
    }
    let long = refused(json!({"appName": "x".repeat(limits::NAME_BYTES_MAX + 1)}));
    assert_eq!(long.details[0].code, "app_name_invalid");
    assert_eq!(Driver::default().register(&json!([])).unwrap_err().code, Code::BodyInvalid);
    Driver::default().register(&app(&"x".repeat(limits::NAME_BYTES_MAX), &[])).unwrap();
}
