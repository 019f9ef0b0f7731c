//! The key-value store.

use crate::spin::{Spin, is_harness};

const RACERS: usize = 16;

fn racers(path: &str) -> Vec<String> {
    vec![path.to_owned(); RACERS]
}

#[test]
fn a_plain_get_and_set_loses_updates() {
    let spin = Spin::start();
    spin.all(&racers("/kv/read-modify-write?key=k&ms=100"));
    let counted: usize = spin.ok("/kv/get?key=k").parse().unwrap();
    assert!(counted < RACERS, "{counted} of {RACERS}");
}

#[test]
fn compare_and_swap_loses_nothing_on_a_key_that_is_there() {
    let spin = Spin::start();
    spin.ok("/kv/set?key=k&value=0");
    for answer in spin.all(&racers("/kv/swap?key=k&ms=1")) {
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(spin.ok("/kv/get?key=k"), RACERS.to_string());
}

#[test]
fn a_swap_on_an_absent_key_is_unconditional() {
    let spin = Spin::start();
    let answers = spin.all(&racers("/kv/swap-once?key=k&ms=200&value=v"));
    assert!(answers.iter().all(|answer| answer.body == "swapped"), "{answers:?}");
}

#[test]
fn a_swap_that_has_read_nothing_is_unconditional() {
    let spin = Spin::start();
    spin.ok("/kv/set?key=k&value=old");
    assert_eq!(spin.ok("/kv/swap-unread?key=k&value=new"), "swapped");
    assert_eq!(spin.ok("/kv/get?key=k"), "new");
}

#[test]
fn a_swap_compares_values_and_not_versions() {
    let spin = Spin::start();
    spin.ok("/kv/set?key=k&value=a");
    std::thread::scope(|scope| {
        let swap = scope.spawn(|| spin.ok("/kv/swap-once?key=k&ms=1000&value=c"));
        spin.until_there_are(2);
        spin.ok("/kv/set?key=k&value=b");
        spin.ok("/kv/set?key=k&value=a");
        assert_eq!(swap.join().unwrap(), "swapped");
    });
    std::thread::scope(|scope| {
        let swap = scope.spawn(|| spin.ok("/kv/swap-once?key=k&ms=1000&value=d"));
        spin.until_there_are(2);
        spin.ok("/kv/set?key=k&value=b");
        assert_eq!(swap.join().unwrap(), "failed");
    });
}

#[test]
fn a_swap_that_fails_is_an_error_where_its_bucket_was_closed() {
    let spin = Spin::start();
    spin.ok("/kv/set?key=k&value=a");
    assert_eq!(spin.ok("/kv/swap-closed?key=k&value=b"), "swapped");
    std::thread::scope(|scope| {
        let swap = scope.spawn(|| spin.get("/kv/swap-closed?key=k&ms=1000&value=d"));
        spin.until_there_are(2);
        spin.ok("/kv/set?key=k&value=c");
        let answer = swap.join().unwrap();
        assert!(answer.status == 502 && answer.body.contains("NoSuchStore"), "{answer:?}");
    });
}

#[test]
fn an_increment_is_exact_on_an_absent_key_too() {
    let spin = Spin::start();
    let mut sums: Vec<usize> =
        spin.all(&racers("/kv/increment?key=k")).iter().map(|answer| answer.body.parse().unwrap()).collect();
    sums.sort_unstable();
    assert_eq!(sums, (1..=RACERS).collect::<Vec<_>>());
}

#[test]
fn an_increment_of_a_text_traps() {
    if !is_harness() {
        return;
    }
    let spin = Spin::start();
    spin.ok("/kv/set?key=k&value=text");
    assert_eq!(spin.get("/kv/increment?key=k").status, 500);
    spin.until_it_says("Spin would panic here");
    assert_eq!(spin.ok("/kv/get?key=k"), "text");
}

#[test]
fn reading_while_listing_traps_where_spin_hangs() {
    if !is_harness() {
        return;
    }
    let spin = Spin::start();
    for key in 0..20 {
        spin.ok(&format!("/kv/set?key=k{key}&value=v"));
    }
    assert_eq!(spin.get("/kv/keys-while-reading").status, 500);
    spin.until_it_says("Spin would hang here");
    assert_eq!(spin.ok("/kv/keys").split(' ').count(), 20);
}

#[test]
fn a_batch_leaves_out_what_is_not_there() {
    let spin = Spin::start();
    assert_eq!(spin.ok("/kv/batch?key=k"), "ka=1 kb=2");
    assert_eq!(spin.ok("/kv/keys"), "kb");
}

#[test]
fn a_store_that_the_manifest_does_not_name_is_denied() {
    let spin = Spin::start();
    let answer = spin.get("/kv/other?store=other&key=k");
    assert_eq!(answer.status, 502);
    assert!(answer.body.to_lowercase().contains("access"), "{answer:?}");
}

#[test]
fn stores_without_atomics_say_so() {
    if !is_harness() {
        return;
    }
    let spin = Spin::start_with(&["--without-atomics"]);
    assert!(spin.get("/kv/increment?key=k").body.contains("no atomic operations"));
    assert!(spin.get("/kv/swap?key=k").body.contains("no atomic operations"));
    spin.ok("/kv/set?key=k&value=v");
}

#[test]
fn what_was_set_is_there_after_a_kill() {
    let mut spin = Spin::start();
    spin.ok("/kv/set?key=k&value=v");
    spin.kill_and_restart();
    assert_eq!(spin.ok("/kv/get?key=k"), "v");
    spin.ok("/kv/delete?key=k");
    assert_eq!(spin.ok("/kv/get?key=k"), "nothing");
}
