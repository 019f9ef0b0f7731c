//! Cloud mode: signed calls, hashed bearers, rotated keys, wrong keys.

use serde_json::{Value, json};
use stepwell_tests::{App, Keys, Mode, Sdk, Server, World, until};

const OLD: &str = "signkey-test-00112233445566778899aabbccddeeff";
const NEW: &str = "signkey-test-abcdef0123456789abcdef0123456789";
const OTHER: &str = "signkey-test-ffffffffffffffffffffffffffffffff";
/// SHA-256 of what [`NEW`] is in bytes (PROTOCOL §2.4).
const NEW_HASHED: &str = "signkey-test-3e4ca04a7a69cf22ada1ccc20cdec2f6d8c098e94e5776f47407b289c9e38a5c";
const SDKS: [(Sdk, &str); 3] = [(Sdk::Js4, "js4"), (Sdk::Js3, "js3"), (Sdk::Py, "py")];

fn server(signing_key: &str, fallback: Option<&str>) -> Server {
    Server::start(mode(signing_key, fallback), &[])
}

fn mode(signing_key: &str, fallback: Option<&str>) -> Mode {
    Mode::Cloud { signing_key: signing_key.to_owned(), fallback: fallback.map(ToOwned::to_owned) }
}

fn keys(key: &str, fallback: Option<&str>) -> Keys {
    Keys::Signing { key: key.to_owned(), fallback: fallback.map(ToOwned::to_owned) }
}

#[test]
fn signed_calls_and_hashed_bearers_carry_whole_runs() {
    let world = World::new(server(NEW, None), &SDKS.map(|(sdk, _)| sdk), &keys(NEW, None));
    for (_, lane) in SDKS {
        let lane = world.lane(lane);
        let run = lane.run("ten-steps", &json!({}));
        assert_eq!(run.output().as_array().map(Vec::len), Some(10));
        assert_eq!(run.executed().len(), 10);
        for call in &run.calls {
            let signature = call.seen()["headers"]["x-inngest-signature"].as_str().expect("a signature");
            assert!(signature.starts_with("t=") && signature.contains("&s="), "{signature}");
            assert_eq!(call.seen()["answer"]["signed"], true);
        }
        // State that the SDK has to fetch, with its hashed key.
        assert_eq!(lane.run("big-state", &json!({})).executed().len(), 7);
        // Numbers whose canonical form is not how they were written.
        let data = json!({"big": 1e21, "small": 1e-7, "half": 0.5, "é": "é", "\u{e000}": 1, "😀": 2});
        assert_eq!(*lane.run("echo", &data).output(), data);
    }
}

#[test]
fn a_rotated_key_works_on_either_side_first() {
    let mut world = World::new(server(OLD, None), &SDKS.map(|(sdk, _)| sdk), &keys(NEW, Some(OLD)));
    for (_, lane) in SDKS {
        let run = world.lane(lane).run("ten-steps", &json!({}));
        assert_eq!(run.executed().len(), 10, "the apps have rotated, the server has not");
        run.output();
    }
    let asleep: Vec<_> = SDKS.iter().map(|(_, lane)| (*lane, world.lane(lane).start("sleep", &json!({})))).collect();
    for (lane, run) in &asleep {
        let client = &world.lane(lane).client;
        until("the run sleeps", || client.timeline(run).contains("\"sleeping\"").then_some(()));
    }
    world.server.stop();
    world.server.restart_as(mode(NEW, Some(OLD)));
    for (lane, run) in asleep {
        let run = world.lane(lane).finish(&run);
        run.output();
        assert_eq!(run.executed(), ["before", "after"], "a run goes on over the server's rotation");
    }
    for (_, lane) in SDKS {
        world.lane(lane).run("single-step", &json!({"n": 1})).output();
    }
    // An app that has not heard of the new key can still register by the old one.
    let late = App::start(Sdk::Js4, &world.server.origin(), &keys(OLD, None));
    assert_eq!(late.sync("js4-plain").status, 200);
}

#[test]
fn an_app_with_another_key_is_refused_and_refuses() {
    let mut world = World::new(server(NEW, None), &[Sdk::Js4], &keys(NEW, None));
    let stranger = App::start(Sdk::Js3, &world.server.origin(), &keys(OTHER, None));
    let refused = stranger.sync("js3");
    assert_eq!(refused.status, 401, "{refused:?}");
    // The server's key changes and the app does not hear of it: its SDK answers every call with 401.
    world.server.stop();
    world.server.restart_as(mode(OTHER, None));
    let run = world.lane("js4").start("single-step", &json!({"n": 1}));
    let summary = world.server.client().over(&run);
    assert_eq!(summary["status"], "Failed");
    assert!(summary["output"].to_string().contains("401"), "{summary}");
    assert!(world.server.client().timeline(&run).contains("http_not_ok"));
    let seen = world.lane("js4").app.seen(Some(&run));
    assert_eq!(seen["executions"], json!([]), "nothing ran");
    assert_eq!(seen["calls"].as_array().map(Vec::len), Some(5), "and every attempt was made");
    world.server.assert_healthy();
}

#[test]
fn the_api_opens_to_the_key_and_its_hash_alone() {
    let server = server(NEW, Some(OLD));
    let client = server.client();
    let get = |authorization: &str| {
        client
            .ask("GET", "/v1/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV", &[("authorization", authorization)], b"")
            .expect("an answer")
    };
    for good in [NEW, NEW_HASHED, NEW_HASHED.trim_start_matches("signkey-test-"), OLD] {
        get(&format!("Bearer {good}")).assert_refused(404, "run_unknown");
    }
    for bad in
        ["Bearer undefined", "Bearer", "Bearer ", "Basic xyz", &format!("Bearer {OTHER}"), &format!("Bearer {NEW}0")]
    {
        get(bad).assert_refused(401, "authentication_failed");
    }
    let register = |authorization: &str| {
        client.ask("POST", "/fn/register", &[("authorization", authorization)], b"{}").expect("an answer").status
    };
    assert_eq!(register("Bearer undefined"), 401);
    for path in ["/v0/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV/actions", "/v0/runs/01ARZ3NDEKTSV4RRFFQ69G5FAV/batch"] {
        assert_eq!(client.ask("GET", path, &[("authorization", "Bearer x")], b"").expect("an answer").status, 401);
    }
}

#[test]
fn an_event_needs_a_known_key() {
    let server = server(NEW, None);
    let client = server.client();
    let event = json!({"name": "a/b"});
    let answer = client.post("/e/not-the-key", &event);
    assert_eq!((answer.status, &answer.json()["error"]), (401, &json!("Event key not found")), "{answer:?}");
    assert_eq!(answer.json()["status"], 401, "SDKs read the status in the body");
    assert_eq!(client.send(&event).len(), 1);
    let health: Value = until("health needs no key", || Some(client.get("/health").json()));
    assert_eq!(health["status"], 200);
}
