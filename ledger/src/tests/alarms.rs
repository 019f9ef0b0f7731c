use super::driver::{Home, calls, sends};
use crate::{Alarm, Decided, Due, Policy};

fn wake(at: u64) -> Decided {
    Decided { wake_at: Some(at), ..Decided::default() }
}

#[test]
fn the_alarm_is_set_only_where_it_must_go_off_earlier() {
    let mut home = Home::default();
    assert_eq!(home.settle(wake(2_000_000)).unwrap().alarm, Alarm::Set(2_000_000));
    assert_eq!(home.settle(wake(3_000_000)).unwrap().alarm, Alarm::Keep);
    assert_eq!(home.settle(wake(1_500_000)).unwrap().alarm, Alarm::Set(1_500_000));
    assert_eq!(home.settle(Decided::default()).unwrap().alarm, Alarm::Keep);
    let (_, due) = home.next_alarm();
    assert_eq!((due, home.alarm), (Due::default(), None));
}

#[test]
fn an_alarm_that_comes_early_is_set_again() {
    let mut home = Home::default();
    home.settle(wake(2_000_000)).unwrap();
    let (_, due) = home.ring();
    assert_eq!((due.wake, home.alarm), (false, Some(2_000_000)));
    home.evict();
    let (_, due) = home.next_alarm();
    assert!(due.wake);
}

#[test]
fn a_wake_that_no_turn_took_in_comes_again() {
    let policy = Policy { guard_ms: Some(5_000), ..Policy::default() };
    let mut home = Home { policy, ..Home::default() };
    home.settle(wake(1_000_001)).unwrap();
    for _ in 0..3 {
        let before = home.now;
        assert!(home.next_alarm().1.wake);
        home.evict();
        assert!(home.now - before <= home.policy.failure_ms);
        assert!(home.alarm.is_some());
    }
    home.settle(Decided::default()).unwrap();
    assert!(!home.next_alarm().1.wake);
    assert_eq!(home.alarm, None);
}

#[test]
fn after_a_failure_it_is_tried_again_later_but_nothing_else_is_delayed() {
    let mut home = Home::default();
    home.settle(wake(1_002_000)).unwrap();
    home.fail();
    assert_eq!(home.alarm, Some(1_002_000), "the wake comes first");
    assert!(home.next_alarm().1.wake);
    assert_eq!(home.alarm, None, "the turn sees to it");
    home.fail();
    assert_eq!(home.alarm, Some(1_007_000));
    assert!(home.next_alarm().1.wake);
}

#[test]
fn a_short_run_sets_one_alarm() {
    let mut home = Home::default();
    home.settle(Decided { sends: sends(&["started"]).sends, ..calls(&["1"]) }).unwrap();
    home.ledger.confirm(0);
    for step in 1..6 {
        home.now += 100;
        home.settle(Decided { over: vec![step.to_string()], ..calls(&[&(step + 1).to_string()]) }).unwrap();
    }
    home.now += 100;
    home.settle(Decided { over: vec!["6".to_owned()], ..sends(&["ended"]) }).unwrap();
    home.ledger.confirm(1);
    assert_eq!(home.alarms, 1);
    assert_eq!(home.next_alarm(), (Vec::new(), Due::default()));
    assert_eq!((home.alarms, home.alarm), (1, None));
}
