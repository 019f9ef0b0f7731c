use super::driver::{Home, calls, sends};
use crate::{Decided, Ledger, LedgerError, Policy, limits};

#[test]
fn letters_are_bounded_in_number() {
    let mut home = Home::default();
    home.settle(sends(&vec![""; limits::LETTERS_MAX])).unwrap();
    assert_eq!(home.settle(sends(&[""])), Err(LedgerError::TooManyLetters));
    home.ledger.confirm(3);
    home.settle(sends(&[""])).unwrap();
}

#[test]
fn letters_are_bounded_in_bytes() {
    let mut home = Home::default();
    let room = limits::OUTBOX_BYTES_MAX - "history/0".len();
    home.settle(sends(&[vec![0; room]])).unwrap();
    let refused = home.settle(sends(&[""])).unwrap_err();
    assert_eq!((refused.code(), &refused), ("overloaded", &LedgerError::OutboxTooLarge));
    home.evict();
    assert_eq!(home.settle(sends(&[""])), Err(LedgerError::OutboxTooLarge), "also after it was read back");
    home.ledger.confirm(0);
    home.settle(sends(&[vec![0; room]])).unwrap();
}

#[test]
fn destinations_are_bounded() {
    let to = |bytes: usize| Decided { sends: vec![("x".repeat(bytes).into(), [].into())], ..Decided::default() };
    let mut home = Home::default();
    home.settle(to(limits::DESTINATION_BYTES_MAX)).unwrap();
    assert_eq!(home.settle(to(limits::DESTINATION_BYTES_MAX + 1)), Err(LedgerError::DestinationTooLong));
}

#[test]
fn calls_are_bounded_in_number_and_length() {
    let mut home = Home::default();
    let ids: Vec<String> = (0..limits::LEASES_MAX).map(|id| id.to_string()).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    home.settle(calls(&ids)).unwrap();
    assert_eq!(home.settle(calls(&["more"])), Err(LedgerError::TooManyCalls));
    home.settle(calls(&["7"])).unwrap();
    let mut home = Home::default();
    home.settle(calls(&[&"x".repeat(limits::CALL_ID_BYTES_MAX)])).unwrap();
    assert_eq!(home.settle(calls(&[&"x".repeat(limits::CALL_ID_BYTES_MAX + 1)])), Err(LedgerError::CallIdTooLong));
}

#[test]
fn what_is_damaged_is_refused_and_nothing_panics() {
    let mut ledger = Ledger::default();
    let writes = ledger.settle(sends(&["a", "b"]), 5, &Policy::default()).unwrap().writes.unwrap();
    assert!(Ledger::load(Some(&writes.head), [], None).is_ok());
    for end in 0..writes.head.len() {
        assert!(Ledger::load(writes.head.get(..end), [], None).is_err());
    }
    let mut other = writes.head;
    other[0] = 2;
    assert_eq!(Ledger::load(Some(&other), [], None).unwrap_err().code(), "engine_fault");
}

#[test]
fn a_parcel_that_is_missing_is_noticed() {
    let mut ledger = Ledger::default();
    let writes = ledger.settle(sends(&[vec![0; 9_000]]), 5, &Policy::default()).unwrap().writes.unwrap();
    let parcel = writes.put.unwrap();
    assert!(Ledger::load(Some(&writes.head), [(parcel.number, parcel.bytes.as_slice())], None).is_ok());
    assert!(Ledger::load(Some(&writes.head), [], None).is_err());
}

#[test]
fn editions_ascend() {
    let mut ledger = Ledger::default();
    let mut last = 0;
    for at in 1..5 {
        let decided = Decided { wake_at: Some(at), ..Decided::default() };
        let head = ledger.settle(decided, 0, &Policy::default()).unwrap().writes.unwrap().head;
        assert!(Ledger::edition_of(&head).unwrap() > last);
        last = ledger.edition();
        assert_eq!(Ledger::edition_of(&head).unwrap(), last);
    }
}
