//! Functions that run by the clock. A schedule's finest step is a minute, so each test here waits for the next one, beside the others.

use serde_json::{Value, json};
use std::time::Duration;
use stepwell_tests::{App, Client, Keys, Mode, Sdk, Server, until, within};

/// The next minute, and what a slow machine needs beyond it.
const MINUTE_AND_MORE: Duration = Duration::from_secs(110);

#[test]
fn a_schedule_goes_on_after_a_restart_without_a_sync_with_inngest_js_4() {
    goes_on_after_a_restart(Sdk::Js4, "js4");
}

#[test]
fn a_schedule_goes_on_after_a_restart_without_a_sync_with_inngest_py() {
    goes_on_after_a_restart(Sdk::Py, "py");
}

#[test]
fn a_schedule_that_cannot_be_read_is_refused_with_function_and_field() {
    let server = Server::start(Mode::Dev, &[]);
    let url = "http://127.0.0.1:9/api/inngest";
    let steps = json!({"step": {"id": "step", "name": "step", "runtime": {"type": "http", "url": url}}});
    let function =
        json!({"id": "a-f", "name": "f", "triggers": [{"cron": "TZ=Europe/Atlantis 0 5 * * *"}], "steps": steps});
    let answer = server.client().post("/fn/register", &json!({"appName": "a", "url": url, "functions": [function]}));
    let fault = &answer.json()["details"][0];
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(
        (&fault["code"], &fault["subject"], &fault["field"]),
        (&json!("schedule_invalid"), &json!("a-f"), &json!("triggers[0].cron"))
    );
    assert!(fault["message"].as_str().is_some_and(|message| message.contains("Europe/Atlantis")), "{fault}");
}

/// The server dies right after the sync and comes back: what it plans then is what it has stored.
fn goes_on_after_a_restart(sdk: Sdk, lane: &str) {
    let mut server = Server::start(Mode::Dev, &[]);
    let app = App::start_with(sdk, &server.origin(), &Keys::None, &[("CRON", "* * * * *")]);
    assert_eq!(app.sync(lane).status, 200);
    let slug = format!("{lane}-scheduled");
    let client = server.client();
    let planned = planned(&client, &slug);
    assert_eq!((&planned["cron"], &planned["catch_up"]), (&json!("* * * * *"), &json!("last")));
    assert_eq!(planned["next"].as_array().map(Vec::len), Some(3));
    server.kill();
    server.restart();

    let run = within(MINUTE_AND_MORE, "the next minute starts the function", || {
        let runs = client.data("/v1/runs");
        let runs: Vec<&Value> = runs.as_array()?.iter().filter(|run| run["function_id"] == *slug).collect();
        assert!(runs.len() <= 1, "one run for one minute: {runs:?}");
        Some(runs.first()?["run_id"].as_str()?.to_owned())
    });
    let run = client.over(&run);
    assert_eq!((&run["status"], &run["cron"]), (&json!("Completed"), &json!("* * * * *")), "{run}");
    let event = &run["output"];
    let scheduled_at = event["data"]["scheduledAt"].as_str().expect("a time");
    assert_eq!(event["name"], "inngest/scheduled.timer");
    assert_eq!(event["data"], json!({"cron": "* * * * *", "fireAt": scheduled_at, "scheduledAt": scheduled_at}));
    assert_eq!(event["id"], scheduled_at);
    assert!(scheduled_at.ends_with(":00Z"), "{scheduled_at}");
    let minute = &scheduled_at[..16];
    assert!(planned["next"][0]["scheduled_at"].as_str().is_some_and(|next| next.starts_with(minute)), "{planned}");
    assert!(self::planned(&client, &slug)["last_scheduled_at"].as_str().is_some_and(|last| last.starts_with(minute)));
}

/// The one schedule of a function, once whoever plans has heard of the sync.
fn planned(client: &Client, slug: &str) -> Value {
    until("the schedule is planned", || {
        let crons = client.data(&format!("/v1/crons?function={slug}&times=3"));
        let crons = crons.as_array().expect("a list");
        assert!(crons.len() <= 1, "{crons:?}");
        crons.first().cloned()
    })
}
