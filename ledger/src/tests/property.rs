//! Whatever happens in whatever order: no letter is lost, no call is made twice, and an alarm covers all that is pending.

use super::driver::Home;
use crate::Decided;
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
enum Move {
    /// A turn: sizes of letters, calls, which calls are over, a wake after so long.
    Turn {
        letters: Vec<usize>,
        calls: Vec<u8>,
        over: Vec<u8>,
        wake: Option<u32>,
    },
    /// A turn whose commit fails.
    Failed {
        letters: Vec<usize>,
        calls: Vec<u8>,
    },
    /// The n-th letter on its way is confirmed.
    Confirm(usize),
    Renew(Vec<u8>),
    Evict,
    /// The clock goes on, or back.
    Time(i32),
    /// The alarm goes off, whatever the clock says; what is due is settled or not.
    Ring {
        settles: bool,
    },
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let letters = || vec(prop_oneof![0..200_usize, 3_000..6_000_usize], 0..4);
    let ids = || vec(0..6_u8, 0..4);
    let one = prop_oneof![
        4 => (letters(), ids(), ids(), proptest::option::of(0..200_000_u32))
            .prop_map(|(letters, calls, over, wake)| Move::Turn { letters, calls, over, wake }),
        1 => (letters(), ids()).prop_map(|(letters, calls)| Move::Failed { letters, calls }),
        3 => (0..8_usize).prop_map(Move::Confirm),
        1 => ids().prop_map(Move::Renew),
        2 => Just(Move::Evict),
        3 => (-20_000..90_000_i32).prop_map(Move::Time),
        3 => any::<bool>().prop_map(|settles| Move::Ring { settles }),
    ];
    vec(one, 1..60)
}

fn decided(home: &Home, letters: &[usize], calls: &[u8], over: &[u8], wake: Option<u32>) -> Decided {
    Decided {
        over: over.iter().map(u8::to_string).collect(),
        sends: letters.iter().map(|size| ("run/x".into(), vec![7; *size].into())).collect(),
        calls: calls.iter().map(u8::to_string).collect(),
        wake_at: wake.map(|after| home.now + u64::from(after)),
        owing: !calls.is_empty(),
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_and_nothing_is_forgotten(moves in moves()) {
        let mut home = Home::default();
        // What must still be on its way, and what is in flight.
        let mut letters: BTreeMap<u64, usize> = BTreeMap::new();
        let mut flying: BTreeSet<String> = BTreeSet::new();
        let mut confirmed: BTreeSet<u64> = BTreeSet::new();
        let mut latest_now = home.now;
        for step in moves {
            match step {
                Move::Turn { letters: sizes, calls, over, wake } => {
                    let turn = decided(&home, &sizes, &calls, &over, wake);
                    for call in &turn.over {
                        flying.remove(call);
                    }
                    let settled = home.settle(turn.clone()).unwrap();
                    for place in settled.calls {
                        prop_assert!(flying.insert(turn.calls[place].clone()), "a call is made twice");
                    }
                    for letter in settled.letters {
                        prop_assert!(letters.insert(letter.number, letter.body.len()).is_none(), "a number is given twice");
                    }
                }
                Move::Failed { letters, calls } => {
                    let turn = decided(&home, &letters, &calls, &[], None);
                    home.ledger.clone().settle(turn, home.now, &home.policy).unwrap();
                }
                Move::Confirm(place) => {
                    if let Some(number) = letters.keys().nth(place).copied() {
                        letters.remove(&number);
                        confirmed.insert(number);
                        home.ledger.confirm(number);
                    }
                }
                Move::Renew(ids) => {
                    let ids: Vec<String> = ids.iter().map(u8::to_string).collect();
                    let known = ids.iter().any(|id| flying.contains(id));
                    let writes = home.ledger.renew(ids.iter().map(String::as_str), home.now, &home.policy);
                    prop_assert_eq!(writes.is_some(), known);
                    home.store(writes, crate::Alarm::Keep);
                }
                Move::Evict => home.evict(),
                Move::Time(by) => {
                    home.now = home.now.saturating_add_signed(i64::from(by));
                    latest_now = latest_now.max(home.now);
                }
                Move::Ring { settles } => {
                    let (again, due) = home.ring();
                    for letter in again {
                        let known = letters.contains_key(&letter.number) || confirmed.contains(&letter.number);
                        prop_assert!(known, "a letter out of nowhere");
                    }
                    if due != crate::Due::default() && !settles {
                        home.fail();
                    } else if due != crate::Due::default() {
                        flying.retain(|call| !due.lost.contains(call));
                        home.settle(Decided { over: due.lost, ..Decided::default() }).unwrap();
                    }
                }
            }
            let held: BTreeMap<u64, usize> = home.ledger.letters().map(|letter| (letter.number, letter.body.len())).collect();
            prop_assert!(letters.iter().all(|(number, size)| held.get(number) == Some(size)), "a letter is lost");
            prop_assert!(held.keys().all(|number| letters.contains_key(number) || confirmed.contains(number)));
            prop_assert_eq!(home.ledger.leases().map(|(call, _)| call.to_owned()).collect::<BTreeSet<_>>(), flying.clone());
            // A letter that was confirmed, which was then forgotten, needs no alarm.
            let mut truth = home.ledger.clone();
            confirmed.iter().for_each(|number| truth.confirm(*number));
            if let Some(pending) = truth.pending() {
                // Where the clock was set back since, by the clock that was.
                let latest = pending.max(latest_now).saturating_add(home.policy.failure_ms);
                prop_assert!(home.alarm.is_some_and(|alarm| alarm <= latest), "nothing would wake {:?}", home.ledger);
            }
        }
        // Left alone, and with every letter confirmed, it comes to rest.
        for number in home.ledger.letters().map(|letter| letter.number).collect::<Vec<_>>() {
            home.ledger.confirm(number);
        }
        home.settle(Decided { over: flying.into_iter().collect(), ..Decided::default() }).unwrap();
        prop_assert!(home.ledger.is_at_rest());
        prop_assert!(home.parcels.is_empty());
    }
}
