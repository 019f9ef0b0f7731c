//! How apps become known, change, move and go.

use serde_json::json;
use stepwell_tests::{
    App, Keys, Lane, Mode, Rogue, Scenario, Sdk, Server, World, applies, run_scenarios, scenarios, sdk_reply, until,
};

const SCENARIOS: &[Scenario] = scenarios![a_sync_on_demand_says_whether_anything_changed];

fn a_sync_on_demand_says_whether_anything_changed(lane: &Lane<'_>) {
    let answer = lane.client.post("/fn/sync", &json!({"url": lane.app.url(lane.id)}));
    assert_eq!((answer.status, &answer.json()["apps"][0]["ok"]), (200, &json!(true)), "{answer:?}");
    let again = lane.app.sync(lane.id);
    assert_eq!((again.status, &again.json()["modified"]), (200, &json!(false)), "{again:?}");
}

#[test]
fn apps_sync_on_demand() {
    let world = World::dev(&[Sdk::Js4, Sdk::Js3, Sdk::Py]);
    run_scenarios(&world.lanes(), SCENARIOS);
    let client = world.server.client();
    let nobody = client.post("/fn/sync", &json!({"url": "http://127.0.0.1:1/api/inngest"}));
    let told = &nobody.json()["apps"][0];
    assert_eq!((&told["ok"], &told["error"]["code"]), (&json!(false), &json!("unreachable")), "{nobody:?}");
    assert_eq!(client.post("/fn/sync", &json!({"url": 7})).status, 400);
}

#[test]
fn an_app_named_at_the_start_is_synced() {
    if !applies("an_app_named_at_the_start_is_synced") {
        return;
    }
    let mut server = Server::start(Mode::Dev, &[]);
    let app = App::start(Sdk::Js3, &server.origin(), &Keys::None);
    server.kill();
    server.restart_with(&["-u", &app.url("js3")]);
    let client = server.client();
    let run = until("the app is registered", || {
        let ids = client.send(&json!({"name": "js3/single-step", "data": {"n": 1}}));
        client.data(&format!("/v1/events/{}", ids[0]));
        client.runs_of(&ids[0]).first().map(|run| run["run_id"].as_str().expect("an id").to_owned())
    });
    assert_eq!(client.over(&run)["status"], "Completed");
}

#[test]
fn a_function_that_is_gone_starts_no_more() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let app = Rogue::start(|_| sdk_reply(200, "", b"1"));
    app.register(&client, "app", 0);
    let first = client.send(&json!({"name": "app/go"}));
    client.over(&client.run_of(&first[0], "app-f"));
    let mut renamed = app.registration("app", 0);
    renamed["functions"][0]["id"] = json!("app-other");
    let answer = client.post("/fn/register", &renamed);
    assert_eq!((answer.status, &answer.json()["modified"]), (200, &json!(true)), "{answer:?}");
    let second = client.send(&json!({"name": "app/go"}));
    client.over(&client.run_of(&second[0], "app-other"));
    assert_eq!(client.runs_of(&second[0]).len(), 1, "the old one is archived");
}

#[test]
fn keys_of_a_registration_match_without_case() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let app = Rogue::start(|_| sdk_reply(200, "", b"1"));
    let text = app.registration("app", 0).to_string();
    let text = text
        .replace("\"appName\"", "\"appname\"")
        .replace("\"functions\"", "\"FUNCTIONS\"")
        .replace("\"triggers\"", "\"Triggers\"");
    let answer = client.ask("POST", "/fn/register", &[], text.as_bytes()).expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    let ids = client.send(&json!({"name": "app/go"}));
    assert_eq!(client.over(&client.run_of(&ids[0], "app-f"))["status"], "Completed");
}

#[test]
fn the_kind_that_the_sdk_expects_must_be_ours() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let app = Rogue::start(|_| sdk_reply(200, "", b"1"));
    let body = app.registration("app", 0).to_string();
    let register = |kind: &str| {
        let headers = [("x-inngest-expected-server-kind", kind)];
        client.ask("POST", "/fn/register", &headers, body.as_bytes()).expect("an answer")
    };
    register("cloud").assert_refused(400, "server_kind_mismatch");
    let answer = register("dev");
    assert_eq!((answer.status, answer.header("x-inngest-server-kind")), (200, Some("dev")), "{answer:?}");
}

#[test]
fn a_stopped_server_leaves_with_zero_and_comes_back_whole() {
    if !applies("a_stopped_server_leaves_with_zero_and_comes_back_whole") {
        return;
    }
    let mut world = World::dev(&[Sdk::Js4]);
    let run = world.lane("js4").start("long-sleep", &json!({}));
    until("it sleeps", || {
        world.lane("js4").client.journal(&run).outline().contains(&"slept night".to_owned()).then_some(())
    });
    let earlier = world.server.client().journal(&run);
    assert_eq!(world.server.stop(), Some(0));
    world.server.restart();
    assert!(world.server.client().journal(&run).continues(&earlier));
    // What was synced is still known.
    world.lane("js4").run("single-step", &json!({"n": 1})).output();
}
