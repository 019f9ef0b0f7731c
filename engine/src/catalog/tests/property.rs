//! Whatever comes, the catalog answers, and its state stays the fold of its rows (the driver looks after that).

use super::driver::{Driver, app, function};
use crate::turn::AppAnswer;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const KEYS: [&str; 34] = [
    "id",
    "name",
    "triggers",
    "event",
    "expression",
    "cron",
    "jitter",
    "steps",
    "step",
    "runtime",
    "url",
    "retries",
    "attempts",
    "idempotency",
    "concurrency",
    "limit",
    "key",
    "scope",
    "fn",
    "throttle",
    "period",
    "burst",
    "rateLimit",
    "debounce",
    "timeout",
    "batchEvents",
    "maxSize",
    "if",
    "priority",
    "run",
    "timeouts",
    "cancel",
    "singleton",
    "mode",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        prop::sample::select(vec!["5s", "1h", "env", "skip", "* * * * *", "http://a.test", "x"]).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let key = prop_oneof![3 => prop::sample::select(KEYS.to_vec()).prop_map(str::to_owned), 1 => "\\PC{0,5}"];
        let entries = prop::collection::vec((key, inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Value::from),
            entries.prop_map(|entries| Value::from(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn no_body_makes_a_register_call_panic(body in any_json(), more in any_json()) {
        let mut driver = Driver::default();
        let _ = driver.register(&body);
        // Likely to get as far as the functions, and with some luck through them.
        let mut body = app("a", &[body]);
        let _ = driver.register(&body);
        let mut known = function("a-f");
        if let (Some(known), Value::Object(more)) = (known.as_object_mut(), more) {
            known.extend(more);
        }
        body["functions"] = json!([known]);
        let _ = driver.register(&body);
    }

    #[test]
    fn no_answer_makes_a_sync_panic(status in any::<u16>(), bytes in any::<Vec<u8>>(), body in any_json(), is_text: bool) {
        let body = if is_text { bytes } else { body.to_string().into_bytes() };
        for kind in ["in_band", "out_of_band"] {
            let mut driver = Driver::with_key(false);
            let headers = [("x-inngest-sdk", "x"), ("x-inngest-sync-kind", kind)];
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let status = if is_text { status } else { 200 };
            driver.sync_one("http://a.test", Ok(AppAnswer { status, headers, body: body.clone() }));
        }
    }
}
