//! The examples do what their page says.

use serde_json::{Value, json};
use stepwell_tests::{Example, Mode, Server, until};

#[test]
fn the_tour_takes_every_kind_of_step() {
    let server = Server::start(Mode::Dev, &[]);
    let tour = Example::start("tour.ts", &server.origin());
    let synced = tour.sync();
    assert_eq!(synced.status, 200, "{synced:?}");
    let client = server.client();
    let event = client.send(&json!({"name": "tour/started", "data": {"guest": "Ada"}}));
    let run = client.over(&client.run_of(&event[0], "tour-tour"));
    let expected = json!({
        "greeting": "Welcome, Ada.", "served": ["tea", "cake"], "first": "lift", "four": 4, "refusal": "not today", "likes": "it",
        "signal": "ding", "weather": {"sun": true}, "poem": "Welcome, Ada. Welcome, Ada.",
    });
    assert_eq!((&run["status"], &run["output"]), (&json!("Completed"), &expected));
    // What was deferred runs when it is over.
    until("the deferred function has run", || {
        let runs = client.data("/v1/runs");
        let is_done = |run: &Value| run["function_id"] == "tour-tidy-up" && run["status"] == "Completed";
        runs.as_array()?.iter().any(is_done).then_some(())
    });
}
