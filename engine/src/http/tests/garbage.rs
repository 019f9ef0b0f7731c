//! No request makes the engine panic, and every response to one is JSON or empty.

use super::{Desk, NOW, told};
use crate::http::{AskFailure, Progress, Request, Response};
use proptest::prelude::*;
use serde_json::json;

/// Plays the shell, with whatever answers.
fn play(request: Request, answers: &[Result<Vec<u8>, AskFailure>]) -> Option<Response> {
    let mut desk = Desk::dev();
    desk.settings.cloud = request.body.len().is_multiple_of(2);
    let mut exchange = desk.open(request);
    let mut progress = exchange.start();
    for answer in answers {
        progress = match progress {
            Progress::Respond(response) => return Some(response),
            Progress::Ask { questions, .. } => exchange.resume(NOW, vec![answer.clone(); questions.len()]),
            Progress::Watch(until) => exchange.resume(until, Vec::new()),
        };
    }
    match progress {
        Progress::Respond(response) => Some(response),
        _ => None,
    }
}

fn check(response: &Response) {
    let empty = matches!(response.status, 200 | 204) && response.body.is_empty();
    assert!(empty || serde_json::from_slice::<serde_json::Value>(&response.body).is_ok(), "{response:?}");
    assert!(response.headers.iter().any(|(name, _)| name == "x-inngest-server-kind"), "{response:?}");
    assert!((200..600).contains(&response.status));
}

fn answer() -> impl Strategy<Value = Result<Vec<u8>, AskFailure>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Ok),
        Just(Err(AskFailure::TimedOut)),
        Just(told(&json!({"Ok": null}))),
        Just(told(&json!({"Ok": [super::RUN]}))),
        Just(told(&json!({"Ok": {"ids": ["x"], "status": "Running", "events": []}}))),
        Just(told(&json!({"Err": {"code": "run_unknown", "message": "no such run"}}))),
    ]
}

fn path() -> impl Strategy<Value = String> {
    let known = [
        "e",
        "key",
        "invoke",
        "app-a",
        "fn",
        "register",
        "sync",
        "v1",
        "v0",
        "runs",
        "events",
        "timeline",
        "async",
        "checkpoint",
        "health",
        "dev",
        super::RUN,
        "%2F",
        "%",
        "",
    ];
    let segment = prop_oneof![prop::sample::select(known.to_vec()).prop_map(str::to_owned), ".{0,5}"];
    prop::collection::vec(segment, 0..5).prop_map(|segments| format!("/{}", segments.join("/")))
}

proptest! {
    #[test]
    fn any_request_is_answered(
        method in prop_oneof![Just("GET".to_owned()), Just("POST".to_owned()), Just("DELETE".to_owned()), ".{0,4}"],
        path in path(),
        query in prop_oneof![Just(String::new()), Just("wait_ms=5&limit=3&after=1".to_owned()), ".{0,20}"],
        content_type in prop_oneof![
            Just("multipart/form-data; boundary=x"), Just("application/x-www-form-urlencoded"), Just("application/json")
        ],
        body in prop::collection::vec(any::<u8>(), 0..100),
        answers in prop::collection::vec(answer(), 0..4),
    ) {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        if let Some(response) = play(Request { method, path, query, headers, body }, &answers) {
            check(&response);
        }
    }

    #[test]
    fn any_body_is_taken_or_refused(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            r#"[\[{}\],:"a-z0-9\\.-]{0,60}"#.prop_map(String::into_bytes),
            r#"\[?\{("(name|data|ts|id|user|v|meta)":(1|-1|1e9|null|"a"|\{\}|\[\]),?){0,4}\}\]?"#.prop_map(String::into_bytes),
            r#"--x\r\n(content-disposition: ?form-data; ?name="?a"?(\r\n){0,3}){0,2}b\r\n--x(--)?"#.prop_map(String::into_bytes),
        ],
        form in any::<bool>(),
        seed in ".{0,30}",
    ) {
        let content_type = if form { "multipart/form-data; boundary=x" } else { "application/json" };
        let headers = vec![
            ("content-type".to_owned(), content_type.to_owned()), ("x-inngest-event-id-seed".to_owned(), seed)
        ];
        let request = Request { method: "POST".to_owned(), path: "/e/key".to_owned(), query: String::new(), headers, body };
        let answers = [told(&json!({"Ok": {"ids": ["x"]}}))];
        check(&play(request, &answers).unwrap());
    }
}
