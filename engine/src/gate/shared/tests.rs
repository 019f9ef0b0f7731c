//! A gate that two functions share.

use super::*;
use crate::catalog::Flow;
use crate::ids::{Millis, RunId};
use crate::run::unit::UnitId;
use crate::stream::driver::{Driver, sent};
use crate::turn::Settings;
use serde_json::json;

const SOURCE: &str = "event.data.t";

struct Bench {
    gate: Driver<Shared>,
    limit: LimitName,
}

impl Bench {
    /// Functions `f` and `g`, with these limits.
    fn new(f: u32, g: u32) -> Self {
        let limit = LimitName { scope: Scope::Env, source: SOURCE.to_owned() };
        Self { gate: Driver::of(&place::shared_key(&limit, "a"), Millis(1), catalog(f, g)), limit }
    }

    /// The same functions, with a limit that the server has for their app.
    fn of_app(limit: u32) -> Self {
        let settings = Settings { calls_per_app_max: Some(limit), ..Settings::default() };
        let limit = LimitName { scope: Scope::App, source: "app".to_owned() };
        Self { gate: Driver::of(&place::shared_key(&limit, ""), Millis(1), catalog(1, 1).under(&settings)), limit }
    }

    fn take(&mut self, function: &str, run: u64, round: u32) -> Vec<String> {
        let (by, ask) = (applicant(function, run), Ask { generation: 1, round });
        let (limit, known) = (self.limit.clone(), Known::default());
        self.tell(&Tell::Take { by, ask, rank: 0, limit, known })
    }

    fn give(&mut self, function: &str, run: u64, round: u32) -> Vec<String> {
        self.tell(&Tell::Give { by: applicant(function, run), ask: Ask { generation: 1, round } })
    }

    /// What it answers: `f1 has` or `f1 waits`.
    fn tell(&mut self, tell: &Tell) -> Vec<String> {
        let done = self.gate.tell(tell);
        let told = sent(&done).into_iter().map(|(to, message)| {
            let reply: Reply = serde_json::from_value(message["Shared"].clone()).unwrap();
            let function = place::function_of(&to.key).unwrap();
            let what = if reply.is_taken { "has" } else { "waits" };
            format!("{function}{} {what}", reply.slot.run.0.random())
        });
        told.collect()
    }
}

fn catalog(f: u32, g: u32) -> crate::catalog::Catalog {
    let mut catalog = crate::stream::driver::catalog(&[("f", &["e"]), ("g", &["e"])]);
    for (id, limit) in [("f", f), ("g", g)] {
        let flow = json!({"concurrency": {"steps": [{"limit": limit, "scope": "env", "key": SOURCE}]}});
        catalog.functions.get_mut(&FunctionId::from(id)).unwrap().flow = serde_json::from_value(flow).unwrap();
    }
    catalog
}

fn applicant(function: &str, run: u64) -> Applicant {
    let run = RunId(ulid::Ulid::from_parts(1, u128::from(run)));
    Applicant { function: function.into(), slot: SlotId { run, unit: UnitId::Discovery(0) } }
}

#[test]
fn functions_share_its_places_in_the_order_of_their_runs() {
    let mut bench = Bench::new(1, 1);
    assert_eq!(bench.take("f", 2, 1), ["f2 has"]);
    assert_eq!(bench.take("g", 3, 1), ["g3 waits"]);
    assert_eq!(bench.take("f", 1, 1), ["f1 waits"]);
    assert_eq!(bench.give("f", 2, 1), ["f1 has"]);
    assert_eq!(bench.give("f", 1, 1), ["g3 has"]);
    assert!(bench.give("g", 3, 1).is_empty());
    assert!(bench.gate.rows.is_empty());
}

#[test]
fn an_app_has_as_many_places_as_the_server_says() {
    let mut bench = Bench::of_app(2);
    assert_eq!(bench.take("f", 1, 1), ["f1 has"]);
    assert_eq!(bench.take("g", 2, 1), ["g2 has"], "whatever its functions say");
    assert_eq!(bench.take("f", 3, 1), ["f3 waits"]);
    assert_eq!(bench.give("g", 2, 1), ["f3 has"]);
    assert_eq!(bench.take("g", 4, 1), ["g4 waits"]);
    bench.gate.catalog = catalog(1, 1);
    assert_eq!(bench.take("f", 5, 1), ["g4 has", "f5 has"], "a limit that is no more keeps nobody");
}

#[test]
fn a_gate_with_an_older_catalog_goes_by_what_who_asks_knows() {
    for (version, first) in [(2, "f2 waits"), (1, "f2 has")] {
        let mut bench = Bench::new(1, 1);
        bench.gate.catalog.version = 1;
        bench.gate.catalog.functions.get_mut(&FunctionId::from("f")).unwrap().flow = Flow::default();
        let ask = |run| Tell::Take {
            by: applicant("f", run),
            ask: Ask { generation: 1, round: 1 },
            rank: 0,
            limit: LimitName { scope: Scope::Env, source: SOURCE.to_owned() },
            known: Known { version, limit: 1 },
        };
        assert_eq!(bench.tell(&ask(1)), ["f1 has"]);
        assert_eq!(bench.tell(&ask(2)), [first], "a limit that its function has by a newer catalog, or has no more");
    }
}

#[test]
fn each_function_goes_by_its_own_number() {
    let mut bench = Bench::new(1, 3);
    assert_eq!(bench.take("f", 1, 1), ["f1 has"]);
    assert_eq!(bench.take("f", 2, 1), ["f2 waits"]);
    assert_eq!(bench.take("g", 3, 1), ["g3 has"], "whoever waits for fewer does not keep it");
    bench.gate.catalog = catalog(3, 3);
    assert_eq!(bench.take("f", 2, 1), ["f2 has"], "asked again, since the limit is another");
}

#[test]
fn messages_that_come_late_or_twice_change_nothing() {
    let mut bench = Bench::new(1, 1);
    assert_eq!(bench.take("f", 1, 2), ["f1 has"]);
    assert_eq!(bench.take("f", 1, 2), ["f1 has"]);
    assert!(bench.take("f", 1, 1).is_empty(), "an earlier time of asking");
    assert!(bench.give("f", 1, 1).is_empty());
    assert_eq!(bench.take("g", 2, 1), ["g2 waits"], "the place is still taken");
    assert_eq!(bench.take("f", 1, 3), ["f1 has"], "it keeps its place");
    assert!(bench.give("f", 1, 2).is_empty());
    assert_eq!(bench.give("f", 1, 3), ["g2 has"]);
}

#[test]
fn who_gives_up_waiting_gets_nothing() {
    let mut bench = Bench::new(1, 1);
    bench.take("f", 1, 1);
    bench.take("f", 2, 1);
    assert!(bench.give("f", 2, 1).is_empty());
    assert!(bench.give("f", 1, 1).is_empty());
}
