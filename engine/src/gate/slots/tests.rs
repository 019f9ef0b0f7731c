//! The gate of slots against runs that behave, and runs that do not.

mod keys;
mod shared;

use super::message::{Dispatch, News, Overview, Tell};
use super::*;
use crate::gate::place::Kind;
use crate::gate::shared::Reply;
use crate::limits::{QUEUES_TOLD_MAX, SLOT_CHECK_INTERVAL, SLOT_CHECK_INTERVAL_MAX};
use crate::stream::driver::{Driver, sent};
use crate::turn::Message;
use serde_json::{Value, json};

const NOW: u64 = 1_700_000_000_000;

/// A gate, and what it has said.
struct Bench {
    gate: Driver<Slots>,
    granted: Vec<String>,
    /// What it told shared gates.
    asked: Vec<Value>,
    wake_at: Option<Millis>,
}

impl Bench {
    /// The gate of a function with this flow control, as the catalog keeps it.
    fn new(flow: Value) -> Self {
        let key = place::key(Kind::Slots, &"f".into(), "");
        let gate = Driver::of(&key, Millis(NOW), catalog(flow));
        Self { gate, granted: Vec::new(), asked: Vec::new(), wake_at: None }
    }

    fn tell(&mut self, tell: &Tell) -> Vec<String> {
        let done = self.gate.tell(tell);
        self.hear(done)
    }

    /// What a turn grants, as `<run>/<unit>`.
    fn hear(&mut self, done: Done) -> Vec<String> {
        let mut granted = Vec::new();
        for (to, message) in sent(&done) {
            match message.get("Granted") {
                Some(grant) => {
                    let run = number(RunId::parse(grant["run"].as_str().unwrap()).unwrap());
                    granted.push(format!("{run}/{}", grant["dispatch"]["unit"].as_str().unwrap()));
                }
                None => self.asked.push(json!({"to": to.key, "message": message})),
            }
        }
        self.wake_at = done.wake_at;
        self.granted.extend(granted.clone());
        granted
    }

    /// The first call of a run, with these keys.
    fn begin(&mut self, run: u64, keys: &[(&str, &str)]) -> Vec<String> {
        self.want(News { is_first: true, ..wanted(run, "discovery:0", 1, keys) })
    }

    fn want(&mut self, news: News) -> Vec<String> {
        self.tell(&Tell::News(news))
    }

    fn release(&mut self, run: u64, unit: &str) -> Vec<String> {
        let released = vec![dispatch(unit, 1)];
        self.tell(&Tell::News(News { released, ..News::of(id(run)) }))
    }

    fn end(&mut self, run: u64) -> Vec<String> {
        self.tell(&Tell::News(News { is_over: true, ..News::of(id(run)) }))
    }

    fn wake(&mut self, at: u64) -> Vec<String> {
        self.gate.now = Millis(at);
        let done = self.gate.turn(Message::Wake).unwrap();
        self.hear(done)
    }

    fn overview(&mut self) -> Overview {
        let (answer, _) = self.gate.ask(&Ask::Flow);
        serde_json::from_value(answer.unwrap()).unwrap()
    }

    fn reply(&mut self, asked: usize, is_taken: bool) -> Vec<String> {
        let Value::Object(take) = &self.asked[asked]["message"]["Take"] else { panic!("{:?}", self.asked[asked]) };
        let reply = json!({
            "slot": take["by"]["slot"], "gate": self.asked[asked]["to"], "ask": take["ask"], "is_taken": is_taken
        });
        let reply: Reply = serde_json::from_value(reply).unwrap();
        self.tell(&Tell::Shared(reply))
    }

    /// The kinds of what shared gates were told.
    fn asked(&self) -> Vec<&str> {
        self.asked.iter().map(|told| told["message"].as_object().unwrap().keys().next().unwrap().as_str()).collect()
    }
}

fn catalog(flow: Value) -> crate::catalog::Catalog {
    let mut catalog = crate::stream::driver::catalog(&[("f", &["e"])]);
    catalog.functions.get_mut(&FunctionId::from("f")).unwrap().flow = serde_json::from_value(flow).unwrap();
    catalog
}

fn limits(steps: Value) -> Value {
    json!({"concurrency": {"steps": steps}})
}

fn id(run: u64) -> RunId {
    RunId(ulid::Ulid::from_parts(NOW, u128::from(run)))
}

fn number(run: RunId) -> u128 {
    run.0.random()
}

fn dispatch(unit: &str, generation: u32) -> Dispatch {
    Dispatch { unit: UnitId::parse(unit).unwrap(), generation }
}

fn wanted(run: u64, unit: &str, generation: u32, keys: &[(&str, &str)]) -> News {
    let keys = keys.iter().map(|(source, value)| ((*source).to_owned(), (*value).to_owned())).collect();
    let rank = i64::try_from(NOW).unwrap();
    News { wanted: vec![dispatch(unit, generation)], rank, keys, ..News::of(id(run)) }
}

#[test]
fn so_many_calls_at_once_and_the_next_as_soon_as_one_is_over() {
    let mut bench = Bench::new(limits(json!([{"limit": 2, "scope": "fn"}])));
    assert_eq!(bench.begin(1, &[]), ["1/discovery:0"]);
    assert_eq!(bench.begin(2, &[]), ["2/discovery:0"]);
    assert!(bench.begin(3, &[]).is_empty() && bench.begin(4, &[]).is_empty());
    assert_eq!(bench.release(1, "discovery:0"), ["3/discovery:0"], "in the same turn");
    assert_eq!(bench.release(2, "discovery:0"), ["4/discovery:0"]);
    assert!(bench.release(3, "discovery:0").is_empty() && bench.release(4, "discovery:0").is_empty());
    assert!(bench.gate.rows.is_empty(), "{:?}", bench.gate.rows.keys());
    assert_eq!(bench.wake_at, None);
}

#[test]
fn what_is_granted_at_once_costs_one_row() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn"}])));
    bench.begin(1, &[]);
    let mut news = wanted(1, "step:a", 1, &[]);
    news.released = vec![dispatch("discovery:0", 1)];
    let done = bench.gate.tell(&Tell::News(news));
    let written: Vec<_> =
        done.writes.iter().map(|write| (write.key.split('/').next().unwrap(), write.value.is_some())).collect();
    assert_eq!(written, [("hold", false), ("hold", true)]);
}

#[test]
fn each_value_of_a_key_has_the_limit_to_itself() {
    let limit = limits(json!([{"limit": 1, "scope": "fn", "key": "event.data.t"}]));
    let mut bench = Bench::new(limit);
    for run in 1..=1_000 {
        bench.begin(run, &[("event.data.t", "busy")]);
    }
    assert_eq!(bench.granted, ["1/discovery:0"]);
    assert_eq!(bench.begin(2_000, &[("event.data.t", "quiet")]), ["2000/discovery:0"], "starts at once");
    assert_eq!(bench.release(2_000, "discovery:0"), [""; 0]);
    assert_eq!(bench.release(1, "discovery:0"), ["2/discovery:0"]);
}

#[test]
fn of_two_limits_both_hold_and_who_lacks_one_holds_nothing_of_the_other() {
    let mut bench = Bench::new(limits(json!([
        {"limit": 1, "scope": "fn", "key": "k"}, {"limit": 2, "scope": "fn"}
    ])));
    assert_eq!(bench.begin(1, &[("k", "a")]), ["1/discovery:0"]);
    assert!(bench.begin(2, &[("k", "a")]).is_empty());
    assert!(bench.begin(3, &[("k", "a")]).is_empty());
    assert_eq!(bench.begin(4, &[("k", "b")]), ["4/discovery:0"], "the others of a hold no slot of the function");
    assert!(bench.begin(5, &[("k", "c")]).is_empty(), "the function is full");
    assert_eq!(bench.release(4, "discovery:0"), ["5/discovery:0"]);
    assert_eq!(bench.release(1, "discovery:0"), ["2/discovery:0"]);
}

#[test]
fn the_lowest_rank_goes_first_and_of_equals_the_older_run() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn"}])));
    bench.begin(1, &[]);
    for (run, ahead) in [(5, 0), (4, 0), (6, -1_000), (3, 1_000)] {
        let rank = i64::try_from(NOW).unwrap() + ahead;
        bench.want(News { rank, ..wanted(run, "discovery:0", 1, &[]) });
    }
    let order: Vec<String> = [1, 6, 4, 5].into_iter().flat_map(|run| bench.release(run, "discovery:0")).collect();
    assert_eq!(order, ["6/discovery:0", "4/discovery:0", "5/discovery:0", "3/discovery:0"]);
}

#[test]
fn ranks_hold_across_lanes_that_lack_the_same() {
    let mut bench = Bench::new(limits(json!([
        {"limit": 10, "scope": "fn", "key": "k"}, {"limit": 1, "scope": "fn"}
    ])));
    bench.begin(9, &[("k", "x")]);
    for run in [3, 1, 2] {
        bench.begin(run, &[("k", &run.to_string())]);
    }
    let order: Vec<String> = [9, 1, 2].into_iter().flat_map(|run| bench.release(run, "discovery:0")).collect();
    assert_eq!(order, ["1/discovery:0", "2/discovery:0", "3/discovery:0"]);
}

#[test]
fn a_limit_on_runs_counts_those_that_have_begun_until_they_end() {
    let mut bench = Bench::new(json!({"concurrency": {"runs": {"limit": 1, "scope": "fn", "key": "k"}}}));
    assert_eq!(bench.begin(1, &[("k", "a")]), ["1/discovery:0"]);
    assert!(bench.begin(2, &[("k", "a")]).is_empty());
    assert_eq!(bench.begin(3, &[("k", "b")]), ["3/discovery:0"]);
    assert!(bench.release(1, "discovery:0").is_empty(), "it rests, and has begun");
    assert_eq!(bench.want(wanted(1, "step:a", 1, &[("k", "a")])), ["1/step:a"], "it may go on");
    assert_eq!(bench.end(1), ["2/discovery:0"]);
    bench.end(2);
    bench.end(3);
    assert!(bench.gate.rows.is_empty(), "{:?}", bench.gate.rows.keys());
}

#[test]
fn a_throttle_lets_so_many_begin_and_the_others_when_it_is_time() {
    let mut bench = Bench::new(json!({"throttle": {"limit": 2, "period": 10_000, "burst": 0, "key": "k"}}));
    for run in 1..=4 {
        bench.begin(run, &[("k", "a")]);
    }
    assert_eq!(bench.granted, ["1/discovery:0", "2/discovery:0"]);
    assert_eq!(bench.wake_at, Some(Millis(NOW + 5_000)));
    assert_eq!(bench.begin(9, &[("k", "b")]), ["9/discovery:0"], "another value has its own");
    assert!(bench.wake(NOW + 4_999).is_empty());
    assert_eq!(bench.wake(NOW + 5_000), ["3/discovery:0"]);
    assert_eq!(bench.want(wanted(1, "step:a", 1, &[("k", "a")])), ["1/step:a"], "steps are not throttled");
    assert_eq!(bench.overview().next_start_at, Some(Millis(NOW + 10_000)));
    assert_eq!(bench.wake(NOW + 10_000), ["4/discovery:0"]);
}

#[test]
fn a_start_that_a_full_limit_keeps_uses_no_start_up() {
    let flow = json!({
        "throttle": {"limit": 1, "period": 60_000, "burst": 0}, "concurrency": {"steps": [{"limit": 1, "scope": "fn"}]}
    });
    let mut bench = Bench::new(flow);
    // A step that goes on fills the function, and is no start.
    assert_eq!(bench.want(wanted(1, "step:a", 1, &[])), ["1/step:a"]);
    assert!(bench.begin(2, &[]).is_empty());
    assert_eq!(bench.release(1, "step:a"), ["2/discovery:0"]);
    assert!(bench.begin(3, &[]).is_empty());
    assert!(bench.release(2, "discovery:0").is_empty(), "the throttle keeps it now");
    assert_eq!(bench.wake_at, Some(Millis(NOW + 60_000)));
    assert_eq!(bench.wake(NOW + 60_000), ["3/discovery:0"]);
}

#[test]
fn a_throttle_forgets_the_values_that_are_even_again() {
    let mut bench = Bench::new(json!({"throttle": {"limit": 1, "period": 1_000, "burst": 0, "key": "k"}}));
    for run in 1..=250 {
        bench.begin(run, &[("k", &run.to_string())]);
        bench.end(run);
    }
    assert_eq!(bench.gate.rows.len(), 250);
    for _ in 0..3 {
        bench.wake(NOW + 1_000);
    }
    assert!(bench.gate.rows.is_empty());
}

#[test]
fn whatever_comes_twice_changes_nothing() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn"}])));
    assert_eq!(bench.begin(1, &[]), ["1/discovery:0"]);
    assert!(bench.begin(1, &[]).is_empty(), "it was told");
    let forgot = News { repeats: true, ..wanted(1, "discovery:0", 1, &[]) };
    assert_eq!(bench.want(forgot), ["1/discovery:0"], "told again, held once");
    assert!(bench.begin(2, &[]).is_empty() && bench.begin(2, &[]).is_empty());
    assert_eq!(bench.release(1, "discovery:0"), ["2/discovery:0"]);
    assert!(bench.release(1, "discovery:0").is_empty());
    assert_eq!(bench.overview().in_flight, 1);
}

#[test]
fn a_release_that_comes_late_does_not_take_the_slot_of_a_later_dispatch() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn"}])));
    bench.begin(1, &[]);
    assert_eq!(bench.want(wanted(1, "discovery:0", 2, &[])), ["1/discovery:0"], "it takes the slot over");
    assert!(bench.begin(2, &[]).is_empty());
    assert!(bench.release(1, "discovery:0").is_empty(), "of the first dispatch");
    assert!(bench.begin(1, &[]).is_empty(), "the first dispatch is past");
    assert_eq!(bench.end(1), ["2/discovery:0"]);
}

#[test]
fn a_run_that_is_over_leaves_what_the_app_is_still_at() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn"}])));
    bench.begin(1, &[]);
    bench.begin(2, &[]);
    let over = News { is_over: true, in_flight: vec![dispatch("discovery:0", 1)], ..News::of(id(1)) };
    assert!(bench.tell(&Tell::News(over)).is_empty(), "its request is not over");
    assert_eq!(bench.release(1, "discovery:0"), ["2/discovery:0"]);
}

#[test]
fn changed_limits_reach_those_who_wait_and_those_under_way() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn"}])));
    for run in 1..=5 {
        bench.begin(run, &[]);
    }
    bench.gate.catalog = catalog(limits(json!([{"limit": 3, "scope": "fn"}])));
    assert_eq!(bench.tell(&Tell::Configured), ["2/discovery:0", "3/discovery:0"]);
    bench.gate.catalog = catalog(limits(json!([{"limit": 1, "scope": "fn"}])));
    assert!(bench.tell(&Tell::Configured).is_empty());
    assert!(bench.release(1, "discovery:0").is_empty() && bench.release(2, "discovery:0").is_empty());
    assert_eq!(bench.release(3, "discovery:0"), ["4/discovery:0"]);
}

#[test]
fn without_limits_everybody_goes_and_nothing_is_left() {
    let mut bench = Bench::new(json!({
        "throttle": {"limit": 1, "period": 60_000, "burst": 0},
        "concurrency": {"steps": [{"limit": 1, "scope": "fn"}], "runs": {"limit": 1, "scope": "fn"}}
    }));
    for run in 1..=5 {
        bench.begin(run, &[]);
    }
    bench.gate.catalog = catalog(json!({}));
    assert_eq!(bench.tell(&Tell::Configured).len(), 4);
    assert!(bench.gate.rows.is_empty(), "{:?}", bench.gate.rows.keys());
    assert_eq!(bench.begin(9, &[]), ["9/discovery:0"], "asked by a run that knows of no change yet");
    assert!(bench.gate.rows.is_empty());
}

#[test]
fn one_turn_lets_a_bounded_number_go_and_the_next_the_others() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn"}])));
    let count = u64::try_from(crate::limits::GRANTS_PER_TURN_MAX).unwrap() + 10;
    for run in 0..=count {
        bench.begin(run, &[]);
    }
    bench.gate.catalog = catalog(limits(json!([{"limit": 100_000, "scope": "fn"}])));
    assert_eq!(bench.tell(&Tell::Configured).len(), crate::limits::GRANTS_PER_TURN_MAX);
    assert_eq!(bench.wake_at, Some(Millis(NOW)));
    assert_eq!(bench.wake(NOW).len(), 10);
    assert_eq!(bench.wake_at, Some(Millis(NOW).plus(SLOT_CHECK_INTERVAL)));
}

#[test]
fn a_slot_that_is_held_for_long_is_asked_about() {
    let mut bench = Bench::new(json!({"concurrency": {"runs": {"limit": 1, "scope": "fn"}}}));
    bench.begin(1, &[]);
    let at = NOW + SLOT_CHECK_INTERVAL.0;
    assert_eq!(bench.wake_at, Some(Millis(at)));
    bench.wake(at - 1);
    assert!(bench.asked.is_empty());
    bench.wake(at);
    let asked: Vec<_> = bench.asked.iter().map(|told| told["message"]["Holds"]["dispatch"]["unit"].clone()).collect();
    assert_eq!(asked, [Value::Null, json!("discovery:0")], "the run, and the call");
    assert_eq!(bench.wake_at, Some(Millis(at + 2 * SLOT_CHECK_INTERVAL.0)), "less and less often");
    let mut spans = Vec::new();
    for _ in 0..10 {
        let at = bench.wake_at.unwrap().0;
        bench.wake(at);
        spans.push(bench.wake_at.unwrap().0 - at);
    }
    assert_eq!((spans[0], spans[9]), (4 * SLOT_CHECK_INTERVAL.0, SLOT_CHECK_INTERVAL_MAX.0));
}

#[test]
fn so_many_may_wait_to_begin_and_one_more_is_turned_away() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn"}])));
    bench.gate.settings.backlog_max = Some(2);
    (1..=3).for_each(|run| drop(bench.begin(run, &[])));
    assert!(bench.asked.is_empty(), "one goes, and two wait");
    bench.begin(4, &[]);
    assert_eq!(bench.asked(), ["TurnedAway"]);
    bench.begin(2, &[]);
    bench.want(wanted(1, "step:a", 1, &[]));
    assert_eq!(bench.asked().len(), 1, "who waits already is not turned away, nor who has begun");
    bench.end(1);
    bench.begin(5, &[]);
    assert_eq!((bench.asked().len(), bench.overview().queued_starts), (1, 2));
}

#[test]
fn one_turn_asks_about_so_many_slots_and_the_next_about_the_rest() {
    let mut bench = Bench::new(limits(json!([{"limit": 1_000, "scope": "fn"}])));
    let count = u64::try_from(SLOTS_CHECKED_PER_TURN_MAX).unwrap() + 1;
    for run in 1..=count {
        bench.begin(run, &[]);
    }
    let at = NOW + SLOT_CHECK_INTERVAL.0;
    bench.wake(at);
    assert_eq!(bench.asked.len(), SLOTS_CHECKED_PER_TURN_MAX);
    assert_eq!(bench.wake_at, Some(Millis(at)), "at once");
    bench.wake(at);
    assert_eq!(bench.asked.len(), SLOTS_CHECKED_PER_TURN_MAX + 1);
}

#[test]
fn the_longest_queues_are_told_and_no_more() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn", "key": "k"}])));
    let queues = u64::try_from(QUEUES_TOLD_MAX).unwrap() + 1;
    let mut run = 0;
    for key in 1..=queues {
        // One goes; as many wait as the key says.
        for _ in 0..=key {
            run += 1;
            bench.begin(run, &[("k", &key.to_string())]);
        }
    }
    let longest: Vec<usize> = bench.overview().longest.iter().map(|queue| queue.queued).collect();
    assert_eq!(longest, (2..=QUEUES_TOLD_MAX + 1).rev().collect::<Vec<_>>());
}

/// Runs that want, end and release at random; whatever happens, no limit is exceeded, nobody who could go waits, and all go at last.
#[test]
fn no_limit_is_exceeded_and_nobody_waits_for_nothing() {
    for seed in 0..60_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let (all, each) = (1 + random.below(4), 1 + random.below(3));
        let mut bench = Bench::new(limits(json!([
            {"limit": all, "scope": "fn"}, {"limit": each, "scope": "fn", "key": "k"}
        ])));
        let mut waiting: BTreeMap<u64, u64> = BTreeMap::new();
        let mut running: BTreeMap<u64, u64> = BTreeMap::new();
        let mut next = 1;
        for step in 0..200 {
            let granted = if random.below(2) == 0 && step < 120 {
                let key = random.below(4);
                waiting.insert(next, key);
                next += 1;
                bench.begin(next - 1, &[("k", &key.to_string())])
            } else if let Some(run) = running.keys().nth(usize::try_from(random.below(3)).unwrap()).copied() {
                running.remove(&run);
                bench.release(run, "discovery:0")
            } else {
                continue;
            };
            for run in granted {
                let run = run.split_once('/').unwrap().0.parse().unwrap();
                running.insert(run, waiting.remove(&run).unwrap());
            }
            let held = |key: u64| u64::try_from(running.values().filter(|of| **of == key).count()).unwrap();
            let total = u64::try_from(running.len()).unwrap();
            assert!(total <= all && (0..4).all(|key| held(key) <= each), "seed {seed}: {running:?}");
            let idle = waiting.iter().find(|(_, key)| total < all && held(**key) < each);
            assert_eq!(idle, None, "seed {seed}: waits for nothing, {running:?}");
            for key in 0..4 {
                let first = waiting.iter().find(|(_, of)| **of == key).map(|(run, _)| *run);
                let last = running.iter().filter(|(_, of)| **of == key).map(|(run, _)| *run).max();
                assert!(first.is_none_or(|first| last.is_none_or(|last| last < first)), "seed {seed}: not in order");
            }
        }
    }
}

/// xorshift: the tests draw the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[test]
fn while_a_function_is_paused_nobody_goes_and_then_everybody_may() {
    let mut bench = Bench::new(limits(json!([{"limit": 2, "scope": "fn"}])));
    bench.begin(1, &[]);
    let paused = |bench: &mut Bench, paused| {
        bench.gate.catalog.functions.get_mut(&FunctionId::from("f")).unwrap().paused = paused;
        bench.tell(&Tell::Configured)
    };
    assert!(paused(&mut bench, Some(crate::catalog::Pause::Keep)).is_empty());
    assert!(bench.begin(2, &[]).is_empty() && bench.begin(3, &[]).is_empty());
    assert!(bench.release(1, "discovery:0").is_empty());
    assert_eq!(bench.overview().queued_starts, 2);
    assert_eq!(paused(&mut bench, None), ["2/discovery:0", "3/discovery:0"]);
}

#[test]
fn an_app_that_has_too_much_to_do_is_left_alone_until_it_says() {
    let mut bench = Bench::new(limits(json!([{"limit": 5, "scope": "fn"}])));
    bench.begin(1, &[]);
    let not_before = Some(Millis(NOW + 30_000));
    let news = News { not_before, released: vec![dispatch("discovery:0", 1)], ..News::of(id(1)) };
    bench.tell(&Tell::News(news));
    assert!(bench.begin(2, &[]).is_empty());
    assert_eq!((bench.wake_at, bench.overview().not_before), (not_before, not_before));
    // One that was sent before says less: the longest time holds.
    bench.tell(&Tell::News(News { not_before: Some(Millis(NOW + 10)), ..News::of(id(1)) }));
    assert!(bench.wake(NOW + 29_999).is_empty());
    assert_eq!(bench.wake(NOW + 30_000), ["2/discovery:0"]);
    bench.release(2, "discovery:0");
    assert!(bench.gate.rows.is_empty(), "{:?}", bench.gate.rows.keys());
}

#[test]
fn steps_of_an_older_run_go_before_younger_runs_begin() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn"}])));
    bench.begin(1, &[]);
    let younger = News { rank: i64::try_from(NOW + 1).unwrap(), is_first: true, ..wanted(2, "discovery:0", 1, &[]) };
    assert!(bench.want(younger).is_empty());
    let news = News { released: vec![dispatch("discovery:0", 1)], ..wanted(1, "step:a", 1, &[]) };
    assert_eq!(bench.want(news), ["1/step:a"]);
    assert_eq!(bench.release(1, "step:a"), ["2/discovery:0"]);
}

#[test]
fn who_ranks_last_goes_at_once_where_nobody_else_is() {
    let mut bench = Bench::new(limits(json!([{"limit": 1, "scope": "fn"}])));
    let rank = i64::try_from(NOW + 600_000).unwrap();
    assert_eq!(bench.want(News { rank, is_first: true, ..wanted(1, "discovery:0", 1, &[]) }), ["1/discovery:0"]);
}

#[test]
fn only_a_beginning_uses_the_throttle_up() {
    let mut bench = Bench::new(json!({"throttle": {"limit": 1, "period": 10_000, "burst": 0}}));
    assert_eq!(bench.begin(1, &[]), ["1/discovery:0"]);
    bench.release(1, "discovery:0");
    assert!(bench.begin(2, &[]).is_empty());
    let next = bench.overview().next_start_at;
    assert_eq!(bench.want(wanted(1, "discovery:0", 2, &[])), ["1/discovery:0"], "once more, a retry");
    assert_eq!(bench.overview().next_start_at, next);
}
