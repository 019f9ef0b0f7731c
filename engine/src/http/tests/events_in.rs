//! Events in: what is taken, and as what; what is not, and why.

use super::{Desk, NOW, asked, assert_refused, header, json, request, responded, told, with};
use crate::ids::{EventId, Millis};
use crate::limits::{
    EVENT_BYTES_MAX, EVENT_DEPTH_MAX, EVENT_NAME_CHARACTERS_MAX, EVENT_TIME_MAX, EVENT_TIME_MIN,
    EVENT_USER_ID_BYTES_MAX, EVENTS_PER_REQUEST_MAX,
};
use crate::stream::message::{Ask, NewEvent};
use crate::turn::{ActorKind, Address};
use serde_json::{Value, json};

/// The events that a body is taken as.
#[track_caller]
fn taken(body: impl Into<Vec<u8>>) -> Vec<NewEvent> {
    let question = asked(Desk::dev().open(request("POST", "/e/key", body)).start());
    assert_eq!(question.to, Address::new(ActorKind::Stream, "0"));
    match serde_json::from_slice(&question.body).unwrap() {
        Ask::Accept(events) => events,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn one(body: &str) -> NewEvent {
    let [event] = <[_; 1]>::try_from(taken(body)).unwrap();
    event
}

#[track_caller]
fn refused(body: impl Into<Vec<u8>>, code: &str) -> Value {
    let response = Desk::dev().at_once(request("POST", "/e/key", body));
    assert_refused(&response, 400, code);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    assert_eq!(json(&response)["ids"], json!([]), "nothing was accepted");
    json(&response)
}

#[test]
fn what_is_left_out_is_filled_in() {
    let event = one(r#"{"name":"a/b"}"#);
    let id = event.id;
    assert_eq!(event.event.get(), format!(r#"{{"data":{{}},"id":"{id}","name":"a/b","ts":{},"user":{{}}}}"#, NOW.0));
    assert_eq!((event.name.as_str(), event.ts, event.user_id, event.seeded), ("a/b", NOW, None, false));
    assert_eq!(id.at(), NOW);
    let nulls = one(r#"{"name":"a/b","data":null,"user":null,"id":null,"ts":null,"v":null,"meta":null}"#);
    assert_eq!(nulls.event.get(), event.event.get());
    let empties = one(r#"{"name":"a/b","data":{},"user":{},"id":"","ts":0,"v":"","meta":{}}"#);
    assert_eq!(empties.event.get(), event.event.get());
}

#[test]
fn what_is_given_stays_as_it_came() {
    let event = one(r#" {"v":"2","user":{ "b":1,"a":2 },"ts":1600000000000,"unknown":[],"id":"mine","name":"a\/b",
        "meta":{"x":1},"data":{ "z" : 1.10, "big":12345678901234567890123, "a":[{"_inngest":1}],"é":"\u00e9" }} "#);
    assert_eq!(
        event.event.get(),
        concat!(
            r#"{"data":{ "z" : 1.10, "big":12345678901234567890123, "a":[{"_inngest":1}],"é":"\u00e9" },"#,
            r#""id":"mine","meta":{"x":1},"name":"a/b","ts":1600000000000,"user":{ "b":1,"a":2 },"v":"2"}"#
        )
    );
    assert_eq!((event.user_id.as_deref(), event.ts), (Some("mine"), Millis(1_600_000_000_000)));
}

#[test]
fn what_belongs_to_the_server_is_taken_out_of_the_payload() {
    for payload in [
        r#"{"a":1.0,"_inngest":{"fn_id":"x"},"b": [ 2 ]}"#,
        r#"{"_inngest":1,"a":1.0,"b": [ 2 ],"_inngest":2}"#,
        r#"{"a":1.0,"b": [ 2 ],"\u005finngest":null}"#,
    ] {
        let event = one(&format!(r#"{{"name":"a","data":{payload}}}"#));
        assert!(event.event.get().starts_with(r#"{"data":{"a":1.0,"b":[ 2 ]},"id"#), "{}", event.event);
    }
}

#[test]
fn an_array_is_taken_in_its_order() {
    let events = taken(r#"[{"name":"c"},{"name":"a"},{"name":"b"}]"#);
    assert_eq!(events.iter().map(|event| event.name.as_str()).collect::<String>(), "cab");
    assert!(events.is_sorted_by_key(|event| event.id) && events[0].id < events[1].id, "ids keep the order");
}

#[test]
fn the_response_has_the_ids() {
    let mut exchange = Desk::dev().open(request("POST", "/e/key", r#"[{"name":"a"},{"name":"b"}]"#));
    asked(exchange.start());
    let response = responded(exchange.resume(NOW, vec![told(&json!({"Ok": {"ids": ["1", "2"]}}))]));
    assert_eq!((response.status, json(&response)), (200, json!({"ids": ["1", "2"], "status": 200})));
    assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&response, "x-inngest-server-kind"), Some("dev"));
}

#[test]
fn no_events_are_no_fault() {
    let response = Desk::dev().at_once(request("POST", "/e/key", " [ ] "));
    assert_eq!((response.status, json(&response)), (200, json!({"ids": [], "status": 200})));
}

#[test]
fn a_seed_fixes_the_ids() {
    let post = |seed: &str| {
        let request = request("POST", "/e/key", r#"[{"name":"a"},{"name":"b"}]"#);
        let question = asked(Desk::dev().open(with(request, "x-inngest-event-id-seed", seed)).start());
        match serde_json::from_slice(&question.body).unwrap() {
            Ask::Accept(events) => events.into_iter().map(|event| (event.id, event.seeded)).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        }
    };
    let id = |text| EventId::parse(text).unwrap();
    let expected = [(id("01HF7YAT000000000000000001"), true), (id("01HF7YAT000000000000000002"), true)];
    assert_eq!(post("1700000000000,AAAAAAAAAAAAAA=="), expected);
    assert!(post("garbage").iter().all(|(id, seeded)| id.at() == NOW && !seeded));
    let invoke =
        with(request("POST", "/invoke/app-a", "{}"), "x-inngest-event-id-seed", "1700000000000,AAAAAAAAAAAAAA==");
    let question = asked(Desk::dev().open(invoke).start());
    let body: serde_json::Value = serde_json::from_slice(&question.body).unwrap();
    assert!(body.to_string().contains("01HF7YAT000000000000000000"), "an invocation counts from 0: {body}");
}

#[test]
fn what_is_no_event_is_refused_with_the_reason() {
    let cases: [(&str, &str, &str); 27] = [
        (r#"{"data":{}}"#, "event_name_missing", "name"),
        (r#"{"name":""}"#, "event_name_missing", "name"),
        (r#"{"name":null}"#, "event_name_missing", "name"),
        (r#"{"name":7}"#, "event_invalid", "name"),
        (r#"{"name":["a"]}"#, "event_invalid", "name"),
        (r#"{"name":"inngest/foo"}"#, "event_name_reserved", "name"),
        (r#"{"name":"InNgEsT/"}"#, "event_name_reserved", "name"),
        (r#"{"name":"\u0069nngest/x"}"#, "event_name_reserved", "name"),
        (r#"{"name":"a","data":[1]}"#, "event_invalid", "data"),
        (r#"{"name":"a","data":"x"}"#, "event_invalid", "data"),
        (r#"{"name":"a","user":7}"#, "event_invalid", "user"),
        (r#"{"name":"a","id":7}"#, "event_invalid", "id"),
        (r#"{"name":"a","v":{}}"#, "event_invalid", "v"),
        (r#"{"name":"a","meta":true}"#, "event_invalid", "meta"),
        (r#"{"name":"a","ts":"1"}"#, "event_invalid", "ts"),
        (r#"{"name":"a","ts":1.5}"#, "event_invalid", "ts"),
        (r#"{"name":"a","ts":1e12}"#, "event_invalid", "ts"),
        (r#"{"name":"a","ts":true}"#, "event_invalid", "ts"),
        (r#"{"name":"a","ts":12}"#, "event_time_invalid", "ts"),
        (r#"{"name":"a","ts":-1700000000000}"#, "event_time_invalid", "ts"),
        (r#"{"name":"a","ts":99999999999999}"#, "event_time_invalid", "ts"),
        (r#"{"name":"a","ts":99999999999999999999999999}"#, "event_time_invalid", "ts"),
        (r#"{"name":"a","name":"b"}"#, "event_invalid", ""),
        (r#"{"name":"a","data":{"x":1e400}}"#, "event_invalid", ""),
        (r#"{"name":"a","data":{"x":"\ud800"}}"#, "event_invalid", ""),
        ("[[]]", "body_invalid", ""),
        ("[null]", "body_invalid", ""),
    ];
    for (body, code, field) in cases {
        let told = refused(body, code);
        assert_eq!(
            (&told["details"][0]["field"], &told["details"][0]["subject"]),
            (&json!(field), &json!("0")),
            "{body}"
        );
        assert_eq!(told["details"][0]["code"], code);
    }
}

#[test]
fn what_is_not_json_is_refused() {
    let bodies: [&[u8]; 10] = [
        b"",
        b" \n",
        b"\"name\"",
        b"7",
        b"{",
        b"[{\"name\":\"a\"}",
        b"{\"name\":\"a\"}x",
        b"[{}]]",
        b"\xff",
        b"{\"name\":\"\xff\"}",
    ];
    for body in bodies {
        refused(body, "body_invalid");
    }
}

#[test]
fn one_faulty_event_keeps_all_of_them_out() {
    let told =
        refused(r#"[{"name":"a"},{"name":"inngest/x"},{"name":"b"},{"name":"c","ts":1}]"#, "event_name_reserved");
    let faults: Vec<_> =
        told["details"].as_array().unwrap().iter().map(|fault| fault["subject"].as_str().unwrap()).collect();
    assert_eq!(faults, ["1", "3"]);
    let sentence = told["error"].as_str().unwrap();
    assert!(sentence.starts_with("event 1 ") && sentence.contains("2 of 4"), "{sentence}");
}

#[test]
fn each_limit_holds_what_it_says_and_no_more() {
    let name = |count: usize| json!({"name": "é".repeat(count)}).to_string();
    one(&name(EVENT_NAME_CHARACTERS_MAX));
    refused(name(EVENT_NAME_CHARACTERS_MAX + 1), "event_name_too_long");

    let id = |count: usize| json!({"name": "a", "id": "x".repeat(count)}).to_string();
    one(&id(EVENT_USER_ID_BYTES_MAX));
    refused(id(EVENT_USER_ID_BYTES_MAX + 1), "event_invalid");

    let sized = |bytes: usize| {
        let frame = json!({"name": "a", "data": {"x": ""}}).to_string().len();
        json!({"name": "a", "data": {"x": "y".repeat(bytes - frame)}}).to_string()
    };
    one(&sized(EVENT_BYTES_MAX));
    refused(sized(EVENT_BYTES_MAX + 1), "event_too_large");

    let many = |count: usize| format!("[{}]", vec![r#"{"name":"a"}"#; count].join(","));
    assert_eq!(taken(many(EVENTS_PER_REQUEST_MAX)).len(), EVENTS_PER_REQUEST_MAX);
    refused(many(EVENTS_PER_REQUEST_MAX + 1), "too_many_events");

    let deep = |levels: u32| {
        let levels = levels as usize - 2;
        format!(r#"{{"name":"a","data":{{"x":{}{}}}}}"#, "[".repeat(levels), "]".repeat(levels))
    };
    one(&deep(EVENT_DEPTH_MAX));
    refused(deep(EVENT_DEPTH_MAX + 1), "event_invalid");
    refused(deep(1_000_000), "event_invalid");

    let at = |ts: u64| json!({"name": "a", "ts": ts}).to_string();
    assert_eq!(one(&at(EVENT_TIME_MIN.0)).ts, EVENT_TIME_MIN);
    assert_eq!(one(&at(EVENT_TIME_MAX.0)).ts, EVENT_TIME_MAX);
    refused(at(EVENT_TIME_MIN.0 - 1), "event_time_invalid");
    refused(at(EVENT_TIME_MAX.0 + 1), "event_time_invalid");
}

#[test]
fn faults_are_told_up_to_a_bound() {
    let told = refused(format!("[{}]", vec!["{}"; EVENTS_PER_REQUEST_MAX].join(",")), "event_name_missing");
    assert_eq!(told["details"].as_array().map(Vec::len), Some(crate::limits::EVENT_FAULTS_TOLD_MAX));
}

#[test]
fn browsers_may_post() {
    for target in ["/e/key", "/invoke/app-a"] {
        let preflight = request("OPTIONS", target, "");
        let preflight = with(preflight, "access-control-request-headers", "content-type, x-mine");
        let response = Desk::dev().at_once(preflight);
        assert_eq!(response.status, 200);
        assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
        assert_eq!(header(&response, "access-control-allow-headers"), Some("content-type, x-mine"));
        assert!(header(&response, "access-control-allow-methods").unwrap().contains("POST"));
        assert_eq!(header(&response, "access-control-max-age"), Some("3600"));
    }
}

#[test]
fn an_invocation_names_its_function() {
    let uuid = crate::ids::uuid_of("app-a");
    for target in ["/invoke/app-a", "/invoke/app%2Da", &format!("/invoke/{uuid}")] {
        let mut exchange =
            Desk::dev().open(request("POST", target, r#"{"name":"x","data":{"n": 1 ,"_inngest":7},"id":"mine"}"#));
        let Ask::Accept(events) = serde_json::from_slice(&asked(exchange.start()).body).unwrap() else { panic!() };
        let [event] = <[_; 1]>::try_from(events).unwrap();
        assert_eq!(event.name, "inngest/function.invoked");
        assert!(
            event.event.get().starts_with(r#"{"data":{"n":1,"_inngest":{"fn_id":"app-a"}},"id":"mine","#),
            "{}",
            event.event
        );
        let response = responded(exchange.resume(NOW, vec![told(&json!({"Ok": {"ids": ["1"]}}))]));
        assert_eq!(json(&response), json!({"id": "1", "status": 200}));
    }
    asked(Desk::dev().open(request("POST", "/invoke/app-a", "")).start());
    assert_refused(&Desk::dev().at_once(request("POST", "/invoke/app-b", "{}")), 404, "function_unknown");
    assert_refused(&Desk::dev().at_once(request("POST", "/invoke/app-a", "[]")), 400, "body_invalid");
    let mut archived = Desk::dev();
    archived.catalog.functions.values_mut().for_each(|function| function.archived = true);
    assert_refused(&archived.at_once(request("POST", "/invoke/app-a", "{}")), 404, "function_unknown");
}
