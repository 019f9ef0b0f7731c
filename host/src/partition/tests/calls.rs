//! Calls in flight: which are made, and which are not made again.

use super::*;

#[test]
fn a_call_in_flight_is_not_made_again_until_it_has_ended() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, input| {
        Ok(done(|done| {
            if !matches!(input.message, Message::Answered(_)) {
                done.effects.push(call("c"));
            }
        }))
    });
    for _ in 0..2 {
        drop(disk.ask(&running, &run("1"), b""));
        running.turns.step();
    }
    assert_eq!(running.world.all().len(), 1);
    running.inbox.answered(run("1"), outcome("c"));
    running.turns.step();
    drop(disk.ask(&running, &run("1"), b""));
    running.turns.step();
    assert_eq!(running.world.all().len(), 2);
}

/// A run that is made anew asks for its calls again as long as it has not heard their answers.
#[test]
fn a_call_that_is_asked_for_again_in_the_transaction_of_its_answer_is_not_made_again() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, input| {
        Ok(done(|done| match &input.message {
            Message::Answered(_) => {
                put(done, "answered");
                done.effects.push(call("next"));
            }
            _ => done.effects.push(call("c")),
        }))
    });
    drop(disk.ask(&running, &run("1"), b""));
    running.turns.step();
    // Its timer goes off in the batch of the answer, and before it.
    drop(disk.ask(&running, &run("1"), b"as a timer does"));
    running.inbox.answered(run("1"), outcome("c"));
    running.turns.step();
    assert_eq!(running.world.all(), ["call c of run/1", "call next of run/1"]);

    // Where the answer could not be kept the call is owed as before.
    disk.sql(&POISON.replace("'poison'", "'answered'"));
    drop(disk.ask(&running, &run("2"), b""));
    running.turns.step();
    running.inbox.answered(run("2"), outcome("c"));
    while running.world.all().len() < 4 {
        running.turns.step();
    }
    assert_eq!(running.world.all()[2..], ["call c of run/2", "call c of run/2"]);
}

#[test]
fn calls_beyond_the_bound_are_made_once_others_have_ended() {
    let disk = Disk::new();
    let script = |address: &Address, _: &[RangeRows], input: &TurnInput| {
        Ok(done(|done| {
            if !matches!(input.message, Message::Answered(_)) {
                done.effects.push(call(&address.key));
            }
        }))
    };
    let mut running = disk.run_with(script, 2);
    for key in ["1", "2", "3"] {
        drop(disk.ask(&running, &run(key), b""));
    }
    running.turns.step();
    assert_eq!(running.world.all(), ["call 1 of run/1", "call 2 of run/2"]);
    running.inbox.answered(run("2"), outcome("2"));
    running.turns.step();
    assert_eq!(running.world.all()[2..], ["call 3 of run/3"]);
}
