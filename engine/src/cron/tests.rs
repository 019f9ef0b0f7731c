//! What a cron actor promises. Each turn is decided by a hot actor and by one made of the rows (see the driver).

use super::message::{Ask, Tell};
use super::{Cron, SCHEDULED, schedule_of};
use crate::catalog::Trigger;
use crate::ids::{EventId, Millis};
use crate::shard::Shards;
use crate::stream::driver::{Driver, catalog, sent};
use crate::turn::{Address, CatchUp, Done, Message};
use serde_json::{Value, json};

/// The driver's actor has this key.
const FUNCTION: &str = "0";
/// 2026-11-22T04:11:00Z.
const TICK: Millis = Millis(1_795_320_660_000);
const MINUTE: u64 = 60_000;
const NOTHING: [&str; 0] = [];

/// An actor that has been told to look at these schedules half a minute before the tick.
fn planned(schedules: &[(&str, Option<&str>)]) -> Driver<Cron> {
    let mut cron = Driver::new(Millis(TICK.0 - MINUTE / 2), catalog(&[(FUNCTION, &[])]));
    resync(&mut cron, schedules);
    cron
}

/// A sync that leaves the function with these schedules.
fn resync(cron: &mut Driver<Cron>, schedules: &[(&str, Option<&str>)]) -> Done {
    let trigger = |(schedule, jitter): &(&str, Option<&str>)| Trigger::Cron {
        schedule: (*schedule).to_owned(),
        jitter: jitter.map(ToOwned::to_owned),
    };
    let triggers = schedules.iter().map(trigger).collect();
    cron.catalog.functions.get_mut(&FUNCTION.into()).unwrap().triggers = triggers;
    cron.catalog.version += 1;
    cron.tell(&Tell::Look)
}

fn wake(cron: &mut Driver<Cron>, at: u64) -> Done {
    cron.now = Millis(at);
    cron.turn(Message::Wake).unwrap()
}

/// The events that a turn sends.
fn events(done: &Done) -> Vec<Value> {
    sent(done).into_iter().map(|(_, told)| told["Scheduled"]["event"].clone()).collect()
}

/// The times that they are for.
fn started(done: &Done) -> Vec<String> {
    let time = |event: Value| event["event"]["data"]["scheduledAt"].as_str().unwrap().to_owned();
    events(done).into_iter().map(time).collect()
}

fn rows(cron: &Driver<Cron>) -> Vec<Value> {
    cron.rows.values().map(|row| serde_json::from_slice(row).unwrap()).collect()
}

#[test]
fn a_schedule_begins_with_the_sync_that_brings_it() {
    let mut cron = planned(&[("* * * * *", None)]);
    assert_eq!(rows(&cron).len(), 1);
    let done = cron.tell(&Tell::Look);
    assert_eq!((sent(&done), &done.writes, done.wake_at), (vec![], &vec![], Some(TICK)));
}

#[test]
fn a_time_that_comes_starts_the_function_with_the_event_of_the_protocol() {
    let mut cron = planned(&[("* * * * *", None)]);
    let done = wake(&mut cron, TICK.0 + 3);
    let id = EventId::derived(TICK, &format!("{SCHEDULED}/{FUNCTION}"));
    let event = json!({
        "data": {"cron": "* * * * *", "fireAt": "2026-11-22T04:11:00Z", "scheduledAt": "2026-11-22T04:11:00Z"},
        "id": "2026-11-22T04:11:00Z", "name": "inngest/scheduled.timer", "ts": TICK.0, "user": {}
    });
    let new = json!({"id": id, "seeded": true, "user_id": null, "name": SCHEDULED, "ts": TICK.0, "event": event});
    assert_eq!(
        sent(&done),
        [(&Address::stream_of(Shards::default(), id), json!({"Scheduled": {"function": FUNCTION, "event": new}}))]
    );
    assert_eq!((done.writes.len(), done.wake_at), (1, Some(TICK.plus(Millis(MINUTE)))));
    let event = serde_json::value::to_raw_value(&event).unwrap();
    assert_eq!(schedule_of(&event).as_deref(), Some("* * * * *"));
}

#[test]
fn a_wake_that_is_early_or_comes_twice_starts_nothing() {
    let mut cron = planned(&[("* * * * *", None)]);
    let early = wake(&mut cron, TICK.0 - 1);
    assert_eq!((started(&early).len(), early.wake_at), (0, Some(TICK)));
    assert_eq!(started(&wake(&mut cron, TICK.0)).len(), 1);
    for later in [0, 1, MINUTE - 1] {
        let again = wake(&mut cron, TICK.0 + later);
        assert_eq!((started(&again).len(), again.writes.len()), (0, 0), "{later}");
    }
    assert_eq!(started(&cron.turn(Message::Resume).unwrap()), NOTHING);
}

#[test]
fn a_clock_that_is_set_back_doubles_nothing_and_loses_nothing() {
    let mut cron = planned(&[("* * * * *", None)]);
    let first = wake(&mut cron, TICK.0 + 2 * MINUTE);
    assert_eq!(started(&first), ["2026-11-22T04:13:00Z"]);
    // An hour back, and forth again minute by minute: what is sent again is the same event.
    wake(&mut cron, TICK.0 - 60 * MINUTE);
    let mut ids = Vec::new();
    for minute in 1..=63 {
        let done = wake(&mut cron, TICK.0 - 60 * MINUTE + minute * MINUTE);
        ids.extend(events(&done).into_iter().map(|event| event["id"].clone()));
    }
    assert_eq!(ids.len(), 63);
    assert!(ids.contains(&events(&first)[0]["id"]));
    ids.dedup();
    assert_eq!(ids.len(), 63);
}

#[test]
fn what_was_missed_is_made_up_for_as_the_setting_says() {
    for (catch_up, expected) in [
        (CatchUp::None, vec![]),
        (CatchUp::Last, vec!["2026-11-22T06:11:00Z"]),
        (CatchUp::All, vec!["2026-11-22T04:11:00Z", "2026-11-22T05:11:00Z", "2026-11-22T06:11:00Z"]),
    ] {
        let mut cron = planned(&[("11 * * * *", None)]);
        cron.settings.cron_catch_up = catch_up;
        let done = wake(&mut cron, TICK.0 + 150 * MINUTE);
        assert_eq!(started(&done), expected, "{catch_up:?}");
        assert_eq!(done.wake_at, Some(TICK.plus(Millis(180 * MINUTE))), "{catch_up:?}");
        assert_eq!(started(&cron.turn(Message::Wake).unwrap()), NOTHING, "{catch_up:?}");
    }
}

#[test]
fn a_function_that_is_archived_or_gone_or_has_no_schedule_any_more_is_planned_no_longer() {
    let archive = |cron: &mut Driver<Cron>| cron.catalog.functions.get_mut(&FUNCTION.into()).unwrap().archived = true;
    let forget = |cron: &mut Driver<Cron>| cron.catalog.functions.clear();
    let replace = |cron: &mut Driver<Cron>| {
        let event = Trigger::Event { name: "a".to_owned(), expression: None };
        cron.catalog.functions.get_mut(&FUNCTION.into()).unwrap().triggers = vec![event];
    };
    for end in [&archive as &dyn Fn(&mut Driver<Cron>), &forget, &replace] {
        // Told to look, or, where the message is lost, woken by its last plan.
        for message in [Message::Tell(br#""Look""#.to_vec()), Message::Wake] {
            let mut cron = planned(&[("* * * * *", None)]);
            end(&mut cron);
            cron.catalog.version += 1;
            cron.now = TICK;
            let done = cron.turn(message).unwrap();
            assert_eq!((started(&done).len(), done.wake_at), (0, None));
            assert!(cron.rows.is_empty());
        }
    }
}

#[test]
fn an_older_catalog_is_not_followed() {
    let mut cron = planned(&[("* * * * *", None)]);
    cron.catalog.version -= 1;
    cron.catalog.functions.clear();
    assert_eq!(started(&wake(&mut cron, TICK.0)), ["2026-11-22T04:11:00Z"]);
}

#[test]
fn a_sync_that_keeps_a_schedule_keeps_its_place() {
    let mut cron = planned(&[("* * * * *", None), ("0 0 * * *", None)]);
    cron.now = TICK;
    // A time has come, and the wake for it has not: the sync is told first.
    let done = resync(&mut cron, &[("* * * * *", None), ("*/5 * * * *", None)]);
    assert_eq!(started(&done), ["2026-11-22T04:11:00Z"]);
    assert_eq!(done.wake_at, Some(TICK.plus(Millis(MINUTE))));
    let kept: Vec<_> = rows(&cron)[0]["loops"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(kept, ["* * * * *", "*/5 * * * *"]);
}

#[test]
fn two_schedules_that_come_due_together_start_one_run() {
    let mut cron = planned(&[("11 4 * * *", None), ("* * * * *", None)]);
    let told = events(&wake(&mut cron, TICK.0));
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["id"], told[1]["id"]);
}

#[test]
fn a_jitter_delays_the_run_and_is_told() {
    let mut cron = planned(&[("11 4 * * *", Some("5m"))]);
    let fire = cron.tell(&Tell::Look).wake_at.unwrap();
    assert!(fire.0 >= TICK.0 + 1_000 && fire.0 < TICK.0 + 5 * MINUTE);
    assert_eq!(started(&wake(&mut cron, fire.0 - 1)), NOTHING);
    let event = events(&wake(&mut cron, fire.0)).remove(0);
    assert_eq!((&event["ts"], &event["event"]["ts"]), (&json!(fire.0), &json!(fire.0)));
    assert_eq!(event["event"]["data"]["scheduledAt"], "2026-11-22T04:11:00Z");
    assert!(event["event"]["data"]["fireAt"].as_str().unwrap() > "2026-11-22T04:11:00Z");
}

#[test]
fn a_jitter_that_is_taken_away_keeps_nothing_waiting() {
    let mut cron = planned(&[("11 4 * * *", Some("5m"))]);
    cron.now = TICK.plus(Millis(1));
    assert_eq!(started(&cron.tell(&Tell::Look)), NOTHING);
    assert!(started(&resync(&mut cron, &[("11 4 * * *", None)])).contains(&"2026-11-22T04:11:00Z".to_owned()));
}

#[test]
fn a_question_tells_what_is_planned_and_changes_nothing() {
    let mut cron = planned(&[("*/30 * * * *", None), ("0 0 30 2 *", None)]);
    // Something is due, and the wake for it has not come.
    cron.now = Millis(TICK.0 + 19 * MINUTE);
    let (answer, done) = cron.ask(&Ask::Planned { times: 2 });
    let time = |minutes: u64| json!({"tick": TICK.0 + minutes * MINUTE, "fire": TICK.0 + minutes * MINUTE});
    assert_eq!(
        answer.unwrap(),
        json!([
            {"cron": "*/30 * * * *", "jitter_ms": null, "next": [time(49), time(79)], "last": null},
            {"cron": "0 0 30 2 *", "jitter_ms": null, "next": [], "last": null},
        ])
    );
    assert_eq!((sent(&done), &done.writes, done.wake_at), (vec![], &vec![], Some(Millis(TICK.0 + 19 * MINUTE))));
    wake(&mut cron, TICK.0 + 19 * MINUTE);
    let (answer, _) = cron.ask(&Ask::Planned { times: 1 });
    assert_eq!(answer.unwrap()[0]["last"], TICK.0 + 19 * MINUTE);
}

#[test]
fn a_schedule_that_an_older_version_took_and_this_one_cannot_read_is_told_of() {
    let mut cron = planned(&[("* * 99 * *", None), ("* * * * *", None)]);
    assert_eq!(started(&wake(&mut cron, TICK.0)), ["2026-11-22T04:11:00Z"]);
    let (answer, _) = cron.ask(&Ask::Planned { times: 1 });
    let planned = answer.unwrap();
    assert_eq!((&planned[0]["cron"], planned[0].get("error")), (&json!("* * * * *"), None));
    assert!(planned[1]["error"].as_str().unwrap().contains("day of month \"99\""));
}

#[test]
fn it_calls_nobody() {
    let mut cron = planned(&[]);
    assert!(cron.turn(Message::Lost(Vec::new())).is_err());
    assert!(cron.turn(Message::Tell(b"{}".to_vec())).is_err());
}
