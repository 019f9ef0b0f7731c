//! The `stepwell` command as people and scripts use it.

use serde_json::{Value, json};
use stepwell_tests::{Mode, Reply, Request, Rogue, Server, run, sdk_reply, until};

/// An app whose function has a step and returns, or fails where the event says so.
fn served() -> (Server, Rogue) {
    let server = Server::start(Mode::Dev, &[]);
    let app = Rogue::start(one_step);
    app.register(&server.client(), "shop", 0);
    (server, app)
}

fn one_step(call: &Request) -> Reply {
    let call = call.json();
    match (call["event"]["data"]["fails"] == true, call["steps"]["s"].is_null()) {
        (true, _) => sdk_reply(400, "x-inngest-no-retry: true\r\n", br#"{"name":"Error","message":"out of stock"}"#),
        (_, true) => sdk_reply(206, "", br#"[{"op":"StepRun","id":"s","name":"pack the box","data":1}]"#),
        _ => sdk_reply(200, "", br#"{"packed":true}"#),
    }
}

#[test]
fn sending_with_wait_follows_the_run_and_tells_by_its_exit_code() {
    let (server, _app) = served();
    let good = server.command(&["send", "shop/go", "--data", r#"{"n":1}"#, "--wait"]);
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.out.contains("pack the box") && good.out.contains("packed"), "{good:?}");
    let bad = server.command(&["send", "shop/go", "--data", r#"{"fails":true}"#, "--wait"]);
    assert_eq!(bad.code, Some(3), "{bad:?}");
    assert!(bad.out.contains("out of stock"), "{bad:?}");
    let refused = server.command(&["send", "inngest/mine"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.error.contains("reserved"), "{refused:?}");
    assert_eq!(server.command(&["send", "shop/go", "--data", "{"]).code, Some(2), "that is no JSON");
}

#[test]
fn runs_are_listed_drawn_and_cancelled() {
    let (server, _app) = served();
    let client = server.client();
    let ids = client.send(&json!({"name": "shop/go"}));
    let id = client.run_of(&ids[0], "shop-f");
    client.over(&id);
    let listed = until("the list has the run", || {
        let listed = server.command(&["runs", "--json"]);
        let runs: Value = serde_json::from_str(&listed.out).expect("JSON");
        runs.as_array()?.iter().find(|run| run["run_id"] == id.as_str() && run["status"] == "Completed").cloned()
    });
    assert!(listed.to_string().contains("shop-f"), "{listed}");
    let drawn = server.command(&["run", &id]);
    assert_eq!(drawn.code, Some(0), "{drawn:?}");
    assert!(
        drawn.out.contains("pack the box") && !drawn.out.contains('\u{1b}'),
        "no colours without a terminal: {drawn:?}"
    );
    let whole: Value = serde_json::from_str(&server.command(&["run", &id, "--json"]).out).expect("JSON");
    assert_eq!(whole["run"]["run_id"], id.as_str(), "{whole}");
    assert_eq!(server.command(&["cancel", &id]).code, Some(0));
    assert_eq!(client.run(&id)["status"], "Completed", "what is over stays as it is");
    let unknown = server.command(&["run", "01ARZ3NDEKTSV4RRFFQ69G5FAV"]);
    assert_eq!(unknown.code, Some(1), "{unknown:?}");
    assert!(!unknown.error.is_empty());
}

#[test]
fn a_command_without_a_server_says_so() {
    let nobody = run(&["runs", "--server", "http://127.0.0.1:1"]);
    assert_eq!(nobody.code, Some(1), "{nobody:?}");
    assert!(nobody.error.contains("http://127.0.0.1:1"), "{nobody:?}");
}

#[test]
fn a_server_that_cannot_serve_says_why_and_leaves() {
    let without_keys = run(&["start", "--port", "0", "--data-dir", "unused"]);
    assert_eq!(without_keys.code, Some(2), "{without_keys:?}");
    assert!(without_keys.error.contains("signing-key"), "{without_keys:?}");
    let odd = run(&["start", "--signing-key", "signkey-test-xyz", "--event-key", "k", "--data-dir", "unused"]);
    assert_eq!(odd.code, Some(2), "a key must be hexadecimal: {odd:?}");
    assert_eq!(run(&["dev", "--no-such-flag"]).code, Some(2));
    let (server, _app) = served();
    let port = server.port().to_string();
    let taken = run(&[
        "start",
        "--port",
        &port,
        "--host",
        "127.0.0.1",
        "--signing-key",
        "signkey-test-00",
        "--event-key",
        "k",
        "--in-memory",
    ]);
    assert_eq!(taken.code, Some(1), "{taken:?}");
    assert!(taken.error.contains(&port), "{taken:?}");
}
