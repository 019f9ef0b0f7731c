//! A trap costs what it must, and no more.

use super::*;

#[test]
fn a_trap_costs_its_instance_only_and_the_message_is_tried_once_more() {
    let disk = Disk::new();
    let mut has_trapped = false;
    let mut running = disk.run(move |_, rows, input| {
        if matches!(&input.message, Message::Ask((_, body)) if body == b"trap") && !has_trapped {
            has_trapped = true;
            return Err("unreachable".to_owned());
        }
        let known = rows.iter().map(|held| held.rows.len()).sum::<usize>();
        Ok(done(|done| {
            put(done, &format!("made of {known}"));
            reply(done, input);
        }))
    });
    for to in [run("1"), run("2"), stream()] {
        drop(disk.ask(&running, &to, b"warm"));
    }
    running.turns.step();
    let made_before = running.turns.parts.makes;
    let mut trapping = disk.ask(&running, &run("1"), b"trap");
    let mut neighbour = disk.ask(&running, &run("2"), b"after");
    let mut elsewhere = disk.ask(&running, &stream(), b"after");
    running.turns.step();
    assert_eq!(disk.answer(&mut trapping), Poll::Ready(Ok(b"trap".to_vec())));
    assert_eq!(disk.answer(&mut neighbour), Poll::Ready(Ok(b"after".to_vec())));
    assert_eq!(disk.answer(&mut elsewhere), Poll::Ready(Ok(b"after".to_vec())));
    // Both runs were made again, of the rows they had; the stream, in another instance, was not.
    assert_eq!(running.turns.parts.makes, made_before + 2);
    assert_eq!(rows_of(&running, "run/1"), ["made of 0", "made of 1"]);
}

#[test]
fn a_question_that_always_traps_is_refused_and_the_rest_of_its_transaction_is_kept() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, input| match &input.message {
        Message::Ask((_, body)) if body == b"trap" => Err("unreachable".to_owned()),
        _ => Ok(done(|done| {
            put(done, "k");
            reply(done, input);
        })),
    });
    let mut before = disk.ask(&running, &run("1"), b"x");
    let mut trapping = disk.ask(&running, &run("1"), b"trap");
    let mut after = disk.ask(&running, &run("2"), b"y");
    running.turns.step();
    assert!(disk.answer(&mut before).is_ready() && disk.answer(&mut after) == Poll::Ready(Ok(b"y".to_vec())));
    let Poll::Ready(Err(AskFailure::Fault(why))) = disk.answer(&mut trapping) else { panic!("not refused") };
    assert!(why.contains("unreachable"), "{why}");
    assert_eq!(running.turns.parts.turns.iter().filter(|(actor, _)| actor == "run/1").count(), 3);
    assert_eq!((rows_of(&running, "run/1").len(), rows_of(&running, "run/2").len()), (1, 1));
}

#[test]
fn an_answer_that_always_traps_becomes_a_failed_answer_once() {
    let disk = Disk::new();
    let mut running = disk.run(|_, _, input| match &input.message {
        Message::Answered(CallOutcome { answer: Err(CallFailure::EngineFault(why)), .. }) => {
            assert!(why.contains("unreachable"));
            Ok(done(|done| put(done, "failed")))
        }
        _ => Err("unreachable".to_owned()),
    });
    running.inbox.answered(run("1"), outcome("c"));
    running.turns.step();
    assert_eq!(running.turns.parts.turns.len(), 3);
    assert_eq!(rows_of(&running, "run/1"), ["failed"]);

    // Not even that can be taken in: the partition goes on.
    let disk = Disk::new();
    let mut hopeless = disk.run(|_, _, _| Err("unreachable".to_owned()));
    hopeless.inbox.answered(run("1"), outcome("c"));
    hopeless.turns.step();
    assert_eq!(hopeless.turns.parts.turns.len(), 4);
}
