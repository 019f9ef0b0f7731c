//! An event's 200 is answered after its commit and not before: whatever was answered with 200 is there after a SIGKILL.

use serde_json::json;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stepwell_tests::{Chance, Client, Rogue, Server, sdk_reply, until};

const KILLS: usize = 8;
const SENDERS: usize = 4;
/// How long events pour in before the kill, once the first was acknowledged.
const LIFE_MS: std::ops::Range<u64> = 20..250;
const BATCH: usize = 20;

#[test]
fn an_event_that_was_answered_with_200_is_there_after_a_kill() {
    let mut chance = Chance::seeded();
    let mut server = Server::start_for_kills();
    let app = Rogue::start(|_| sdk_reply(200, "", b"1"));
    app.register(&server.client(), "ack", 0);
    let acknowledged = Mutex::new(Vec::new());
    for _ in 0..KILLS {
        let over = AtomicBool::new(false);
        let before = acknowledged.lock().expect("the list").len();
        std::thread::scope(|scope| {
            for sender in 0..SENDERS {
                let (client, over, acknowledged) = (server.client(), &over, &acknowledged);
                scope.spawn(move || pour(&client, sender, over, acknowledged));
            }
            until("events are acknowledged", || (acknowledged.lock().expect("the list").len() > before).then_some(()));
            // Not a wait for anything: the moment of the kill is what is random here.
            std::thread::sleep(Duration::from_millis(chance.within(LIFE_MS)));
            server.kill();
            over.store(true, Ordering::Relaxed);
        });
        server.restart();
        let client = server.client();
        for id in &acknowledged.lock().expect("the list")[before..] {
            let answer = client.get(&format!("/v1/events/{id}"));
            assert_eq!(answer.status, 200, "event {id} was acknowledged and is lost: {answer:?}");
        }
    }
    let acknowledged = acknowledged.into_inner().expect("the list");
    println!("{} events acknowledged", acknowledged.len());
    assert!(acknowledged.len() > KILLS * BATCH, "too few events to show anything: {}", acknowledged.len());
    let client = server.client();
    for id in &acknowledged {
        let summary = client.over(&client.run_of(id, "ack-f"));
        assert_eq!(summary["status"], "Completed", "{summary}");
    }
}

/// Sends events one by one or in batches, until the server is gone; notes what it acknowledged.
fn pour(client: &Client, sender: usize, over: &AtomicBool, acknowledged: &Mutex<Vec<String>>) {
    let count = if sender.is_multiple_of(2) { 1 } else { BATCH };
    let events = json!(vec![json!({"name": "ack/go", "data": {"sender": sender}}); count]).to_string();
    while !over.load(Ordering::Relaxed) {
        let Ok(answer) = client.ask("POST", &client.event_path(), &[], events.as_bytes()) else { continue };
        if answer.status == 200 {
            let ids = answer.json()["ids"].as_array().expect("ids").clone();
            let ids = ids.iter().map(|id| id.as_str().expect("an id").to_owned());
            acknowledged.lock().expect("the list").extend(ids);
        }
    }
}
