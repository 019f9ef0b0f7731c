//! A decision that traps is thrown away with its instance; the server goes on and nothing is lost.

use serde_json::json;
use stepwell_tests::{Mode, Rogue, Server, applies, sdk_reply};

/// Too little for the batch below, enough for all that is usual.
const ENGINE_MEMORY: [&str; 2] = ["--engine-memory-mb", "128"];
const EVENT_BYTES: usize = 2 << 20;

#[test]
fn a_trap_is_a_500_and_the_server_goes_on() {
    if !applies("a_trap_is_a_500_and_the_server_goes_on") {
        return;
    }
    let mut server = Server::start(Mode::Dev, &ENGINE_MEMORY);
    let client = server.client();
    let app = Rogue::start(|_| sdk_reply(200, "", b"1"));
    app.register(&client, "app", 0);
    let before = client.send(&json!({"name": "app/go"}));
    let fat = json!({"name": "app/go", "data": {"fat": "x".repeat(EVENT_BYTES)}});
    for _ in 0..3 {
        let answer = client.post(&client.event_path(), &json!(vec![fat.clone(); 14]));
        answer.assert_refused(500, "engine_fault");
    }
    let after = client.send(&json!({"name": "app/go"}));
    for id in [&before[0], &after[0]] {
        let run = client.run_of(id, "app-f");
        assert_eq!(client.over(&run)["status"], "Completed");
    }
    assert_eq!(app.requests().len(), 2, "what was refused has started nothing");
    server.assert_healthy();
    server.kill();
    server.restart();
    assert_eq!(client.data(&format!("/v1/events/{}", before[0]))["name"], "app/go");
}
