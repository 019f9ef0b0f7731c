use super::driver::{Home, bodies, sends};
use crate::{Decided, Policy};

#[test]
fn a_letter_is_sent_again_until_it_is_confirmed_with_longer_and_longer_pauses() {
    let mut home = Home::default();
    let first = home.settle(sends(&["a"])).unwrap().letters;
    assert_eq!((first[0].number, first[0].tries), (0, 1));
    let mut pauses = Vec::new();
    for tries in 2..12 {
        let before = home.now;
        let (letters, _) = home.next_alarm();
        assert_eq!((letters.len(), letters[0].tries), (1, tries));
        pauses.push(home.now - before);
        // Who forgets between two sendings goes on where it was.
        home.evict();
    }
    assert_eq!(pauses, [5_000, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000, 300_000, 300_000]);
    home.ledger.confirm(0);
    assert_eq!(home.next_alarm().0, []);
    assert_eq!(home.alarm, None);
}

#[test]
fn a_confirmation_writes_nothing_and_rides_on_the_next_head() {
    let mut home = Home::default();
    home.settle(sends(&["a"])).unwrap();
    home.ledger.confirm(0);
    home.ledger.confirm(0);
    assert!(home.ledger.letters().next().is_none());
    home.evict();
    assert_eq!(home.ledger.letter(0).unwrap().body.as_ref(), b"a", "it was only remembered");
    home.ledger.confirm(0);
    home.settle(sends(&["b"])).unwrap();
    home.evict();
    assert_eq!(bodies(&home.ledger.letters().collect::<Vec<_>>()), [b"b"]);
}

#[test]
fn a_turn_that_changes_nothing_writes_nothing() {
    let mut home = Home::default();
    assert_eq!(home.settle(Decided::default()).unwrap().writes, None);
    let waiting = Decided { wake_at: Some(2_000_000), ..Decided::default() };
    assert!(home.settle(waiting.clone()).unwrap().writes.is_some());
    assert_eq!(home.settle(waiting).unwrap().writes, None);
    assert_eq!((home.heads, home.alarms), (1, 1));
}

#[test]
fn large_letters_are_stored_apart_once_and_removed_when_all_are_confirmed() {
    let mut home = Home::default();
    let large = vec![7; home.policy.parcel_inline_bytes_max];
    home.settle(sends(&[&large, &b"small".to_vec()])).unwrap();
    assert_eq!(home.parcels.len(), 1);
    assert!(home.head.as_ref().unwrap().len() < 200);
    home.evict();
    assert_eq!(bodies(&home.ledger.letters().collect::<Vec<_>>()), [large.as_slice(), b"small"]);
    home.ledger.confirm(0);
    home.settle(sends(&["x"])).unwrap();
    assert_eq!(home.parcels.len(), 1, "one of its letters is still on its way");
    home.ledger.confirm(1);
    home.settle(sends(&["y"])).unwrap();
    assert_eq!(home.parcels.len(), 0);
    home.evict();
    assert_eq!(bodies(&home.ledger.letters().collect::<Vec<_>>()), [b"x", b"y"]);
}

#[test]
fn a_confirmed_parcel_is_removed_by_the_alarm_where_no_turn_comes() {
    let mut home = Home::default();
    home.settle(sends(&[vec![1; 5_000]])).unwrap();
    home.ledger.confirm(0);
    assert_eq!(home.next_alarm().0, []);
    assert!(home.parcels.is_empty());
    home.evict();
    assert!(home.ledger.is_at_rest());
}

#[test]
fn the_head_takes_no_more_than_its_share() {
    let policy = Policy { parcel_inline_bytes_max: 100, head_inline_bytes_max: 250, ..Policy::default() };
    let mut home = Home { policy, ..Home::default() };
    // Each letter is its body and the nine bytes of where it goes.
    for _ in 0..2 {
        home.settle(sends(&[[0; 91]])).unwrap();
    }
    assert_eq!(home.parcels.len(), 0);
    home.settle(sends(&[[0; 41]])).unwrap();
    assert_eq!(home.parcels.len(), 0, "exactly full");
    home.settle(sends(&[[0; 1]])).unwrap();
    assert_eq!(home.parcels.len(), 1);
    home.evict();
    assert_eq!(home.ledger.letters().count(), 4);
}
