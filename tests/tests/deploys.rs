//! Apps that are deployed anew, move, share an address, lose a function or are taken away, while runs are in flight.

use serde_json::{Value, json};
use stepwell_tests::{Answer, App, Client, Keys, Mode, Reply, Request, Rogue, Sdk, Server, sdk_reply, until};

/// An app that answers under `name`: its functions wait for `app/wake`, and return then who was called last, and by what address.
fn waiting(name: &'static str) -> Rogue {
    Rogue::start(move |call| answer(name, call))
}

fn answer(name: &str, call: &Request) -> Reply {
    let body = call.json();
    if body["steps"].as_object().is_some_and(|steps| !steps.is_empty()) {
        return sdk_reply(200, "", json!({"by": name, "call": call.line}).to_string().as_bytes());
    }
    let wait =
        json!([{"op": "WaitForEvent", "id": "w", "name": "app/wake", "displayName": "w", "opts": {"timeout": "1h"}}]);
    sdk_reply(206, "", wait.to_string().as_bytes())
}

fn start(client: &Client, app: &str) -> String {
    let ids = client.send(&json!({"name": format!("{app}/go")}));
    let run = client.run_of(&ids[0], &format!("{app}-f"));
    until("it waits", || client.journal(&run).outline().contains(&"waits w".to_owned()).then_some(()));
    run
}

fn wake(client: &Client) {
    client.send(&json!({"name": "app/wake"}));
}

/// What the run returned.
fn output(client: &Client, run: &str) -> Value {
    let summary = client.over(run);
    assert_eq!(summary["status"], "Completed", "{summary}");
    summary["output"].clone()
}

fn register(client: &Client, registration: &Value) -> Answer {
    let answer = client.post("/fn/register", registration);
    assert_eq!((answer.status, &answer.json()["modified"]), (200, &json!(true)), "{answer:?}");
    answer
}

fn remove(client: &Client, url: &str) -> Answer {
    client.ask("DELETE", &format!("/fn/remove?url={url}"), &[], b"").expect("an answer")
}

/// How many runs of its own an event has started, once it is known.
fn runs(client: &Client, name: &str) -> usize {
    let ids = client.send(&json!({"name": name}));
    client.data(&format!("/v1/events/{}", ids[0]));
    client.runs_of(&ids[0]).len()
}

#[test]
fn a_run_in_flight_goes_on_at_the_app_s_new_address_by_what_it_says_now() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let [old, new] = ["old", "new"].map(waiting);
    old.register(&client, "app", 0);
    let run = start(&client, "app");
    let mut moved = new.registration("app", 0);
    let url = format!("{}/api/inngest?edition=2&fnId=app-f&stepId=step", new.origin());
    moved["functions"][0]["steps"]["step"]["runtime"]["url"] = json!(url);
    register(&client, &moved);
    let calls = old.requests().len();
    wake(&client);
    let output = output(&client, &run);
    assert_eq!(output["by"], "new");
    assert!(output["call"].as_str().is_some_and(|line| line.contains("edition=2")), "{output}");
    assert_eq!(old.requests().len(), calls, "nobody asks the old one any more");
}

#[test]
fn a_run_of_a_function_that_is_gone_goes_on_and_no_other_begins() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let app = waiting("app");
    app.register(&client, "app", 0);
    let run = start(&client, "app");
    let mut without = app.registration("app", 0);
    without["functions"] = json!([]);
    register(&client, &without);
    assert_eq!(runs(&client, "app/go"), 0);
    wake(&client);
    assert_eq!(output(&client, &run)["by"], "app");
}

#[test]
fn an_app_that_is_removed_starts_nothing_until_it_comes_back() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let app = waiting("app");
    app.register(&client, "app", 0);
    let run = start(&client, "app");
    let url = format!("{}/api/inngest", app.origin());
    let removed = remove(&client, &url);
    assert_eq!((removed.status, &removed.json()["apps"]), (200, &json!(["app"])), "{removed:?}");
    remove(&client, &url).assert_refused(404, "app_unknown");
    assert_eq!(client.get("/v1/apps/app/functions").status, 404);
    assert_eq!(runs(&client, "app/go"), 0);
    wake(&client);
    assert_eq!(output(&client, &run)["by"], "app", "what had begun goes on");
    register(&client, &app.registration("app", 0));
    assert_eq!(runs(&client, "app/go"), 1);
}

#[test]
fn several_apps_on_one_address_are_kept_apart() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let both = waiting("both");
    for app in ["one", "two"] {
        both.register(&client, app, 0);
    }
    let started = ["one", "two"].map(|app| start(&client, app));
    // One of them loses its function; the other one has nothing to do with that.
    let mut without = both.registration("one", 0);
    without["functions"] = json!([]);
    register(&client, &without);
    assert_eq!((runs(&client, "one/go"), runs(&client, "two/go")), (0, 1));
    wake(&client);
    for (app, run) in ["one", "two"].iter().zip(&started) {
        let output = output(&client, run);
        assert!(output["call"].as_str().is_some_and(|line| line.contains(&format!("fnId={app}-f&"))), "{output}");
    }
    let removed = remove(&client, &format!("{}/api/inngest", both.origin()));
    assert_eq!(removed.json()["apps"], json!(["one", "two"]));
}

#[test]
fn a_sync_that_is_refused_names_each_fault_and_changes_nothing() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    let app = waiting("app");
    app.register(&client, "app", 0);
    let mut wrong = app.registration("app", 0);
    let mut second = wrong["functions"][0].clone();
    wrong["functions"][0]["triggers"] =
        json!([{"cron": "every day"}, {"event": "a/b", "expression": "event.data. =="}]);
    second["id"] = json!("app-g");
    second["batchEvents"] = json!({"maxSize": 1, "timeout": "10s"});
    second["cancel"] = json!([{"event": "a/stop"}]);
    wrong["functions"] = json!([wrong["functions"][0], second]);
    let answer = client.post("/fn/register", &wrong);
    answer.assert_refused(400, "config_invalid");
    let details = answer.json()["details"].as_array().expect("details").clone();
    let text = |detail: &Value, of: &str| detail[of].as_str().unwrap_or_default().to_owned();
    let told: Vec<_> = details.iter().map(|one| ["code", "subject", "field"].map(|of| text(one, of))).collect();
    for (code, function, field) in [
        ("schedule_invalid", "app-f", "triggers[0].cron"),
        ("expression_invalid", "app-f", "triggers[1].expression"),
        ("batch_size_invalid", "app-g", "batchEvents.maxSize"),
        ("combo_unsupported", "app-g", "cancel"),
    ] {
        assert!(told.contains(&[code, function, field].map(ToOwned::to_owned)), "{code}: {told:#?}");
    }
    assert!(details.iter().all(|one| one["message"].as_str().is_some_and(|text| !text.is_empty())), "{details:#?}");
    assert_eq!(runs(&client, "app/go"), 1, "the functions are what they were");
}

/// The SDK relays what the server says, so that whoever deploys reads it.
#[test]
fn a_real_app_that_is_refused_says_so() {
    let server = Server::start(Mode::Dev, &[]);
    let app = App::start_with(Sdk::Js4, &server.origin(), &Keys::None, &[("CRON", "61 * * * *")]);
    let answer = app.sync("js4");
    assert!(answer.status >= 400, "{answer:?}");
    assert!(answer.text.contains("js4-scheduled") && answer.text.contains("61"), "{answer:?}");
}
