//! What waits promise.

use super::message::{Arrived, Ask, Hold, Register, Since, Tell, WaitId, Waiter};
use super::place::Route;
use super::*;
use crate::catalog::Catalog;
use crate::error::Code;
use crate::ids::{EventId, Millis, RunId, StepId};
use crate::shard::Shards;
use crate::stream::driver::{Driver, sent};
use crate::turn::ActorKind;
use serde_json::value::RawValue;
use serde_json::{Value, json};

fn waits() -> Driver<Waits> {
    Driver::new(Millis(100), Catalog::default())
}

/// What runs are told, as `<run>: <what> <detail>`.
fn told(done: &Done) -> Vec<String> {
    let to_runs = sent(done).into_iter().filter(|(to, _)| to.kind == ActorKind::Run);
    let line = |(to, tell): (&Address, Value)| {
        let run = RunId::parse(&to.key).unwrap().0.random();
        let (what, rest) = tell.as_object().unwrap().iter().next().unwrap();
        let detail = match what.as_str() {
            "Resumed" => rest["event"]["data"].to_string(),
            "Signalled" => rest["data"].to_string(),
            "Refused" => rest["problem"]["message"].as_str().unwrap().to_owned(),
            _ => String::new(),
        };
        format!("{run}: {what} {detail}").trim().to_owned()
    };
    to_runs.map(line).collect()
}

fn tell(waits: &mut Driver<Waits>, now: u64, tell: &Tell) -> Vec<String> {
    waits.now = Millis(now);
    told(&waits.tell(tell))
}

fn raw(json: &str) -> Box<RawValue> {
    RawValue::from_string(json.to_owned()).unwrap()
}

fn wait(run: u128) -> WaitId {
    WaitId { run: RunId(ulid::Ulid::from_parts(1, run)), waiter: Waiter::Step(StepId("s".to_owned())) }
}

fn register_of(wait: WaitId, expression: Option<&str>) -> Register {
    Register {
        own: raw(&format!(r#"{{"data":{{"k":{}}}}}"#, wait.run.0.random())),
        wait,
        event: "a/b".to_owned(),
        route: Route::Any(0),
        since: Since { at: Millis(100), after: None },
        expires_at: Millis(1_000),
        expression: expression.map(ToOwned::to_owned),
        taken: Vec::new(),
    }
}

fn register(run: u128, expression: Option<&str>) -> Tell {
    Tell::Register(register_of(wait(run), expression))
}

fn event_id(received_at: u64) -> EventId {
    EventId::new(Millis(received_at), 1)
}

fn arrived(received_at: u64, data: &str) -> Tell {
    let event = raw(&format!(r#"{{"data":{data}}}"#));
    Tell::Arrived(Arrived { id: event_id(received_at), received_at: Millis(received_at), event, only: None })
}

const NONE: [String; 0] = [];

#[test]
fn a_wait_is_acknowledged_and_asked_for_at_every_stream_once() {
    let mut waits = waits();
    waits.settings.shards = Shards::new(3);
    let done = waits.tell(&register(1, None));
    assert_eq!(told(&done), ["1: Registered"]);
    let wanted: Vec<_> = sent(&done).into_iter().filter(|(to, _)| to.kind == ActorKind::Stream).collect();
    assert_eq!(wanted.iter().map(|(to, _)| to.key.as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
    assert!(wanted.iter().all(|(_, want)| want["Want"]["until"] == json!(1_000)));
    // The same again changes nothing and tells nobody.
    let again = waits.tell(&register(1, None));
    assert!(again.writes.is_empty() && again.effects.is_empty());
}

#[test]
fn an_event_resumes_every_run_whose_expression_holds_once() {
    let mut waits = waits();
    tell(&mut waits, 100, &register(1, Some("event.data.k == async.data.k")));
    tell(&mut waits, 100, &register(2, Some("event.data.k == async.data.k")));
    tell(&mut waits, 100, &register(3, None));
    assert_eq!(tell(&mut waits, 200, &arrived(200, r#"{"k":1}"#)), [r#"1: Resumed {"k":1}"#, r#"3: Resumed {"k":1}"#]);
    // The same again, and another that would match: the first has won.
    assert_eq!(tell(&mut waits, 201, &arrived(200, r#"{"k":1}"#)), NONE);
    assert_eq!(tell(&mut waits, 202, &arrived(202, r#"{"k":1,"later":true}"#)), NONE);
    assert_eq!(tell(&mut waits, 203, &arrived(203, r#"{"k":2}"#)), [r#"2: Resumed {"k":2}"#]);
    assert!(waits.rows.is_empty());
}

#[test]
fn an_event_from_before_the_wait_does_not_match_and_neither_does_one_that_was_taken() {
    let mut waits = waits();
    let mut register = register_of(wait(1), None);
    register.taken = vec![event_id(150)];
    tell(&mut waits, 100, &Tell::Register(register));
    assert_eq!(tell(&mut waits, 160, &arrived(99, "{}")), NONE);
    assert_eq!(tell(&mut waits, 160, &arrived(150, "{}")), NONE);
    assert_eq!(tell(&mut waits, 160, &arrived(100, "{}")), ["1: Resumed {}"]);
}

#[test]
fn within_the_first_millisecond_the_order_of_ids_counts_where_it_is_given() {
    let mut waits = waits();
    let mut register = register_of(WaitId { run: wait(1).run, waiter: Waiter::Cancel(0) }, None);
    register.since.after = Some(event_id(100));
    tell(&mut waits, 100, &Tell::Register(register));
    assert_eq!(tell(&mut waits, 101, &arrived(100, "{}")), NONE);
    let later = Arrived { id: EventId::new(Millis(100), 2), received_at: Millis(100), event: raw("{}"), only: None };
    assert_eq!(tell(&mut waits, 101, &Tell::Arrived(later)), ["1: CancelledBy"]);
}

#[test]
fn an_expired_wait_matches_nothing_and_goes_when_its_run_says_so() {
    let mut waits = waits();
    tell(&mut waits, 100, &register(1, None));
    assert_eq!(tell(&mut waits, 1_001, &arrived(1_000, "{}")), NONE);
    // An event from before it expired, told late: the run decides.
    tell(&mut waits, 1_001, &register(2, None));
    assert_eq!(tell(&mut waits, 1_002, &arrived(999, "{}")), ["1: Resumed {}", "2: Resumed {}"]);
    tell(&mut waits, 1_003, &register(3, None));
    tell(&mut waits, 1_004, &Tell::Remove(wait(3)));
    // A second removal is nothing new.
    tell(&mut waits, 1_004, &Tell::Remove(wait(3)));
    assert!(waits.rows.is_empty());
}

#[test]
fn a_look_back_shows_an_event_to_the_one_who_asked() {
    let mut waits = waits();
    tell(&mut waits, 100, &register(1, None));
    tell(&mut waits, 100, &register(2, None));
    let only =
        Arrived { id: event_id(120), received_at: Millis(120), event: raw(r#"{"data":7}"#), only: Some(wait(2)) };
    assert_eq!(tell(&mut waits, 121, &Tell::Arrived(only)), ["2: Resumed 7"]);
}

#[test]
fn an_expression_that_cannot_be_answered_does_not_match() {
    let mut waits = waits();
    tell(&mut waits, 100, &register(1, Some("!async.data.s")));
    tell(&mut waits, 100, &register(2, Some("not an expression")));
    assert_eq!(tell(&mut waits, 200, &arrived(200, r#"{"s":"text"}"#)), NONE);
    assert_eq!(waits.rows.len(), 2);
}

#[test]
fn an_event_with_many_waits_goes_round_in_several_turns_and_misses_none() {
    let mut waits = waits();
    let count = WAITS_PER_TURN_MAX * 2 + 1;
    for run in 0..count as u128 {
        waits.rows.insert(row_key(&wait(run)), serde_json::to_vec(&register_of(wait(run), None)).unwrap());
    }
    waits.now = Millis(200);
    let mut resumed = Vec::new();
    let mut done = waits.tell(&arrived(200, "{}"));
    assert_eq!(told(&done).len(), WAITS_PER_TURN_MAX);
    resumed.extend(told(&done));
    for is_last in [false, true] {
        assert_eq!(done.wake_at, Some(waits.now));
        done = waits.turn(Message::Wake).unwrap();
        assert_eq!(told(&done).len(), if is_last { 1 } else { WAITS_PER_TURN_MAX });
        resumed.extend(told(&done));
    }
    assert_eq!(done.wake_at, None);
    resumed.sort_unstable();
    resumed.dedup();
    assert_eq!(resumed.len(), count);
    assert!(waits.rows.is_empty());
}

/// By the number of its run, when it began to wait.
fn hold(run: u128, replace: bool) -> Tell {
    let since = Millis(run.try_into().unwrap());
    Tell::Hold(Hold { wait: wait(run), signal: "go".to_owned(), since, expires_at: Millis(1_000), replace })
}

fn signal(waits: &mut Driver<Waits>, name: &str) -> (Result<Value, Code>, Vec<String>) {
    let (answer, done) = waits.ask(&Ask::Signal { signal: name.to_owned(), data: raw("5") });
    (answer.map_err(|refusal| refusal.code), told(&done))
}

#[test]
fn a_signal_has_one_waiter_and_is_taken_once() {
    let mut waits = waits();
    assert_eq!(signal(&mut waits, "go").0, Err(Code::SignalUnknown));
    assert_eq!(tell(&mut waits, 100, &hold(1, false)), ["1: Registered"]);
    assert_eq!(
        tell(&mut waits, 100, &hold(2, false)),
        ["2: Refused Signal conflict; signal wait already exists for another run"]
    );
    assert_eq!(signal(&mut waits, "other").0, Err(Code::SignalUnknown));
    let (answer, told) = signal(&mut waits, "go");
    assert_eq!((answer, told), (Ok(json!({"run_id": wait(1).run})), vec!["1: Signalled 5".to_owned()]));
    assert_eq!(signal(&mut waits, "go").0, Err(Code::SignalUnknown));
    // A registration that comes again does not take the place again, till the run has said that it is over.
    assert_eq!(tell(&mut waits, 100, &hold(1, false)), NONE);
    assert_eq!(signal(&mut waits, "go").0, Err(Code::SignalUnknown));
    tell(&mut waits, 100, &Tell::Remove(wait(1)));
    assert!(waits.rows.is_empty());
}

#[test]
fn a_waiter_that_replaces_another_gets_the_signal() {
    let mut waits = waits();
    tell(&mut waits, 100, &hold(1, false));
    assert_eq!(tell(&mut waits, 100, &hold(2, true)), ["2: Registered"]);
    // Who was replaced has not come anew.
    assert_eq!(tell(&mut waits, 100, &hold(1, false)), NONE);
    assert_eq!(signal(&mut waits, "go").1, ["2: Signalled 5"]);
    for run in [1, 2] {
        tell(&mut waits, 200, &Tell::Remove(wait(run)));
    }
    assert!(waits.rows.is_empty());
}

#[test]
fn who_waited_first_is_the_first_whichever_message_came_first() {
    let mut waits = waits();
    tell(&mut waits, 100, &hold(2, false));
    let conflict = "2: Refused Signal conflict; signal wait already exists for another run";
    assert_eq!(tell(&mut waits, 100, &hold(1, false)), ["1: Registered", conflict]);
    assert_eq!(tell(&mut waits, 100, &hold(4, true)), ["4: Registered"]);
    assert_eq!(tell(&mut waits, 100, &hold(3, true)), ["3: Registered"], "it has been replaced already");
    assert_eq!(tell(&mut waits, 100, &hold(3, true)), NONE);
    assert_eq!(signal(&mut waits, "go").1, ["4: Signalled 5"]);
    for run in [1, 3, 4] {
        tell(&mut waits, 200, &Tell::Remove(wait(run)));
    }
    assert!(waits.rows.is_empty());
}

#[test]
fn an_expired_waiter_is_in_nobodys_way() {
    let mut waits = waits();
    tell(&mut waits, 100, &hold(1, false));
    waits.now = Millis(1_000);
    assert_eq!(signal(&mut waits, "go").0, Err(Code::SignalUnknown));
    let late = Hold {
        wait: wait(2),
        signal: "go".to_owned(),
        since: Millis(1_000),
        expires_at: Millis(2_000),
        replace: false,
    };
    assert_eq!(tell(&mut waits, 1_000, &Tell::Hold(late)), ["2: Registered"]);
}

#[test]
fn what_no_actor_sends_is_a_fault_and_changes_nothing() {
    let mut waits = waits();
    for message in [Message::Tell(b"{}".to_vec()), Message::Ask { token: 1, body: b"null".to_vec() }] {
        assert!(waits.turn(message).is_err());
    }
    for key in ["x", "wait/x", "signal/holder"] {
        assert!(Waits::load("a", &[(Range::all(), vec![Row { key: key.to_owned(), value: b"{}".to_vec() }])]).is_err());
    }
}

#[test]
fn whoever_is_told_of_a_wait_is_told_where_it_is_kept() {
    let mut waits = waits();
    let done = waits.tell(&register(1, None));
    let to_run = sent(&done).into_iter().find(|(to, _)| to.kind == ActorKind::Run).unwrap().1;
    assert_eq!(to_run, json!({"Registered": {"waiter": {"Step": "s"}, "at": "0"}}));
    let asked = sent(&done).into_iter().find(|(to, _)| to.kind == ActorKind::Stream).unwrap().1;
    let want = json!({
        "event": "a/b", "route": {"Any": 0}, "until": 1_000, "since": {"at": 100}, "asker": wait(1), "at": "0"
    });
    assert_eq!(asked, json!({"Want": want}));
    let done = waits.tell(&hold(2, false));
    assert_eq!(sent(&done)[0].1, json!({"Registered": {"waiter": {"Step": "s"}, "at": "0"}}));
}

#[test]
fn a_run_waits_once_per_step_and_once_per_event_that_cancels_it() {
    let mut waits = waits();
    let run = wait(1).run;
    for waiter in [Waiter::Step("s".into()), Waiter::Step("t".into()), Waiter::Cancel(0), Waiter::Cancel(1)] {
        assert_eq!(
            tell(&mut waits, 100, &Tell::Register(register_of(WaitId { run, waiter }, None))),
            ["1: Registered"]
        );
    }
    let told = tell(&mut waits, 200, &arrived(200, "{}"));
    assert_eq!(told, ["1: CancelledBy", "1: CancelledBy", "1: Resumed {}", "1: Resumed {}"]);
}

#[test]
fn as_many_waits_as_one_turn_looks_at_need_no_second_turn() {
    let mut waits = waits();
    for run in 0..WAITS_PER_TURN_MAX as u128 {
        waits.rows.insert(row_key(&wait(run)), serde_json::to_vec(&register_of(wait(run), None)).unwrap());
    }
    waits.now = Millis(200);
    let done = waits.tell(&arrived(200, "{}"));
    assert_eq!((told(&done).len(), done.wake_at), (WAITS_PER_TURN_MAX, None));
    assert!(waits.rows.is_empty());
    let idle = waits.turn(Message::Wake).unwrap();
    assert!(idle.writes.is_empty() && idle.effects.is_empty());
}

#[test]
fn waits_that_an_event_does_not_fulfil_are_looked_at_once_and_stay() {
    let mut waits = waits();
    let count = WAITS_PER_TURN_MAX as u128 + 1;
    for run in 0..count {
        let register = register_of(wait(run), Some("event.data.k == async.data.k"));
        waits.rows.insert(row_key(&wait(run)), serde_json::to_vec(&register).unwrap());
    }
    waits.now = Millis(200);
    let last = count - 1;
    let done = waits.tell(&arrived(200, &format!(r#"{{"k":{last}}}"#)));
    assert_eq!((told(&done), done.wake_at), (Vec::new(), Some(waits.now)));
    let done = waits.turn(Message::Wake).unwrap();
    assert_eq!((told(&done).len(), done.wake_at), (1, None));
    assert_eq!(waits.rows.len(), WAITS_PER_TURN_MAX, "the event is not kept, and the others wait on");
}

#[test]
fn a_look_back_for_a_wait_that_is_over_is_nothing_new() {
    let mut waits = waits();
    tell(&mut waits, 100, &register(1, None));
    let only = Arrived { id: event_id(120), received_at: Millis(120), event: raw("{}"), only: Some(wait(2)) };
    assert_eq!(tell(&mut waits, 121, &Tell::Arrived(only)), NONE);
    assert_eq!(waits.rows.len(), 1);
}

#[test]
fn a_signal_is_lost_only_to_the_one_who_gives_it_up() {
    let mut waits = waits();
    tell(&mut waits, 100, &hold(1, false));
    // Said twice, it is said once; and what another run gives up is not this signal.
    assert_eq!(tell(&mut waits, 100, &hold(1, false)), NONE);
    let removed = waits.tell(&Tell::Remove(wait(2)));
    assert!(removed.writes.is_empty());
    assert_eq!(signal(&mut waits, "go").1, ["1: Signalled 5"]);
    tell(&mut waits, 100, &Tell::Remove(wait(1)));
    tell(&mut waits, 100, &hold(2, false));
    tell(&mut waits, 100, &Tell::Remove(wait(2)));
    assert_eq!(signal(&mut waits, "go").0, Err(Code::SignalUnknown));
    assert!(waits.rows.is_empty());
}

#[test]
fn an_expired_waiter_that_is_followed_by_another_is_not_remembered() {
    let mut waits = waits();
    tell(&mut waits, 100, &hold(1, false));
    let late =
        Hold { wait: wait(2), signal: "go".to_owned(), since: Millis(1_000), expires_at: Millis(2_000), replace: true };
    assert_eq!(tell(&mut waits, 1_000, &Tell::Hold(late)), ["2: Registered"]);
    assert_eq!(waits.rows.keys().collect::<Vec<_>>(), ["signal/holder"]);
}

#[test]
fn a_restart_owes_nothing_and_a_call_is_none_of_theirs() {
    let mut waits = waits();
    tell(&mut waits, 100, &register(1, None));
    let done = waits.turn(Message::Resume).unwrap();
    assert_eq!(done, Done::default());
    assert!(waits.turn(Message::Lost(Vec::new())).is_err());
}
