//! Which runs an event starts.

use super::{NOW, event, runs, seeded, stream};
use crate::catalog::Trigger;
use crate::ids::{EventId, Millis, RunId, uuid_of};
use crate::stream::Stream;
use crate::stream::driver::{Driver, sent};
use crate::stream::message::{Ask, NewEvent};
use crate::turn::Address;
use serde_json::{Value, json, value::to_raw_value};

#[test]
fn each_matching_function_starts_once() {
    let functions: &[(&str, &[&str])] = &[
        ("app-a", &["shop/order.paid"]),
        ("app-b", &["shop/*", "shop/order.paid", "shop/order.*"]),
        ("app-c", &["shop/order.*"]),
        ("app-d", &["shop"]),
        ("app-e", &["*"]),
        ("app-f", &["sho*"]),
        ("app-g", &["shop/order.paid/*"]),
        ("app-h", &[]),
    ];
    let mut stream = stream(functions);
    let id = EventId::new(NOW, 1);
    let (_, done) = stream.ask(&Ask::Accept(vec![event(1, "shop/order.paid")]));
    let started = ["app-a", "app-b", "app-c"].map(|slug| RunId::derived(id, &slug.into()));
    let addresses: Vec<_> = sent(&done).into_iter().map(|(to, _)| to.clone()).collect();
    assert_eq!(addresses, started.map(Address::run));
    assert_eq!(runs(&mut stream, id), json!(started));
}

#[test]
fn a_run_is_sent_all_that_it_begins_with() {
    let mut stream = stream(&[("app-a", &["a"])]);
    let (_, done) = stream.ask(&Ask::Accept(vec![event(1, "a")]));
    let id = EventId::new(NOW, 1);
    let start = json!({
        "run": RunId::derived(id, &"app-a".into()), "function": "app-a", "function_version": 3, "event_ids": [id],
        "events": [{"data": {"n": 1}, "id": id, "name": "a", "ts": NOW.0, "user": {}}], "event_name": "a",
        "received_at": NOW, "not_before": null
    });
    assert_eq!(sent(&done)[0].1, json!({"Start": start}));
}

#[test]
fn the_reply_comes_with_the_starts_and_the_rows() {
    let mut stream = stream(&[("app-a", &["a"])]);
    let (reply, done) = stream.ask(&Ask::Accept(vec![event(1, "a"), event(2, "b"), event(3, "a")]));
    assert_eq!(reply.unwrap()["ids"], json!([1, 2, 3].map(|count| EventId::new(NOW, count))));
    assert_eq!((done.writes.len(), sent(&done).len()), (3, 2));
}

#[test]
fn an_archived_function_starts_nothing() {
    let mut stream = stream(&[("app-a", &["a", "inngest/function.invoked"])]);
    stream.catalog.functions.values_mut().for_each(|function| function.archived = true);
    let (_, done) = stream.ask(&Ask::Accept(vec![event(1, "a"), invocation(2, "app-a")]));
    assert_eq!(sent(&done), []);
}

#[test]
fn an_event_in_the_future_starts_its_runs_then() {
    for (ts, not_before) in [(NOW.0 - 1, json!(null)), (NOW.0, json!(null)), (NOW.0 + 1, json!(NOW.0 + 1))] {
        let mut stream = stream(&[("app-a", &["a"])]);
        let (_, done) = stream.ask(&Ask::Accept(vec![NewEvent { ts: Millis(ts), ..event(1, "a") }]));
        assert_eq!(sent(&done)[0].1["Start"]["not_before"], not_before, "{ts}");
    }
}

#[test]
fn an_invocation_starts_the_function_it_names_and_no_other() {
    for name in ["app-a", &uuid_of("app-a")] {
        let mut stream = stream(&[("app-a", &["x"]), ("app-b", &["inngest/function.invoked", "inngest/*"])]);
        // What its triggers want of an event is not asked: it was named.
        let never =
            Trigger::Event { name: "inngest/function.invoked".to_owned(), expression: Some("false".to_owned()) };
        stream.catalog.functions.get_mut(&"app-a".into()).unwrap().triggers = vec![never];
        let (_, done) = stream.ask(&Ask::Accept(vec![invocation(1, name)]));
        let to: Vec<_> = sent(&done).into_iter().map(|(_, start)| start["Start"]["function"].clone()).collect();
        assert_eq!(to, [json!("app-a")], "{name}");
    }
    let mut stream = stream(&[("app-a", &["x"])]);
    let (reply, done) =
        stream.ask(&Ask::Accept(vec![invocation(1, "app-nobody"), event(2, "inngest/function.invoked")]));
    assert_eq!((reply.is_ok(), sent(&done)), (true, vec![]));
    assert_eq!(not_started(&mut stream, 1)[0][0], "app-nobody");
    assert_eq!(not_started(&mut stream, 2), json!(null));
}

#[test]
fn an_expression_decides_and_its_faults_are_told() {
    let mut stream = stream(&[("app-a", &["a"]), ("app-b", &["a"]), ("app-c", &["a"])]);
    let expressions = ["event.data.n == 1", "event.data.n == 2", "event.data.n"];
    for (function, source) in stream.catalog.functions.values_mut().zip(expressions) {
        function.triggers = vec![Trigger::Event { name: "a".to_owned(), expression: Some(source.to_owned()) }];
    }
    let (reply, done) = stream.ask(&Ask::Accept(vec![event(1, "a")]));
    assert!(reply.is_ok(), "a faulty function keeps no event out");
    let started: Vec<_> = sent(&done).into_iter().map(|(_, start)| start["Start"]["function"].clone()).collect();
    assert_eq!(started, ["app-a"]);
    let faults = not_started(&mut stream, 1);
    assert_eq!((faults.as_array().map(Vec::len), &faults[0][0]), (Some(1), &json!("app-c")));
}

fn not_started(stream: &mut Driver<Stream>, count: u128) -> Value {
    stream.ask(&Ask::Event(EventId::new(NOW, count))).0.unwrap()["failed"].clone()
}

fn invocation(count: u128, name: &str) -> NewEvent {
    let data = json!({"data": {"a": 1, "_inngest": {"fn_id": name}}});
    NewEvent { event: to_raw_value(&data).unwrap(), ..event(count, "inngest/function.invoked") }
}

#[test]
fn whoever_invokes_a_function_that_is_not_there_is_told_at_once() {
    let invoker = RunId::derived(EventId::new(Millis(5), 5), &"app-parent".into());
    let mut stream = stream(&[("app-a", &["x"])]);
    let data = json!({"name": "inngest/function.invoked", "data": {"_inngest": {
        "fn_id": "app-nobody", "correlation_id": format!("{invoker}.s")}}});
    let invocation = NewEvent { event: to_raw_value(&data).unwrap(), ..event(1, "inngest/function.invoked") };
    let (_, done) = stream.ask(&Ask::Accept(vec![invocation]));
    let error = json!({"message": "could not find function with ID: app-nobody", "name": "Error"});
    let told = json!({"Returned": {"step": "s", "returned": {"Error": error}}});
    assert_eq!(sent(&done), [(&Address::run(invoker), told)]);
    // An event that is called otherwise invokes nothing, whatever it says.
    let other = NewEvent { event: to_raw_value(&data).unwrap(), ..event(2, "x") };
    let (_, done) = stream.ask(&Ask::Accept(vec![other]));
    assert_eq!(sent(&done)[0].1["Start"]["function"], "app-a");
    assert_eq!(sent(&done).len(), 1);
}

#[test]
fn a_schedule_starts_its_own_function_once_and_no_other() {
    let name = "inngest/scheduled.timer";
    let mut stream = stream(&[("app-a", &["x"]), ("app-b", &[name])]);
    let tell = json!({"Scheduled": {"function": "app-a", "event": seeded(1, name)}});
    let id = EventId::new(NOW, 1);
    let done = stream.tell(&tell);
    let to: Vec<_> = sent(&done).into_iter().map(|(to, _)| to.clone()).collect();
    assert_eq!(to, [Address::run(RunId::derived(id, &"app-a".into()))]);
    assert_eq!(runs(&mut stream, id), json!([RunId::derived(id, &"app-a".into())]));
    let again = stream.tell(&tell);
    assert_eq!((sent(&again).len(), again.writes.len()), (0, 0));
}

#[test]
fn a_schedule_of_a_function_that_is_gone_starts_nothing_and_says_so() {
    let mut stream = stream(&[("app-a", &["x"])]);
    stream.catalog.functions.values_mut().for_each(|function| function.archived = true);
    let done = stream.tell(&json!({"Scheduled": {"function": "app-a", "event": seeded(1, "inngest/scheduled.timer")}}));
    assert_eq!(sent(&done), []);
    let (stored, _) = stream.ask(&Ask::Event(EventId::new(NOW, 1)));
    assert_eq!(stored.unwrap()["failed"], json!([["app-a", "the function is no longer registered"]]));
}
