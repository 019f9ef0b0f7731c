//! Which way a start goes.

use super::{enter, enter_again, go_on};
use crate::catalog::Pause;
use crate::gate::bench::{NOW, catalog, with};
use crate::gate::place::{self, Kind};
use crate::ids::{Entropy, Millis};
use crate::run::message::Start;
use crate::stream::driver::sent;
use crate::turn::{Done, Settings, Supplied, Turn};
use serde_json::{Value, json};

/// From where.
#[derive(Clone, Copy)]
enum From {
    Event,
    Rerun,
    Behind(Kind),
}

/// Where a start goes under this flow control: the gate's kind and the value that it is for, `run`, or the error that an invoker is told.
fn way(flow: &Value, from: From, paused: Option<Pause>, start: Start) -> String {
    let mut catalog = catalog(flow.clone());
    let slug = start.function.clone();
    catalog.functions.values_mut().for_each(|function| function.paused = paused);
    let (settings, supplied) = (Settings::default(), Supplied::default());
    let turn =
        Turn { now: Millis(NOW), entropy: Entropy(1), catalog: &catalog, settings: &settings, supplied: &supplied };
    let mut done = Done::default();
    let function = catalog.function(&slug);
    match (from, function) {
        (From::Event, Some(function)) => enter(&turn, function, start, &mut done),
        (From::Rerun, Some(function)) => enter_again(&turn, function, start, &mut done),
        (From::Behind(kind), _) => go_on(&turn, start, kind, &mut done),
        (_, None) => panic!("no such function"),
    }
    .unwrap();
    let told = sent(&done);
    let [(to, message)] = told.as_slice() else { panic!("{told:?}") };
    if let Some(returned) = message.get("Returned") {
        return returned["returned"]["Error"]["name"].as_str().unwrap().to_owned();
    }
    let Some(kind) = Kind::of(&to.key) else {
        return message["Start"].get("skip").map_or("run".to_owned(), |skip| format!("run, skipped: {skip}"));
    };
    let values = ["", "t", "1", "true", "false", "null"];
    let value = values.iter().find(|value| to.key == place::key(kind, &slug, value));
    format!("{kind} {}", value.expect("a value that the test knows"))
}

fn event(data: &Value) -> Start {
    with(1, NOW, data)
}

#[test]
fn a_start_goes_to_the_first_stage_that_its_function_asks_for() {
    let all = json!({
        "batch": {"events_max": 2, "timeout": 1_000}, "rate_limit": {"limit": 1, "period": 1_000},
        "debounce": {"period": 1_000}, "singleton": {"mode": "skip"}
    });
    let without = |gone: &[&str]| {
        let mut flow = all.clone();
        gone.iter().for_each(|name| drop(flow.as_object_mut().unwrap().remove(*name)));
        flow
    };
    for (gone, from, to) in [
        (&[][..], From::Event, "batch "),
        (&["batch"], From::Event, "rate-limit "),
        (&["batch", "rate_limit"], From::Event, "debounce "),
        (&["batch", "rate_limit", "debounce"], From::Event, "singleton "),
        (&["batch", "rate_limit", "debounce", "singleton"], From::Event, "run"),
        (&[], From::Behind(Kind::Batch), "rate-limit "),
        (&[], From::Behind(Kind::RateLimit), "debounce "),
        (&[], From::Behind(Kind::Debounce), "singleton "),
        (&[], From::Behind(Kind::Singleton), "run"),
        (&[], From::Rerun, "singleton "),
        (&["singleton"], From::Rerun, "run"),
    ] {
        assert_eq!(way(&without(gone), from, None, event(&json!({}))), to, "{gone:?}");
    }
}

#[test]
fn keys_set_starts_apart_and_what_they_come_to_nothing_for_passes_by_or_goes_with_its_like() {
    let keyed = |kind: &str, mut flow: Value| {
        flow["key"] = json!("event.data.k");
        json!({ kind: flow })
    };
    let batch = keyed("batch", json!({"events_max": 2, "timeout": 1_000}));
    let rate_limit = keyed("rate_limit", json!({"limit": 1, "period": 1_000}));
    let debounce = keyed("debounce", json!({"period": 1_000}));
    let singleton = keyed("singleton", json!({"mode": "skip"}));
    let idempotency = json!({"idempotency": "event.data.k", "rate_limit": {"limit": 1, "period": 1_000}});
    for (flow, value, missing, is_false) in [
        (&batch, "batch t", "batch ", "batch "),
        (&rate_limit, "rate-limit t", "run", "run"),
        (&debounce, "debounce t", "debounce ", "debounce "),
        (&singleton, "singleton t", "run", "run"),
        (&idempotency, "rate-limit t", "run", "run"),
    ] {
        let to = |data: Value| way(flow, From::Event, None, event(&data));
        assert_eq!(to(json!({"k": "t"})), value, "{flow}");
        assert_eq!(to(json!({"k": 1})), value.replace(" t", " 1"), "{flow}");
        assert_eq!(to(json!({})), missing, "{flow}");
        assert_eq!(to(json!({"k": false})), is_false, "{flow}");
        let mut failing = flow.clone();
        let text = failing.to_string().replace("event.data.k", "!event.data.k");
        failing = serde_json::from_str(&text).unwrap();
        assert_eq!(way(&failing, From::Event, None, event(&json!({"k": "t"}))), missing, "{failing}");
    }
}

#[test]
fn events_that_a_batch_does_not_want_run_alone() {
    let flow = |condition: &str| json!({"batch": {"events_max": 2, "timeout": 1_000, "if": condition}});
    for (condition, to) in [
        ("event.data.n > 1", "batch "),
        ("event.data.n > 7", "run"),
        ("event.data.n > 'x'", "run"),
        ("event.data.none.n > 1", "run"),
        ("", "batch "),
    ] {
        assert_eq!(way(&flow(condition), From::Event, None, event(&json!({"n": 2}))), to, "{condition}");
    }
}

#[test]
fn a_schedule_is_not_batched_and_a_batch_is_not_counted() {
    let flow = json!({"batch": {"events_max": 2, "timeout": 1_000}, "rate_limit": {"limit": 1, "period": 1_000}});
    let scheduled = Start { event_name: crate::cron::SCHEDULED.to_owned(), ..event(&json!({})) };
    assert_eq!(way(&flow, From::Event, None, scheduled), "rate-limit ");
    let batch = || Start { is_batch: true, ..event(&json!({})) };
    assert_eq!(way(&flow, From::Behind(Kind::Batch), None, batch()), "run");
    let once = json!({"batch": {"events_max": 2, "timeout": 1_000, "if": "event.data.n > 1"}, "idempotency": "event.name",
        "rate_limit": {"limit": 1, "period": 1_000}});
    assert_eq!(way(&once, From::Behind(Kind::Batch), None, batch()), "run");
    let unwanted = json!({"batch": {"events_max": 2, "timeout": 1_000, "if": "event.data.n > 1"},
        "rate_limit": {"limit": 1, "period": 1_000}});
    assert_eq!(way(&unwanted, From::Event, None, event(&json!({"n": 1}))), "rate-limit ");
}

#[test]
fn a_function_that_takes_no_runs_has_them_recorded() {
    let flow = json!({});
    for (paused, to) in
        [(Pause::Keep, "run"), (Pause::Skip, "run, skipped: \"Paused\""), (Pause::Drain, "run, skipped: \"Draining\"")]
    {
        assert_eq!(way(&flow, From::Event, Some(paused), event(&json!({}))), to);
        assert_eq!(way(&flow, From::Rerun, Some(paused), event(&json!({}))), to);
    }
    // Only once it would begin.
    let skipped = "run, skipped: \"Paused\"";
    let debounce = json!({"debounce": {"period": 1_000}});
    let batch = json!({"batch": {"events_max": 2, "timeout": 1_000}});
    for (flow, before, behind) in [(debounce, "debounce ", Kind::Debounce), (batch, "batch ", Kind::Batch)] {
        assert_eq!(way(&flow, From::Event, Some(Pause::Skip), event(&json!({}))), before);
        assert_eq!(way(&flow, From::Behind(behind), Some(Pause::Skip), event(&json!({}))), skipped);
    }
}

#[test]
fn what_was_held_back_for_a_function_that_is_gone_is_answered() {
    let start = Start { function: "none".into(), ..event(&json!({})) };
    assert_eq!(way(&json!({}), From::Behind(Kind::Debounce), None, start), "function_gone");
}
