//! Who is resumed or woken, when, and what stands of it in the file.

use super::*;

#[test]
fn the_wake_row_of_an_owing_actor_is_written_once_however_many_steps_it_takes() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, input| {
        let Message::Ask((_, body)) = &input.message else { return Ok(done(|_| {})) };
        let body = String::from_utf8(body.clone()).unwrap();
        Ok(done(|done| {
            done.owing = body.starts_with("owing");
            done.wake_at = body.split_once(' ').map(|(_, at)| at.parse().unwrap());
        }))
    });
    disk.sql(
        "CREATE TABLE log (what TEXT);
         CREATE TRIGGER i AFTER INSERT ON wakes BEGIN INSERT INTO log VALUES ('insert'); END;
         CREATE TRIGGER u AFTER UPDATE ON wakes BEGIN INSERT INTO log VALUES ('update'); END;
         CREATE TRIGGER d AFTER DELETE ON wakes BEGIN INSERT INTO log VALUES ('delete'); END;",
    );
    let far = clock::now_ms() + 86_400_000;
    let mut steps = vec!["owing".to_owned(), format!("owing {far}"), format!("owing {}", far + 1), "owing".to_owned()];
    for step in steps.drain(..) {
        drop(disk.ask(&running, &run("1"), step.as_bytes()));
        running.turns.step();
    }
    assert_eq!(disk.count("SELECT count(*) FROM log"), 1);
    drop(disk.ask(&running, &run("1"), format!("parked {far}").as_bytes()));
    running.turns.step();
    assert_eq!(running.turns.store.wake_row("run/1").unwrap(), Some(WakeRow::Parked(far)));
    drop(disk.ask(&running, &run("1"), b"idle"));
    running.turns.step();
    assert_eq!(running.turns.store.wake_row("run/1").unwrap(), None);
    assert_eq!(disk.count("SELECT count(*) FROM log"), 3);
}

#[test]
fn an_actor_that_owes_and_pays_in_one_transaction_leaves_no_wake_row() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, input| {
        Ok(done(|done| {
            done.owing = matches!(&input.message, Message::Ask((_, body)) if body == b"owe");
        }))
    });
    disk.sql(
        "CREATE TABLE log (what TEXT); CREATE TRIGGER i AFTER INSERT ON wakes BEGIN INSERT INTO log VALUES ('i'); END;",
    );
    drop(disk.ask(&running, &run("1"), b"owe"));
    drop(disk.ask(&running, &run("1"), b"pay"));
    running.turns.step();
    assert_eq!(disk.count("SELECT count(*) FROM log"), 0);
}

#[test]
fn after_a_restart_the_catalog_comes_first_then_the_owing_are_resumed_and_the_parked_woken_in_time() {
    let disk = Disk::new();
    let due = clock::now_ms() + 60;
    {
        let store = Store::open(&disk.path(), Place::ALONE).unwrap();
        store.set_wake_row("run/owing", Some(WakeRow::Owing)).unwrap();
        store.set_wake_row("run/parked", Some(WakeRow::Parked(due))).unwrap();
        store.set_wake_row("run/later", Some(WakeRow::Parked(due + 86_400_000))).unwrap();
    }
    let mut running = disk.run(move |address, _, input| {
        Ok(done(|done| match &input.message {
            Message::Resume if address.key == "0" => {
                done.effects.push(Effect::Install(CatalogVersion { version: 7, snapshot: Vec::new() }))
            }
            Message::Resume => {
                assert_eq!(input.catalog, 7);
                done.owing = true;
                done.effects.push(call("owed"));
            }
            Message::Wake => assert!(clock::now_ms() >= due, "woken early"),
            _ => {}
        }))
    });
    running.turns.start().unwrap();
    while running.turns.parts.turns.len() < 3 {
        running.turns.step();
    }
    let turns: Vec<_> = running.turns.parts.turns.iter().map(|(actor, kind)| (actor.as_str(), *kind)).collect();
    assert_eq!(turns, [("catalog/0", "resume"), ("run/owing", "resume"), ("run/parked", "wake")]);
    assert_eq!(running.world.all(), ["install 7", "call owed of run/owing"]);
    assert_eq!(running.turns.store.wake_row("run/later").unwrap(), Some(WakeRow::Parked(due + 86_400_000)));
}

#[test]
fn an_owing_actor_is_resumed_before_it_hears_anything_else_and_once() {
    let disk = Disk::new();
    Store::open(&disk.path(), Place::ALONE).unwrap().set_wake_row("run/owing", Some(WakeRow::Owing)).unwrap();
    let mut running = disk.run(move |_, _, input| {
        Ok(done(|done| match &input.message {
            Message::Resume => {
                done.owing = true;
                done.effects.push(call("owed"));
            }
            _ => done.owing = true,
        }))
    });
    running.inbox.answered(run("owing"), outcome("of another life"));
    running.turns.step();
    running.inbox.answered(run("owing"), outcome("another"));
    running.turns.step();
    let turns: Vec<_> = running.turns.parts.turns.iter().map(|(actor, kind)| (actor.as_str(), *kind)).collect();
    assert_eq!(turns, [("run/owing", "resume"), ("run/owing", "answered"), ("run/owing", "answered")]);
}
