//! What is told of a function's flow control, and how it is paused.

use super::{Desk, NOW, assert_refused, get, json, request, told};
use crate::catalog::Pause;
use crate::catalog::message::Ask as ToCatalog;
use crate::error::Refusal;
use crate::gate::Waiting;
use crate::gate::place::{self, Kind};
use crate::gate::slots::message::Overview;
use crate::http::Progress;
use crate::ids::{Millis, uuid_of};
use crate::stream::driver::catalog;
use crate::turn::ActorKind;
use serde_json::{Value, json};

fn desk() -> Desk {
    let mut desk = Desk::dev();
    desk.catalog = catalog(&[("app-a", &["x"]), ("app-gone", &["x"])]);
    desk.catalog.functions.get_mut(&"app-gone".into()).unwrap().archived = true;
    desk
}

#[test]
fn flow_tells_what_waits_and_by_which_limits() {
    let mut desk = desk();
    let function = desk.catalog.functions.get_mut(&"app-a".into()).unwrap();
    function.flow = serde_json::from_value(json!({"throttle": {"limit": 1, "period": 1_000, "burst": 0}})).unwrap();
    function.paused = Some(Pause::Keep);
    for id in ["app-a".to_owned(), uuid_of("app-a")] {
        let mut exchange = desk.open(get(&format!("/v1/functions/{id}/flow")));
        let Progress::Ask { questions, .. } = exchange.start() else { panic!("it asks the gate") };
        assert_eq!(questions[0].to.kind, ActorKind::Gate);
        let overview = json!({
            "queued": 3, "queued_starts": 2, "parked": 1, "in_flight": 5, "runs": 4,
            "longest": [{"keys": {"event.data.t": "7"}, "queued": 2}], "not_before": null, "next_start_at": 60_000
        });
        let response = super::responded(exchange.resume(NOW, vec![told(&Ok::<_, Refusal>(&overview))]));
        let data = json(&response)["data"].clone();
        let expected = json!({
            "function_id": uuid_of("app-a"), "function_slug": "app-a", "paused": {"events": "keep"},
            "limits": {"throttle": {"limit": 1, "period": 1_000, "burst": 0}},
            "queued": 3, "queued_starts": 2, "queued_at_shared_limits": 1, "in_flight": 5, "runs_begun": 4,
            "longest_queues": [{"keys": {"event.data.t": "7"}, "queued": 2}], "not_before": null, "next_start_at": "1970-01-01T00:01:00.000Z",
            "stages": []
        });
        assert_eq!(data, expected);
    }
}

#[test]
fn flow_tells_what_waits_before_there_is_a_run_under_a_key() {
    let mut desk = desk();
    let function = desk.catalog.functions.get_mut(&"app-a".into()).unwrap();
    function.flow = serde_json::from_value(json!({
        "rate_limit": {"limit": 1, "period": 60_000},
        "debounce": {"period": 1_000, "key": "event.data.t"}
    }))
    .unwrap();
    for (query, key) in [("", ""), ("?key=tenant%207", "tenant 7")] {
        let mut exchange = desk.open(get(&format!("/v1/functions/app-a/flow{query}")));
        let Progress::Ask { questions, .. } = exchange.start() else { panic!("it asks the gates") };
        let asked: Vec<&str> = questions.iter().map(|question| question.to.key.as_str()).collect();
        let gate = |kind, key| place::key(kind, &"app-a".into(), key);
        assert_eq!(asked, [gate(Kind::Slots, ""), gate(Kind::RateLimit, ""), gate(Kind::Debounce, key)]);
        let answers = [
            json!(Overview::default()),
            json!(Waiting { held: 0, next_start_at: None }),
            json!(Waiting { held: 1, next_start_at: Some(Millis(60_000)) }),
        ];
        let answers = answers.iter().map(|answer| told(&Ok::<_, Refusal>(answer))).collect();
        let response = super::responded(exchange.resume(NOW, answers));
        let expected = json!([
            {"stage": "rate-limit", "key": "", "held": 0, "next_start_at": null},
            {"stage": "debounce", "key": key, "held": 1, "next_start_at": "1970-01-01T00:01:00.000Z"}
        ]);
        assert_eq!(json(&response)["data"]["stages"], expected);
    }
}

#[test]
fn a_function_is_paused_and_resumed_through_the_catalog() {
    for (path, body, paused) in [
        ("pause", "", Some(Pause::Keep)),
        ("pause", "{}", Some(Pause::Keep)),
        ("pause", r#"{"events":"keep"}"#, Some(Pause::Keep)),
        ("pause", r#"{"events":"skip"}"#, Some(Pause::Skip)),
        ("pause", r#"{"events":"drain"}"#, Some(Pause::Drain)),
        ("resume", "", None),
    ] {
        let mut exchange = desk().open(request("POST", &format!("/v1/functions/app-a/{path}"), body));
        let Progress::Ask { questions, .. } = exchange.start() else { panic!("{path} asks the catalog") };
        let ask: ToCatalog = serde_json::from_slice(&questions[0].body).unwrap();
        let ToCatalog::Pause { function, paused: asked } = ask else { panic!("{ask:?}") };
        assert_eq!((function.as_str(), asked), ("app-a", paused));
        let response = super::responded(exchange.resume(NOW, vec![told(&Ok::<_, Refusal>(Value::Null))]));
        assert_eq!(json(&response)["data"]["paused"], paused.map_or(Value::Null, |events| json!({"events": events})));
    }
}

#[test]
fn what_is_no_function_or_no_way_to_pause_is_refused() {
    for id in ["none", "app-gone"] {
        assert_refused(&desk().at_once(get(&format!("/v1/functions/{id}/flow"))), 404, "function_unknown");
    }
    for body in ["7", r#"{"events":"drop"}"#, r#"{"event":"skip"}"#] {
        assert_refused(&desk().at_once(request("POST", "/v1/functions/app-a/pause", body)), 400, "body_invalid");
    }
}
