//! The event API: ids, seeds, batches, refusals.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use stepwell_tests::{Client, Mode, Rogue, Server, sdk_reply, until};

const SEED: &str = "x-inngest-event-id-seed";
const MIB: usize = 1 << 20;

/// A server with two functions in our own hands on the event `both/go`, which return at once.
fn served() -> (Server, Rogue) {
    let server = Server::start(Mode::Dev, &[]);
    let app = Rogue::start(|_| sdk_reply(200, "", b"1"));
    let mut registration = app.registration("both", 0);
    let mut second = registration["functions"][0].clone();
    second["id"] = json!("both-g");
    second["steps"]["step"]["runtime"]["url"] = json!(format!("{}/api/inngest?fnId=both-g&stepId=step", app.origin()));
    registration["functions"].as_array_mut().expect("functions").push(second);
    let answer = server.client().post("/fn/register", &registration);
    assert_eq!(answer.status, 200, "{answer:?}");
    (server, app)
}

/// Each run once: an event that repeats another tells of the same runs.
fn runs_of_all(client: &Client, events: &[String]) -> BTreeSet<String> {
    let runs = events.iter().flat_map(|event| client.runs_of(event));
    runs.map(|run| run["run_id"].as_str().expect("an id").to_owned()).collect()
}

/// Sends an event and waits until both functions have run because of it: whatever came before has been seen to by then.
fn settle(client: &Client) {
    let ids = client.send(&json!({"name": "both/go"}));
    for function in ["both-f", "both-g"] {
        client.over(&client.run_of(&ids[0], function));
    }
}

#[test]
fn the_same_id_starts_each_function_once() {
    let (mut server, app) = served();
    let client = server.client();
    let event = json!({"name": "both/go", "id": "order-1", "data": {"n": 1}});
    let mut ids = client.send(&event);
    ids.extend(client.send(&json!([event, event])));
    assert_eq!(ids.len(), 3);
    settle(&client);
    assert_eq!(runs_of_all(&client, &ids).len(), 2, "one run per function");
    server.kill();
    server.restart();
    ids.extend(client.send(&event));
    settle(&client);
    assert_eq!(runs_of_all(&client, &ids).len(), 2, "also after a crash");
    let of_the_order = app.requests().iter().filter(|call| call.json()["event"]["id"] == "order-1").count();
    assert_eq!(of_the_order, 2);
}

#[test]
fn a_seed_makes_the_same_ids_again() {
    let (server, app) = served();
    let client = server.client();
    let send = |seed: &str, events: &Value| -> Vec<String> {
        let answer = client.ask("POST", &client.event_path(), &[(SEED, seed)], events.to_string().as_bytes());
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 200, "{answer:?}");
        serde_json::from_value(answer.json()["ids"].clone()).expect("ids")
    };
    let events = json!([{"name": "both/go"}, {"name": "both/go"}]);
    let ids = send("1700000000000,AAAAAAAAAAAAAA==", &events);
    assert_eq!(ids, ["01HF7YAT000000000000000001", "01HF7YAT000000000000000002"]);
    assert_eq!(send("1700000000000,AAAAAAAAAAAAAA==", &events), ids);
    settle(&client);
    assert_eq!(runs_of_all(&client, &ids).len(), 4, "two events, two functions");
    assert_eq!(app.requests().len(), 6);
    for garbage in
        ["", "x", "1700000000000", "1700000000000,", "x,AAAAAAAAAAAAAA==", "1700000000000,AAAA", "-1,AAAAAAAAAAAAAA=="]
    {
        let fresh = send(garbage, &events);
        assert!(fresh.len() == 2 && !ids.contains(&fresh[0]), "a bad seed is as good as none: {garbage}");
    }
}

#[test]
fn a_batch_is_taken_up_to_the_limit_and_in_order() {
    let (server, _app) = served();
    let client = server.client();
    let batch =
        |count: usize| json!((0..count).map(|n| json!({"name": "none/go", "data": {"n": n}})).collect::<Vec<_>>());
    let ids = client.send(&batch(5_000));
    assert_eq!(ids.len(), 5_000);
    let last = client.data(&format!("/v1/events/{}", ids[4_999]));
    assert_eq!(last["data"]["n"], 4_999);
    client.post(&client.event_path(), &batch(5_001)).assert_refused(400, "too_many_events");
    let empty = client.post(&client.event_path(), &json!([]));
    assert_eq!((empty.status, &empty.json()["ids"]), (200, &json!([])), "{empty:?}");
}

#[test]
fn a_batch_is_taken_whole_or_not_at_all() {
    let (server, app) = served();
    let client = server.client();
    let good = json!({"name": "both/go", "data": {"all": "or nothing"}});
    for bad in [json!({"data": {}}), json!({"name": "inngest/x"}), json!({"name": "both/go", "ts": 12}), json!(7)] {
        let answer = client.post(&client.event_path(), &json!([good, bad, good]));
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.json()["status"], 400, "SDKs read the status in the body");
    }
    settle(&client);
    let started = app.requests().iter().filter(|call| call.json()["event"]["data"]["all"].is_string()).count();
    assert_eq!(started, 0);
}

#[test]
fn every_refusal_has_a_code_a_status_and_a_sentence() {
    let (mut server, _app) = served();
    let client = server.client();
    let long = |bytes: usize| "x".repeat(bytes);
    let cases: [(String, &str); 16] = [
        (r#"{"data":{}}"#.to_owned(), "event_name_missing"),
        (r#"{"name":""}"#.to_owned(), "event_name_missing"),
        (r#"{"name":"inngest/function.finished"}"#.to_owned(), "event_name_reserved"),
        (r#"{"name":"INNGEST/x"}"#.to_owned(), "event_name_reserved"),
        (json!({"name": long(513)}).to_string(), "event_name_too_long"),
        (r#"{"name":"a/b","data":[1]}"#.to_owned(), "event_invalid"),
        (r#"{"name":"a/b","ts":"x"}"#.to_owned(), "event_invalid"),
        (r#"{"name":"a/b","id":7}"#.to_owned(), "event_invalid"),
        (r#"{"name":"a/b","user":"x"}"#.to_owned(), "event_invalid"),
        (r#"{"name":"a/b","ts":12}"#.to_owned(), "event_time_invalid"),
        (r#"{"name":"a/b","ts":99999999999999}"#.to_owned(), "event_time_invalid"),
        (json!({"name": "a/b", "data": {"x": long(3 * MIB)}}).to_string(), "event_too_large"),
        ("[[]]".to_owned(), "body_invalid"),
        ("\"name\"".to_owned(), "body_invalid"),
        ("[{\"name\":\"a/b\"}".to_owned(), "body_invalid"),
        (String::new(), "body_invalid"),
    ];
    for (body, code) in cases {
        let answer = client.ask("POST", &client.event_path(), &[], body.as_bytes()).expect("an answer");
        let shown: String = body.chars().take(60).collect();
        assert_eq!((answer.status, answer.json()["code"].as_str()), (400, Some(code)), "{shown}: {answer:?}");
        assert!(answer.json()["error"].as_str().is_some_and(|sentence| sentence.len() > 10), "{shown}: {answer:?}");
    }
    server.assert_healthy();
}

#[test]
fn an_event_just_below_the_limits_is_taken() {
    let (server, _app) = served();
    let client = server.client();
    let frame = json!({"name": "a/b", "data": {"x": ""}}).to_string().len();
    let ids = client.send(&json!({"name": "a/b", "data": {"x": "y".repeat(3 * MIB - frame)}}));
    assert_eq!(
        client.data(&format!("/v1/events/{}", ids[0]))["data"]["x"].as_str().map(str::len),
        Some(3 * MIB - frame)
    );
    client.send(&json!({"name": "n".repeat(512)}));
    client.send(&json!({"name": "a/b", "unknown": {"fields": "are passed over"}, "user": {}, "v": "1", "data": null}));
}

#[test]
fn forms_are_decoded_and_lack_what_events_need() {
    let (server, _app) = served();
    let client = server.client();
    let post = |kind: &str, body: &str| {
        client.ask("POST", &client.event_path(), &[("content-type", kind)], body.as_bytes()).expect("an answer")
    };
    // Fields of forms are lists of texts (SERVER §1.2), and a name is no list.
    for (kind, body) in [
        ("application/x-www-form-urlencoded", "name=a%2Fb&data=x"),
        (
            "multipart/form-data; boundary=cut",
            "--cut\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\na/b\r\n--cut--\r\n",
        ),
    ] {
        let answer = post(kind, body);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(
            answer.json()["code"].as_str().is_some_and(|code| code.starts_with("event_")),
            "read as an event: {answer:?}"
        );
    }
    post("multipart/form-data", "--cut").assert_refused(400, "body_invalid");
    // JSON is JSON whatever it calls itself.
    assert_eq!(post("text/plain", r#"{"name":"a/b"}"#).status, 200);
    assert_eq!(post("application/x-www-form-urlencoded", r#"{"name":"a/b"}"#).status, 200);
}

#[test]
fn browsers_may_send_events() {
    let (server, _app) = served();
    let client = server.client();
    let headers = [("origin", "https://shop.example"), ("access-control-request-method", "POST")];
    let preflight = client.ask("OPTIONS", &client.event_path(), &headers, b"").expect("an answer");
    assert!(matches!(preflight.status, 200 | 204), "{preflight:?}");
    assert_eq!(preflight.header("access-control-allow-origin"), Some("*"));
    let body = json!({"name": "a/b"}).to_string();
    let sent = client.ask("POST", &client.event_path(), &[("origin", "https://shop.example")], body.as_bytes());
    assert_eq!(sent.expect("an answer").header("access-control-allow-origin"), Some("*"));
    client.get(&client.event_path()).assert_refused(405, "method_not_allowed");
}

#[test]
fn a_function_can_be_invoked_by_its_slug() {
    let (server, app) = served();
    let client = server.client();
    let answer = client.post("/invoke/both-g", &json!({"data": {"n": 3}}));
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!(200)), "{answer:?}");
    let id = answer.json()["id"].as_str().expect("an id").to_owned();
    client.over(&client.run_of(&id, "both-g"));
    let calls = app.requests();
    assert_eq!(calls.len(), 1, "and nothing else");
    let event = &calls[0].json()["event"];
    assert_eq!((&event["name"], &event["data"]["n"]), (&json!("inngest/function.invoked"), &json!(3)));
}

#[test]
fn an_event_of_the_future_starts_its_run_then() {
    let (server, app) = served();
    let client = server.client();
    let now_ms = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_millis();
    let due_ms = u64::try_from(now_ms() + 1_500).expect("a moment");
    let ids = client.send(&json!({"name": "both/go", "ts": due_ms}));
    let run = client.run_of(&ids[0], "both-f");
    assert_eq!(client.run(&run)["status"], "Scheduled");
    assert!(app.requests().is_empty() || now_ms() >= u128::from(due_ms));
    let first_call_ms = until("the call", || (!app.requests().is_empty()).then(now_ms));
    assert!(first_call_ms >= u128::from(due_ms), "early by {} ms", u128::from(due_ms) - first_call_ms);
    client.over(&run);
}
