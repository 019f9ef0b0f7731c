//! What SDKs can ask for and this server does not do yet: each gets a clear error, and nothing hangs.

use serde_json::{Value, json};
use stepwell_tests::{Lane, Mode, Scenario, Sdk, Server, World, run_scenarios, scenarios};

const SCENARIOS: &[Scenario] = scenarios![a_step_that_publishes_fails_and_says_so];

#[test]
fn hold_with_inngest_js_4() {
    run_scenarios(&World::dev(&[Sdk::Js4]).lanes(), SCENARIOS);
}

fn a_step_that_publishes_fails_and_says_so(lane: &Lane<'_>) {
    let run = lane.run("publishing", &json!({}));
    let caught = run.output()["caught"].as_str().expect("a message").to_owned();
    assert!(caught.contains("501") || caught.contains("does not support"), "{caught}");
}

#[test]
fn whoever_asks_for_what_is_not_built_is_told_at_once() {
    let server = Server::start(Mode::Dev, &[]);
    let client = server.client();
    for path in [
        "/v1/realtime/publish?channel=c&topic=t",
        "/v1/realtime/token",
        "/v1/checkpoint",
        "/v1/checkpoint/01M80QH4FMB6PKCTKSZ2JYT6AZ/steps",
        "/v1/traces/userland",
        "/v1/runs/01M80QH4FMB6PKCTKSZ2JYT6AZ/metadata",
        "/v0/connect/start",
        "/v0/gql",
    ] {
        client.post(path, &Value::Null).assert_refused(501, "feature_unsupported");
    }
}
