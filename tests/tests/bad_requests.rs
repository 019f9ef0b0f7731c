//! Requests that make no sense: a clear refusal, and the server goes on.

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;
use stepwell_tests::{Mode, Rogue, Server, sdk_reply, until};

const UNKNOWN_RUN: &str = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
/// Longer than the server gives a body to arrive.
const BODY_TIME_MAX: Duration = Duration::from_secs(75);

#[test]
fn what_is_not_there_is_said_so() {
    let mut server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    client.get("/v1/nothing").assert_refused(404, "route_unknown");
    client.get(&format!("/v1/runs/{UNKNOWN_RUN}")).assert_refused(404, "run_unknown");
    client.get(&format!("/v1/runs/{UNKNOWN_RUN}/journal")).assert_refused(404, "run_unknown");
    client.get(&format!("/v1/runs/{UNKNOWN_RUN}/timeline")).assert_refused(404, "run_unknown");
    client.get(&format!("/v1/events/{UNKNOWN_RUN}")).assert_refused(404, "event_unknown");
    for path in
        ["/v1/runs/nope", "/v1/events/nope", "/v1/runs/%00", "/v0/runs/x/actions", "/v1/events/%F0%9F%A6%80/runs"]
    {
        client.get(path).assert_refused(400, "parameter_invalid");
    }
    client.get(&format!("/v1/runs/{UNKNOWN_RUN}?wait_ms=soon")).assert_refused(400, "parameter_invalid");
    client.get("/fn/register").assert_refused(405, "method_not_allowed");
    server.assert_healthy();
}

#[test]
fn malformed_registrations_are_refused_with_every_fault() {
    let mut server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let app = Rogue::start(|_| sdk_reply(200, "", b"1"));
    let good = app.registration("app", 3);
    let raw = |body: &str| client.ask("POST", "/fn/register", &[], body.as_bytes()).expect("an answer");
    for body in ["", "{", "[]", "7", "null", r#"{"appName":7}"#, r#"{"appName":"a","functions":{}}"#, "\u{0}"] {
        let answer = raw(body);
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert_eq!(answer.json()["status"], 400, "SDKs take the status from the body: {answer:?}");
        assert!(answer.json()["code"].is_string(), "{answer:?}");
    }
    let without = |path: &str, value: Value| {
        let mut changed = good.clone();
        *changed.pointer_mut(path).expect("a field") = value;
        client.post("/fn/register", &changed)
    };
    without("/appName", json!("")).assert_refused(400, "app_name_missing");
    for (path, value) in [
        ("/functions/0/name", json!("")),
        ("/functions/0/steps", json!({})),
        ("/functions/0/steps/step/runtime/url", json!("ftp://x/")),
        ("/functions/0/steps/step/runtime/url", json!("not a url")),
        ("/functions/0/triggers", json!([{"event": "a"}, {"event": "a"}])),
        ("/functions/0/triggers", json!([{"event": "a", "expression": "event.data.x >"}])),
        ("/functions/0/triggers", json!([{"event": "x".repeat(256)}])),
        ("/functions/0/triggers", json!((0..11).map(|n| json!({"event": format!("e/{n}")})).collect::<Vec<_>>())),
    ] {
        println!("{path} = {value}");
        without(path, value).assert_refused(400, "config_invalid");
    }
    // None of it has replaced or added anything.
    client.post("/fn/register", &good);
    let again = client.post("/fn/register", &good);
    assert_eq!((again.status, &again.json()["modified"]), (200, &json!(false)), "{again:?}");
    server.assert_healthy();
}

#[test]
fn checkpoints_that_make_no_sense_are_refused() {
    let mut server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let app = Rogue::start(|_| stepwell_tests::Reply::Hang);
    app.register(&client, "held", 0);
    let ids = client.send(&json!({"name": "held/go"}));
    let run = client.run_of(&ids[0], "held-f");
    let ctx = until("the call", || app.requests().first().map(|call| call.json()["ctx"].clone()));
    let path = format!("/v1/checkpoint/{run}/async");
    let step = json!({"op": "StepRun", "id": "a", "name": "a", "data": 1});
    let body = |generation: u64, steps: Value| {
        json!({"run_id": run, "fn_id": ctx["fn_id"], "qi_id": ctx["qi_id"], "request_id": ctx["request_id"],
            "generation_id": generation, "steps": steps})
    };
    let generation = ctx["generation_id"].as_u64().expect("a generation");
    for bad in ["", "{", "[]", r#"{"steps":7}"#] {
        let answer = client.ask("POST", &path, &[], bad.as_bytes()).expect("an answer");
        assert_eq!(answer.status, 400, "{bad}: {answer:?}");
    }
    let sleep = json!([{"op": "Sleep", "id": "s", "name": "1s"}]);
    client.post(&path, &body(generation, sleep)).assert_refused(400, "checkpoint_opcode");
    client.post(&path, &body(generation + 1, json!([step]))).assert_refused(409, "checkpoint_stale");
    client
        .post(&format!("/v1/checkpoint/{UNKNOWN_RUN}/async"), &body(generation, json!([step])))
        .assert_refused(404, "run_unknown");
    let huge = json!([{"op": "StepRun", "id": "b", "name": "b", "data": "x".repeat(4 << 20)}]);
    client.post(&path, &body(generation, huge)).assert_refused(413, "state_too_large");
    assert!(client.journal(&run).results().is_empty(), "none of it was taken");
    assert_eq!(client.post(&path, &body(generation, json!([step]))).status, 200);
    let other = json!([{"op": "StepRun", "id": "a", "name": "a", "data": 2}]);
    assert_eq!(client.post(&path, &body(generation, other)).status, 200, "a repetition is fine");
    assert_eq!(client.journal(&run).results()["a"].1["data"], 1, "and changes nothing");
    // After a crash the call is made again; what belongs to the first one is stale.
    server.kill();
    server.restart();
    let second = until("the call is made again", || app.requests().get(1).map(|call| call.json()));
    assert_eq!(second["ctx"]["generation_id"], generation + 1);
    assert_eq!(second["steps"]["a"], json!({"data": 1}));
    let late = json!([{"op": "StepRun", "id": "c", "name": "c", "data": 3}]);
    client.post(&path, &body(generation, late)).assert_refused(409, "checkpoint_stale");
    server.assert_healthy();
}

#[test]
fn an_oversized_body_is_refused_before_it_has_come() {
    let mut server = Server::start(Mode::Dev, &[]);
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).expect("a connection");
    write!(socket, "POST /e/dev HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", (32 << 20) + 1).expect("a head");
    assert_refused(&mut socket, 413, "body_too_large");
    // Nor is one of unknown length read without end.
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).expect("a connection");
    write!(socket, "POST /e/dev HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n").expect("a head");
    let chunk = [b' '; 1 << 16];
    for _ in 0..=(32 << 20) / chunk.len() {
        // The server may have hung up already.
        let sent = write!(socket, "{:x}\r\n", chunk.len())
            .and_then(|()| socket.write_all(&chunk))
            .and_then(|()| socket.write_all(b"\r\n"));
        if sent.is_err() {
            break;
        }
    }
    server.assert_healthy();
}

#[test]
fn a_dripping_body_is_given_up() {
    let mut server = Server::start(Mode::Dev, &[]);
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).expect("a connection");
    socket
        .write_all(b"POST /e/dev HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{\"name\":")
        .expect("a beginning");
    let mut dripping = socket.try_clone().expect("the same connection");
    std::thread::spawn(move || {
        // One byte a second, until the server has had enough of it.
        while dripping.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_secs(1));
        }
    });
    // Meanwhile others are served.
    assert_eq!(server.client().send(&json!({"name": "a/b"})).len(), 1);
    socket.set_read_timeout(Some(BODY_TIME_MAX)).expect("a timeout");
    assert_refused(&mut socket, 408, "body_timeout");
    server.assert_healthy();
}

#[test]
fn what_is_not_http_is_hung_up_on() {
    let mut server = Server::start(Mode::Dev, &[]);
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00"[..],
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /e/dev HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
    ] {
        let mut socket = TcpStream::connect(("127.0.0.1", server.port())).expect("a connection");
        socket.set_read_timeout(Some(BODY_TIME_MAX)).expect("a timeout");
        socket.write_all(bytes).expect("some bytes");
        socket.shutdown(std::net::Shutdown::Write).expect("no more bytes");
        let mut answer = Vec::new();
        // Whether it says 400 or nothing, it hangs up.
        let _ = socket.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    // A sender that leaves in the middle of a body.
    let mut socket = TcpStream::connect(("127.0.0.1", server.port())).expect("a connection");
    socket
        .write_all(b"POST /e/dev HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"name\":\"a/b\"}")
        .expect("a part");
    drop(socket);
    server.assert_healthy();
}

/// Reads one answer and asserts what it refuses and how.
fn assert_refused(socket: &mut TcpStream, status: u16, code: &str) {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        // A reset after the answer is as good as an end.
        let count = socket.read(&mut buffer).unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        if count == 0 || text.contains(code) {
            break;
        }
    }
    assert!(text.starts_with(&format!("HTTP/1.1 {status}")), "{text}");
    assert!(text.contains(code), "{text}");
}
