//! Apps that misbehave: every failure is an attempt with a code, nothing is lost, the server lives.

use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stepwell_tests::{App, Client, Keys, Mode, Reply, Request, Rogue, Sdk, Server, sdk_reply, until};

const MIB: usize = 1 << 20;

fn http(status: u16, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Bytes(
        format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}")
            .into_bytes(),
    )
}

fn start(client: &Client, name: &str) -> String {
    let ids = client.send(&json!({"name": format!("{name}/go")}));
    client.run_of(&ids[0], &format!("{name}-f"))
}

/// A way to answer, and the code that it is known by.
type Case = (&'static str, fn(&Request) -> Reply, &'static str);

const CASES: &[Case] = &[
    ("closes", |_| Reply::Close, "http_unreachable"),
    ("garbage", |_| Reply::Bytes(b"\x00\xff not http at all\r\n\r\n".to_vec()), "http_unreachable"),
    (
        "short",
        |_| Reply::Bytes(b"HTTP/1.1 200 OK\r\nx-inngest-sdk: a\r\ncontent-length: 100\r\n\r\n{".to_vec()),
        "http_unreachable",
    ),
    ("login", |_| http(200, "", "<html>please log in</html>"), "not_sdk"),
    ("crash", |_| http(500, "", "<html>oops</html>"), "http_not_ok"),
    ("missing", |_| http(404, "", "no such page"), "http_not_ok"),
    ("loops", |call| http(302, "location: /again\r\n", &call.line), "answer_invalid"),
    ("nowhere", |_| http(307, "location: http://127.0.0.1:1/\r\n", ""), "http_unreachable"),
    ("huge", |_| sdk_reply(200, "", &vec![b' '; 8 * MIB + 1]), "output_too_large"),
    ("not-json", |_| sdk_reply(206, "", b"[{]"), "answer_invalid"),
    ("not-ops", |_| sdk_reply(206, "", b"{\"op\":7}"), "answer_invalid"),
    ("not-a-list", |_| sdk_reply(206, "", b"17"), "answer_invalid"),
    ("no-ops", |_| sdk_reply(206, "", b"[]"), "answer_empty"),
    ("unknown-op", |_| sdk_reply(206, "", br#"[{"op":"Teleport","id":"x","name":"x"}]"#), "opcode_unknown"),
    ("lower-op", |_| sdk_reply(206, "", br#"[{"op":"steprun","id":"x","name":"x"}]"#), "opcode_unknown"),
    (
        "later-op",
        |_| sdk_reply(206, "", br#"[{"op":"SyncRunComplete","id":"x","name":"x","opts":{}}]"#),
        "opcode_unsupported",
    ),
    ("bad-sleep", |_| sdk_reply(206, "", br#"[{"op":"Sleep","id":"x","name":"soon"}]"#), "sleep_invalid"),
    ("long-sleep", |_| sdk_reply(206, "", br#"[{"op":"Sleep","id":"x","name":"367d"}]"#), "sleep_too_long"),
    ("envelope", |_| sdk_reply(201, "", b"   not an envelope"), "answer_invalid"),
    ("envelope-no-sdk", |_| http(201, "", r#"{"status":200,"headers":{},"body":"1"}"#), "not_sdk"),
    ("envelope-types", |_| sdk_reply(201, "", br#"{"status":"x","headers":7,"body":{}}"#), "answer_invalid"),
    ("envelope-error", |_| sdk_reply(201, "", br#"{"error":"the stream broke"}"#), "the stream broke"),
    ("long-id", long_id, "answer_invalid"),
    ("big-step", big_step, "output_too_large"),
    ("gzip", |_| sdk_reply(200, "content-encoding: gzip\r\n", b"not gzip"), "answer_invalid"),
    ("encoding", |_| sdk_reply(200, "content-encoding: zstd\r\n", b"1"), "answer_invalid"),
];

fn long_id(_: &Request) -> Reply {
    sdk_reply(206, "", json!([{"op": "StepRun", "id": "i".repeat(257), "name": "x", "data": 1}]).to_string().as_bytes())
}

fn big_step(_: &Request) -> Reply {
    let op = json!([{"op": "StepRun", "id": "x", "name": "x", "data": "d".repeat(4 * MIB)}]);
    sdk_reply(206, "", op.to_string().as_bytes())
}

#[test]
fn every_kind_of_nonsense_fails_the_run_with_its_code() {
    let mut server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let apps: Vec<_> = CASES.iter().map(|(name, behaviour, _)| (name, Rogue::start(behaviour))).collect();
    for (name, app) in &apps {
        app.register(&client, name, 1);
    }
    let runs: Vec<_> = apps.iter().map(|(name, _)| start(&client, name)).collect();
    let mut wrong = Vec::new();
    for ((run, (name, _, code)), (_, app)) in runs.iter().zip(CASES).zip(&apps) {
        let summary = client.over(run);
        let (status, error) = (summary["status"].as_str().unwrap_or_default(), summary["output"].to_string());
        let timeline = client.timeline(run);
        let said = summary["output"]["message"].as_str().is_some_and(|sentence| sentence.len() > 10);
        if status != "Failed" || !said || !timeline.contains(code) || app.requests().is_empty() {
            wrong.push(format!("{name}: {status}, wanted {code}: {error}; {timeline}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    server.assert_healthy();
}

#[test]
fn an_app_that_is_not_there_is_tried_again() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let awake = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&awake);
    let app = Rogue::start(move |_| if seen.load(Ordering::Relaxed) { sdk_reply(200, "", b"7") } else { Reply::Close });
    app.register(&client, "asleep", 20);
    let run = start(&client, "asleep");
    until("three attempts fail", || (app.requests().len() >= 3).then_some(()));
    awake.store(true, Ordering::Relaxed);
    let summary = client.over(&run);
    assert_eq!((&summary["status"], &summary["output"]), (&json!("Completed"), &json!(7)));
    let attempts: Vec<_> = app.requests().iter().map(Request::attempt).collect();
    let expected: Vec<_> = (0..).take(attempts.len()).collect();
    assert_eq!(attempts, expected, "one by one, none twice");
    assert!(client.timeline(&run).contains("http_unreachable"));
}

#[test]
fn no_retry_is_final_and_retry_after_is_obeyed_from_anyone() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let final_app = Rogue::start(|_| http(503, "x-inngest-no-retry: true\r\n", "down for good"));
    final_app.register(&client, "final", 5);
    let polite_app = Rogue::start(|call| match call.attempt() {
        0 => http(429, "retry-after: 1\r\n", "slow down"),
        _ => sdk_reply(200, "", b"1"),
    });
    polite_app.register(&client, "polite", 1);
    let (first, second) = (start(&client, "final"), start(&client, "polite"));
    assert_eq!(client.over(&first)["status"], "Failed");
    assert_eq!(final_app.requests().len(), 1);
    assert_eq!(client.over(&second)["status"], "Completed");
    let rows = client.data(&format!("/v1/runs/{second}/journal"));
    let at = |row: usize| rows[row]["at_ms"].as_u64().expect("a moment");
    assert!(at(2) - at(1) >= 1_000, "{rows}");
}

#[test]
fn a_redirect_is_followed_with_method_and_body() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let app = Rogue::start(|call| match call.line.contains("/elsewhere") {
        true => sdk_reply(200, "", json!(call.json()["event"]["name"]).to_string().as_bytes()),
        false => http(307, "location: /elsewhere\r\n", ""),
    });
    app.register(&client, "moved", 0);
    let summary = client.over(&start(&client, "moved"));
    assert_eq!((&summary["status"], &summary["output"]), (&json!("Completed"), &json!("moved/go")), "{summary}");
    let lines: Vec<_> = app.requests().into_iter().map(|call| call.line).collect();
    assert!(lines[1].starts_with("POST /elsewhere?") && lines[1].contains("fnId=moved-f"), "{lines:?}");
}

#[test]
fn a_hanging_app_hinders_nobody_else() {
    let mut server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let hanging = Rogue::start(|_| Reply::Hang);
    let dripping = Rogue::start(|_| {
        Reply::BytesThenHang(b"HTTP/1.1 200 OK\r\nx-inngest-sdk: a\r\ncontent-length: 9\r\n\r\n1".to_vec())
    });
    hanging.register(&client, "hanging", 0);
    dripping.register(&client, "dripping", 0);
    let stuck: Vec<_> = (0..20).map(|n| start(&client, if n % 2 == 0 { "hanging" } else { "dripping" })).collect();
    until("all of them hang", || (hanging.requests().len() + dripping.requests().len() == 20).then_some(()));
    let quick = Rogue::start(|_| sdk_reply(200, "", b"1"));
    quick.register(&client, "quick", 0);
    assert_eq!(client.over(&start(&client, "quick"))["status"], "Completed");
    // A run whose call hangs can be stopped, and a crash sends the call again.
    let cancelled = client.ask("DELETE", &format!("/v1/runs/{}", stuck[0]), &[], b"").expect("an answer");
    assert_eq!(cancelled.status, 200);
    assert_eq!(client.over(&stuck[0])["status"], "Cancelled");
    server.kill();
    server.restart();
    until("the calls of the others are made again", || {
        (hanging.requests().len() + dripping.requests().len() == 20 + 19).then_some(())
    });
    assert!(stuck[1..].iter().all(|run| client.run(run)["ended_at"].is_null()), "nobody has given up");
}

#[test]
fn a_killed_app_comes_back_to_its_runs() {
    let server = Server::start(Mode::Dev, &[]);
    let mut app = App::start(Sdk::Js4, &server.origin(), &Keys::None);
    assert_eq!(app.sync("js4").status, 200);
    let client = server.client();
    let ids = client.send(&json!({"name": "js4/ten-steps", "data": {"step_ms": 100}}));
    let run = client.run_of(&ids[0], "js4-ten-steps");
    let before = until("some steps are recorded", || {
        let results = client.journal(&run).results();
        (results.len() >= 3).then_some(results)
    });
    // Another process, another port: the app's new registration moves its runs. It starts first, so that the attempts
    // do not run out meanwhile.
    let successor = App::start(Sdk::Js4, &server.origin(), &Keys::None);
    app.kill();
    assert_eq!(successor.sync("js4").status, 200);
    let summary = client.over(&run);
    assert_eq!(summary["status"], "Completed", "{summary}");
    let after = client.journal(&run).results();
    assert!(before.iter().all(|(id, (_, result))| after[id].1 == *result));
    let executed = successor.seen(Some(&run))["executions"].clone();
    let again =
        executed.as_array().expect("a list").iter().filter(|one| before.contains_key(one["id"].as_str().unwrap_or("")));
    assert_eq!(again.collect::<Vec<&Value>>(), Vec::<&Value>::new(), "no recorded step runs again");
}
