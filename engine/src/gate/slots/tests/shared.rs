//! Limits that functions share: asked for once the function itself has room, and waited for without holding anything of it.

use super::{Bench, NOW, Tell, wanted};
use crate::ids::Millis;
use crate::turn::Settings;
use serde_json::{Value, json};

const SHARED: &str = "event.data.t";

fn shared() -> Value {
    json!({"concurrency": {"steps": [
        {"limit": 1, "scope": "fn"}, {"limit": 5, "scope": "env", "key": SHARED}
    ]}})
}

/// The first run waits at its shared gate.
fn parked() -> Bench {
    let mut bench = Bench::new(shared());
    bench.begin(1, &[(SHARED, "a")]);
    bench.reply(0, false);
    bench
}

#[test]
fn what_functions_share_is_asked_for_once_the_function_itself_has_room() {
    let mut bench = Bench::new(shared());
    assert!(bench.begin(1, &[(SHARED, "a")]).is_empty() && bench.begin(2, &[(SHARED, "b")]).is_empty());
    assert_eq!(bench.asked(), ["Take"], "only for the first");
    assert_eq!(bench.reply(0, true), ["1/discovery:0"]);
    assert!(bench.reply(0, true).is_empty(), "told twice");
    bench.release(1, "discovery:0");
    assert_eq!(bench.asked(), ["Take", "Give", "Take"]);
}

#[test]
fn who_waits_at_a_shared_gate_holds_nothing_of_its_function() {
    let mut bench = Bench::new(shared());
    bench.begin(1, &[(SHARED, "a")]);
    bench.begin(2, &[(SHARED, "b")]);
    bench.reply(0, false);
    assert_eq!(bench.asked(), ["Take", "Take"], "the second has its turn");
    assert_eq!(bench.overview().parked, 1);
    assert_eq!(bench.reply(1, true), ["2/discovery:0"]);
    assert!(bench.reply(0, true).is_empty(), "the shared gate has room, the function has none");
    assert_eq!(bench.asked(), ["Take", "Take", "Give"]);
    bench.release(2, "discovery:0");
    assert_eq!(bench.asked(), ["Take", "Take", "Give", "Give", "Take"]);
    assert_eq!(bench.reply(4, true), ["1/discovery:0"]);
}

#[test]
fn who_has_been_given_a_shared_place_goes_on_with_it() {
    let mut bench = parked();
    assert_eq!(bench.reply(0, true), ["1/discovery:0"]);
    bench.release(1, "discovery:0");
    assert_eq!(bench.asked(), ["Take", "Give"]);
    assert!(bench.gate.rows.is_empty());
}

/// Each has what the other wants: were both to give that back, they would take turns at it for ever.
#[test]
fn who_only_asks_makes_room_for_who_has_been_given_a_shared_place() {
    let mut bench = Bench::new(shared());
    bench.begin(1, &[(SHARED, "a")]);
    bench.begin(2, &[(SHARED, "a")]);
    bench.reply(0, false);
    assert_eq!(bench.asked(), ["Take", "Take"], "the second has its turn");
    assert_eq!(bench.reply(0, true), ["1/discovery:0"]);
    assert!(bench.reply(1, false).is_empty());
    assert_eq!((bench.overview().parked, bench.overview().in_flight), (1, 1));
    bench.release(1, "discovery:0");
    assert_eq!(bench.reply(1, true), ["2/discovery:0"]);
    assert_eq!(bench.asked(), ["Take", "Take", "Give"]);
}

#[test]
fn who_waits_at_the_second_shared_gate_keeps_its_place_at_the_first() {
    let mut bench = Bench::new(json!({"concurrency": {"steps": [
        {"limit": 5, "scope": "account", "key": SHARED}, {"limit": 5, "scope": "env", "key": SHARED}
    ]}}));
    bench.begin(1, &[(SHARED, "a")]);
    bench.reply(0, true);
    bench.reply(1, false);
    assert_eq!(bench.asked(), ["Take", "Take"]);
    assert_eq!(bench.reply(1, true), ["1/discovery:0"]);
    bench.begin(2, &[(SHARED, "a")]);
    bench.reply(2, true);
    bench.reply(3, false);
    bench.end(2);
    assert_eq!(bench.asked(), ["Take", "Take", "Take", "Take", "Give", "Give"], "in whatever it waits or has");
    bench.release(1, "discovery:0");
    assert!(bench.gate.rows.is_empty());
}

#[test]
fn a_shared_place_for_a_run_that_is_over_goes_back() {
    let mut bench = Bench::new(shared());
    bench.begin(1, &[(SHARED, "a")]);
    bench.end(1);
    assert_eq!(bench.asked(), ["Take", "Give"]);
    assert!(bench.reply(0, true).is_empty());
    assert_eq!(bench.asked(), ["Take", "Give", "Give"]);
    assert!(bench.gate.rows.is_empty());
}

#[test]
fn a_start_of_the_throttle_is_put_back_while_a_shared_gate_is_full() {
    let mut flow = shared();
    flow["throttle"] = json!({"limit": 1, "period": 60_000, "burst": 0});
    let mut bench = Bench::new(flow);
    bench.begin(1, &[(SHARED, "a")]);
    bench.begin(2, &[(SHARED, "b")]);
    bench.reply(0, false);
    assert_eq!(bench.reply(1, true), ["2/discovery:0"]);
    bench.release(2, "discovery:0");
    assert!(bench.reply(0, true).is_empty(), "the start is used up now");
    assert_eq!(bench.wake_at, Some(Millis(NOW + 60_000)));
}

#[test]
fn a_start_that_is_put_back_late_lets_nobody_begin_early() {
    let mut flow = shared();
    flow["throttle"] = json!({"limit": 1, "period": 60_000, "burst": 1});
    flow["concurrency"]["steps"][0]["limit"] = json!(9);
    let mut bench = Bench::new(flow);
    bench.begin(1, &[(SHARED, "a")]);
    bench.gate.now = Millis(NOW + 100_000);
    bench.begin(2, &[(SHARED, "b")]);
    bench.reply(1, true);
    bench.begin(3, &[(SHARED, "c")]);
    bench.reply(0, false);
    assert_eq!(bench.asked(), ["Take", "Take", "Take"], "two at once after a quiet time");
    assert!(bench.begin(4, &[(SHARED, "d")]).is_empty());
    assert_eq!(bench.asked().len(), 3, "that one of them waits for something else gives nobody a start");
}

/// What an earlier dispatch asked for may be given back after the later one has asked.
#[test]
fn a_later_dispatch_asks_shared_gates_in_its_own_name() {
    let mut bench = Bench::new(shared());
    bench.begin(1, &[(SHARED, "a")]);
    assert!(bench.want(wanted(1, "discovery:0", 2, &[(SHARED, "a")])).is_empty());
    assert_eq!(bench.asked(), ["Take", "Take"]);
    assert!(bench.reply(0, true).is_empty(), "what the first has asked for");
    assert_eq!(bench.asked(), ["Take", "Take", "Give"]);
    assert_eq!(bench.reply(1, true), ["1/discovery:0"]);
}

#[test]
fn who_waits_at_a_shared_gate_for_long_is_asked_whether_it_wants_that_still() {
    let mut bench = parked();
    let at = bench.wake_at.unwrap();
    assert_eq!(at, Millis(NOW).plus(crate::limits::SLOT_CHECK_INTERVAL));
    bench.wake(at.0);
    assert_eq!(bench.asked(), ["Take", "Take", "Holds"], "and the shared gate is asked again");
    bench.release(1, "discovery:0");
    assert_eq!(bench.asked(), ["Take", "Take", "Holds", "Give"]);
    assert!(bench.gate.rows.is_empty(), "{:?}", bench.gate.rows.keys());
}

#[test]
fn where_the_server_limits_an_app_a_function_without_limits_asks_too() {
    let mut bench = Bench::new(json!({}));
    let settings = Settings { calls_per_app_max: Some(5), ..Settings::default() };
    bench.gate.catalog = bench.gate.catalog.clone().under(&settings);
    assert!(bench.begin(1, &[]).is_empty());
    assert_eq!(bench.asked(), ["Take"]);
    assert_eq!(bench.asked[0]["message"]["Take"]["limit"], json!({"scope": "app", "source": "app"}));
    assert_eq!(bench.reply(0, true), ["1/discovery:0"]);
    bench.release(1, "discovery:0");
    assert_eq!(bench.asked(), ["Take", "Give"]);
    assert!(bench.gate.rows.is_empty());
}

/// Who waits at the gate of the old key, and who has only asked it, asks that of the new one before it calls.
#[test]
fn who_asks_for_a_limit_whose_key_is_another_asks_for_the_new_one() {
    let keyed = |key| json!({"concurrency": {"steps": [{"limit": 1, "scope": "env", "key": key}]}});
    for waits in [true, false] {
        let mut bench = Bench::new(keyed("k"));
        bench.begin(1, &[("k", "a")]);
        if waits {
            bench.reply(0, false);
        }
        bench.gate.catalog = super::catalog(keyed("j"));
        bench.tell(&Tell::Configured);
        assert!(bench.reply(0, true).is_empty(), "the old gate keeps nobody any more");
        let asked = bench.asked();
        let last = asked.len() - 1;
        assert_eq!(asked[last - 1..], ["Give", "Take"], "{asked:?}");
        assert_eq!(bench.asked[last]["message"]["Take"]["limit"]["source"], "j");
        assert_eq!(bench.reply(last, true), ["1/discovery:0"]);
    }
}
