use super::driver::{Home, calls};
use crate::{Decided, Due};

#[test]
fn a_call_in_flight_is_not_made_again_however_often_it_is_asked_for() {
    let mut home = Home::default();
    assert_eq!(home.settle(calls(&["a", "b"])).unwrap().calls, [0, 1]);
    home.evict();
    assert_eq!(home.settle(calls(&["a", "c", "b"])).unwrap().calls, [1]);
    let answered = Decided { over: vec!["a".to_owned()], ..calls(&["a"]) };
    assert_eq!(home.settle(answered).unwrap().calls, [0], "it was over, and is wanted anew");
}

#[test]
fn a_lease_that_ends_is_a_lost_call_and_its_siblings_stay() {
    let mut home = Home::default();
    home.settle(calls(&["a"])).unwrap();
    home.now += 1_000;
    home.settle(calls(&["a", "b"])).unwrap();
    let (_, due) = home.next_alarm();
    assert_eq!(due, Due { lost: vec!["a".to_owned()], ..Due::default() });
    // Until a turn was told of it, every alarm tells it again.
    home.fail();
    let (_, due) = home.next_alarm();
    assert_eq!(due.lost, ["a", "b"]);
    home.settle(Decided { over: due.lost, ..calls(&["a2", "b2"]) }).unwrap();
    assert_eq!(home.ledger.leases().map(|(call, _)| call).collect::<Vec<_>>(), ["a2", "b2"]);
}

#[test]
fn a_renewed_lease_lasts_and_costs_no_alarm() {
    let mut home = Home::default();
    home.settle(calls(&["a"])).unwrap();
    let alarm = home.alarm;
    home.now += home.policy.renew_ms;
    let writes = home.ledger.renew(["a"], home.now, &home.policy).unwrap();
    home.store(Some(writes), crate::Alarm::Keep);
    home.evict();
    assert_eq!(home.alarm, alarm);
    let (_, due) = home.next_alarm();
    assert_eq!(due, Due::default());
    assert_eq!(home.alarm, Some(1_000_000 + home.policy.renew_ms + home.policy.lease_ms));
}

#[test]
fn a_lease_that_is_renewed_before_anybody_was_told_that_it_ended_has_not_ended() {
    let mut home = Home::default();
    home.settle(calls(&["a", "b"])).unwrap();
    let (_, found) = home.next_alarm();
    assert_eq!(found.lost, ["a", "b"]);
    let writes = home.ledger.renew(["a"], home.now, &home.policy).unwrap();
    home.store(Some(writes), crate::Alarm::Keep);
    assert_eq!(home.ledger.due(home.now).lost, ["b"]);
    home.now += home.policy.lease_ms;
    assert_eq!(home.ledger.due(home.now).lost, ["a", "b"], "it ends by the clock all the same");
}

#[test]
fn what_was_owed_with_no_call_in_flight_is_not_asked_for_once_a_call_is() {
    let mut home = Home::default();
    home.settle(Decided { owing: true, ..Decided::default() }).unwrap();
    let (_, found) = home.next_alarm();
    assert!(found.resume);
    home.settle(calls(&["a"])).unwrap();
    assert_eq!(home.ledger.due(home.now), Due::default());
}

#[test]
fn whoever_makes_a_call_that_counts_as_lost_is_told_to_stop() {
    let mut home = Home::default();
    home.settle(calls(&["a"])).unwrap();
    assert!(home.ledger.renew(["a", "gone"], home.now, &home.policy).is_some());
    home.settle(Decided { over: vec!["a".to_owned()], ..Decided::default() }).unwrap();
    assert_eq!(home.ledger.renew(["a"], home.now, &home.policy), None);
}

#[test]
fn what_is_owed_with_no_call_in_flight_is_asked_for_after_a_lease_again_and_again() {
    let mut home = Home::default();
    let owing = || Decided { owing: true, ..Decided::default() };
    home.settle(owing()).unwrap();
    for _ in 0..3 {
        home.now += 1_000;
        assert_eq!(home.settle(owing()).unwrap().writes, None);
        let before = home.now;
        home.evict();
        let (_, due) = home.next_alarm();
        assert_eq!(due, Due { resume: true, ..Due::default() });
        assert_eq!(home.now - before, home.policy.lease_ms - 1_000);
        home.settle(owing()).unwrap();
    }
    home.settle(Decided::default()).unwrap();
    assert_eq!(home.next_alarm().1, Due::default());
    assert_eq!(home.alarm, None);
}
