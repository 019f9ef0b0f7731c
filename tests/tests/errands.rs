//! What the server does for a step that its app cannot or will not: `step.fetch`, `step.ai.infer`, as inngest 4 has them.

use serde_json::json;
use stepwell_tests::{Keys, Lane, Mode, Reply, Rogue, Scenario, Sdk, Server, World, applies, run_scenarios, scenarios};

const SCENARIOS: &[Scenario] = scenarios![
    a_fetch_is_made_by_the_server,
    a_fetch_that_reaches_nobody_is_an_error_to_catch,
    a_model_s_server_is_asked_until_it_answers,
];

#[test]
fn hold_with_inngest_js_4() {
    run_scenarios(&World::dev(&[Sdk::Js4]).lanes(), SCENARIOS);
}

#[test]
fn a_server_for_everybody_does_not_ask_what_is_behind_its_own_door() {
    if !applies("a_server_for_everybody_does_not_ask_what_is_behind_its_own_door") {
        return;
    }
    let inside = Rogue::start(|_| http(200, "", "secret"));
    let signing_key = "signkey-test-0123456789abcdef".to_owned();
    let start = |arguments: &[&str]| {
        let mode = Mode::Cloud { signing_key: signing_key.clone(), fallback: None };
        World::new(
            Server::start(mode, arguments),
            &[Sdk::Js4],
            &Keys::Signing { key: signing_key.clone(), fallback: None },
        )
    };
    let world = start(&[]);
    let lane = world.lane("js4");
    let run = lane.run("fetch-in-vain", &json!({"url": inside.origin()}));
    assert_eq!(run.output()["name"], "GatewayError", "{:?}", run.output());
    assert!(lane.client.timeline(&run.run).contains("address_not_public"));
    assert_eq!(inside.requests().len(), 0);
    let world = start(&["--allow-private-addresses"]);
    assert_eq!(*world.lane("js4").run("fetch-in-vain", &json!({"url": inside.origin()})).output(), "there");
}

fn http(status: u16, headers: &str, body: &str) -> Reply {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
    Reply::Bytes((head + body).into_bytes())
}

fn a_fetch_is_made_by_the_server(lane: &Lane<'_>) {
    let server = Rogue::start(|request| match request.line.as_str() {
        "PUT /moved HTTP/1.1" => http(404, "x-said: hello\r\n", &String::from_utf8_lossy(&request.body)),
        _ => http(307, "location: /moved\r\n", ""),
    });
    let run = lane.run("fetch", &json!({"url": format!("{}/here", server.origin())}));
    assert_eq!(*run.output(), json!({"status": 404, "said": "hello", "text": "the body"}));
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].header("x-mine"), Some("yes"));
    assert_eq!(requests[1].header("x-inngest-step-id"), None);
}

fn a_fetch_that_reaches_nobody_is_an_error_to_catch(lane: &Lane<'_>) {
    let run = lane.run("fetch-in-vain", &json!({"url": "http://127.0.0.1:1/"}));
    assert_eq!(run.output()["name"], "GatewayError");
    assert!(run.output()["message"].as_str().is_some_and(|text| text.starts_with("Error making gateway request: ")));
    let timeline = lane.client.timeline(&run.run);
    assert!(timeline.contains("step.fetch"), "{timeline}");
}

fn a_model_s_server_is_asked_until_it_answers(lane: &Lane<'_>) {
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let model = Rogue::start(move |_| match calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => http(503, "", "{\"error\":\"busy\"}"),
        _ => http(200, "content-type: application/json\r\n", "{\"choices\":[{\"message\":{\"content\":\"hello\"}}]}"),
    });
    let run = lane.run("infer", &json!({"url": format!("{}/v1/", model.origin())}));
    assert_eq!(run.output()["choices"][0]["message"]["content"], "hello");
    let requests = model.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(requests[1].header("authorization"), Some("Bearer sk-secret"));
    assert_eq!(requests[1].json(), json!({"messages": [{"role": "user", "content": "hi"}], "model": "tiny"}));
    let journal = lane.client.data(&format!("/v1/runs/{}/journal", run.run)).to_string();
    assert!(!journal.contains("sk-secret"), "{journal}");
}
