//! Instances that are killed at random.

use crate::spin::{Spin, is_harness};

#[test]
fn what_was_acknowledged_is_counted_and_some_of_what_was_not() {
    if !is_harness() {
        return;
    }
    let spin = Spin::start_with(&["--kill-rate", "200000", "--seed", "7"]);
    let answers: Vec<_> = (0..200).map(|_| spin.get("/kv/increment?key=k").status).collect();
    let acknowledged = answers.iter().filter(|status| **status == 200).count();
    assert!((120..200).contains(&acknowledged), "{acknowledged}");
    assert!(answers.iter().all(|status| [200, 500].contains(status)), "{answers:?}");
    let mut last = spin.get("/kv/increment?key=k");
    while last.status != 200 {
        last = spin.get("/kv/increment?key=k");
    }
    let counted: usize = last.body.parse().unwrap();
    assert!(acknowledged < counted, "a kill after the call is done leaves more than was acknowledged");
    assert!(counted < 220, "a kill before it leaves nothing: {counted}");
}
