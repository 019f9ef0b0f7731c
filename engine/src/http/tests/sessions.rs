//! The sessions of an event (PROTOCOL §8.3).

use super::{Desk, Progress, assert_refused, request};
use crate::stream::message::Ask;
use serde_json::{Value, json};

/// `meta` as it is stored, or the refusal's body.
fn stored(meta: &Value) -> Result<Value, super::Response> {
    let body = json!({"name": "a", "meta": meta}).to_string();
    match Desk::dev().open(request("POST", "/e/key", body)).start() {
        Progress::Ask { questions, .. } => {
            let Ask::Accept(events) = serde_json::from_slice(&questions[0].body).unwrap() else { panic!() };
            let event: Value = serde_json::from_str(events[0].event.get()).unwrap();
            Ok(event["meta"].clone())
        }
        Progress::Respond(response) => Err(response),
        Progress::Watch(_) => panic!(),
    }
}

#[test]
fn what_is_set_wins_over_what_is_inherited() {
    let cases = [
        (json!({"sessions": {"a": "1", "b": 2.5}}), json!({"sessions": {"a": "1", "b": "2.5"}})),
        (json!({"propagated_sessions": {"a": "1"}}), json!({"sessions": {"a": "1"}})),
        (
            json!({"sessions": {"a": "new"}, "propagated_sessions": {"a": "old", "b": "2"}}),
            json!({"sessions": {"a": "new", "b": "2"}}),
        ),
        (
            json!({"sessions": {"a": null}, "propagated_sessions": {"a": "old", "b": "2"}}),
            json!({"sessions": {"b": "2"}}),
        ),
        (json!({"sessions": null, "propagated_sessions": {"a": "old"}}), json!(null)),
        (json!({"sessions": null, "propagated_sessions": {"a": "old"}, "x": 1}), json!({"x": 1})),
        (json!({"sessions": {}, "propagated_sessions": null}), json!(null)),
        (
            json!({"sessions": {"z": "1", "y": "2", "x": "3"}, "propagated_sessions": {"c": "6", "a": "4", "b": "5"}}),
            json!({"sessions": {"z": "1", "y": "2", "x": "3", "a": "4", "b": "5"}}),
        ),
    ];
    for (sent, expected) in cases {
        assert_eq!(stored(&sent).unwrap(), expected, "{sent}");
    }
}

#[test]
fn what_is_no_session_is_refused() {
    let many = |count: usize| (0..count).map(|n| (n.to_string(), json!("x"))).collect::<serde_json::Map<_, _>>();
    let cases = [
        json!({"sessions": []}),
        json!({"sessions": "x"}),
        json!({"sessions": {"a": true}}),
        json!({"sessions": {"a": {}}}),
        json!({"propagated_sessions": 7}),
        json!({"sessions": many(6)}),
        json!({"sessions": {"k".repeat(129): "x"}}),
        json!({"sessions": {"k": "x".repeat(513)}}),
    ];
    for meta in cases {
        assert_refused(&stored(&meta).unwrap_err(), 400, "event_invalid");
    }
    assert!(stored(&json!({"sessions": many(5)})).is_ok());
    assert!(stored(&json!({"sessions": {"k".repeat(128): "x".repeat(512)}})).is_ok());
}
