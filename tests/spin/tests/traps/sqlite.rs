//! SQLite.

use crate::spin::{Spin, is_harness};

fn prepared() -> Spin {
    let spin = Spin::start();
    spin.ok("/sql/prepare");
    spin
}

#[test]
fn immediate_transactions_lose_nothing() {
    let spin = prepared();
    let answers = spin.all(&vec!["/sql/add?key=k&begin=IMMEDIATE&ms=5".to_owned(); 16]);
    assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
    assert_eq!(spin.ok("/sql/count?key=k"), "16");
}

#[test]
fn deferred_transactions_fail_as_locked() {
    let spin = prepared();
    let answers = spin.all(&vec!["/sql/add?key=k&begin=DEFERRED&ms=100".to_owned(); 8]);
    assert!(answers.iter().any(|answer| answer.body.contains("database is locked")), "{answers:?}");
}

#[test]
fn a_transaction_ends_with_its_connection() {
    let spin = prepared();
    assert_eq!(spin.ok("/sql/abandon?key=k"), "0");
    spin.ok("/sql/add?key=k&begin=IMMEDIATE");
}

#[test]
fn of_several_statements_the_first_is_run() {
    assert_eq!(prepared().ok("/sql/several?key=k"), "1 0");
}

#[test]
fn a_statement_while_rows_are_unread_traps_where_spin_hangs() {
    if !is_harness() {
        return;
    }
    let spin = prepared();
    assert_eq!(spin.get("/sql/while-unread").status, 500);
    spin.until_it_says("Spin would hang here");
}

#[test]
fn connections_have_the_defaults_of_sqlite() {
    let settings = prepared().ok("/sql/settings");
    assert!(settings.contains("delete") && settings.contains('2') && settings.contains("5000"), "{settings}");
}
