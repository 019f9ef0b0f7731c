//! Reading events, against a real stream.

use super::{Desk, NOW, asked, assert_refused, get, json, request, responded, told};
use crate::error::{Code, Refusal};
use crate::http::{Progress, Request};
use crate::ids::{ACCOUNT_ID, ENVIRONMENT_ID, EventId, RunId};
use crate::stream::Stream;
use crate::stream::driver::Driver;
use crate::turn::Message;
use serde_json::{Value, json};

/// A desk and its stream.
struct House {
    desk: Desk,
    stream: Driver<Stream>,
}

impl House {
    fn new() -> Self {
        Self::of(Desk::dev())
    }

    fn of(desk: Desk) -> Self {
        let stream = Driver::new(NOW, desk.catalog.clone());
        Self { desk, stream }
    }

    /// The first answer given to a request's question is the stream's.
    fn progress(&mut self, request: Request) -> (crate::http::Exchange, Progress) {
        let mut exchange = self.desk.open(request);
        let body = asked(exchange.start()).body;
        let done = self.stream.turn(Message::Ask { token: 1, body }).unwrap();
        let reply = done.effects.into_iter().find_map(|effect| match effect {
            crate::turn::Effect::Reply { token: 1, body } => Some(body),
            _ => None,
        });
        let progress = exchange.resume(NOW, vec![Ok(reply.unwrap())]);
        (exchange, progress)
    }

    fn response(&mut self, request: Request) -> super::Response {
        responded(self.progress(request).1)
    }

    fn send(&mut self, events: &Value) -> Vec<String> {
        let response = self.response(request("POST", "/e/key", events.to_string()));
        assert_eq!(response.status, 200);
        serde_json::from_value(json(&response)["ids"].clone()).unwrap()
    }
}

#[test]
fn an_event_is_told_with_its_receipt() {
    let mut house = House::new();
    let ids = house.send(&json!([{"name": "a/b", "id": "mine", "data": {"x": 1}, "ts": 1_600_000_000_000_u64}]));
    let response = house.response(get(&format!("/v1/events/{}", ids[0])));
    let event = json!({
        "internal_id": ids[0], "account_id": ACCOUNT_ID, "environment_id": ENVIRONMENT_ID, "source": "", "source_id": null,
        "received_at": "2026-09-21T14:13:20.000Z", "id": "mine", "name": "a/b", "data": {"x": 1}, "ts": 1_600_000_000_000_u64
    });
    assert_eq!((response.status, &json(&response)["data"]), (200, &event));
    assert_refused(&house.response(get(&format!("/v1/events/{}", EventId::new(NOW, 0)))), 404, "event_unknown");
}

#[test]
fn an_event_tells_whom_it_did_not_start_and_why() {
    let mut desk = Desk::dev();
    desk.catalog = crate::stream::driver::catalog(&[("app-a", &["a"]), ("app-b", &["a"])]);
    let function = desk.catalog.functions.get_mut(&"app-a".into()).unwrap();
    let trigger = json!([{"Event": {"name": "a", "expression": "event.data.s"}}]);
    function.triggers = serde_json::from_value(trigger).unwrap();
    let mut house = House::of(desk);
    let ids = house.send(&json!([{"name": "a", "data": {"s": "abc"}}, {"name": "a", "data": {"s": true}}]));
    let told = json(&house.response(get(&format!("/v1/events/{}", ids[0]))))["data"]["trigger_errors"].clone();
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told[0]["function"], "app-a");
    assert!(told[0]["message"].as_str().unwrap().contains("string (abc)"), "{told}");
    let told = json(&house.response(get(&format!("/v1/events/{}", ids[1]))))["data"].clone();
    assert_eq!(told.get("trigger_errors"), None);
}

#[test]
fn a_list_is_paged_by_its_cursor() {
    let mut house = House::new();
    let ids = house.send(&json!([{"name": "a"}, {"name": "b"}, {"name": "a"}]));
    let mut page = |target: &str| {
        let body = json(&house.response(get(target)));
        let ids: Vec<_> = body["data"].as_array().unwrap().iter().map(|event| event["internal_id"].clone()).collect();
        (ids, body["metadata"]["next_cursor"].as_str().map(str::to_owned))
    };
    let (first, cursor) = page("/v1/events?limit=2");
    assert_eq!(first, [ids[2].as_str(), ids[1].as_str()]);
    let (second, cursor) = page(&format!("/v1/events?limit=2&cursor={}", cursor.unwrap()));
    assert_eq!((second, cursor), (vec![json!(ids[0])], None));
    assert_eq!(page("/v1/events?name=b").0, [ids[1].as_str()]);
}

#[test]
fn the_runs_of_an_event_are_asked_one_by_one() {
    let mut house = House::new();
    let ids = house.send(&json!([{"name": "a"}, {"name": "nobody hears it"}]));
    let target = |id: &str| format!("/v1/events/{id}/runs");
    assert_eq!(json(&house.response(get(&target(&ids[1]))))["data"], json!([]));
    let run = RunId::derived(EventId::parse(&ids[0]).unwrap(), &"app-a".into());
    let mut answer = |answer: Value| {
        let (mut exchange, progress) = house.progress(get(&target(&ids[0])));
        let question = asked(progress);
        assert_eq!((question.to.key, question.body), (run.to_string(), br#""Summary""#.to_vec()));
        responded(exchange.resume(NOW, vec![told(&answer)]))
    };
    let summary = json!({"run_id": run, "event_id": ids[0], "status": "Running"});
    assert_eq!(json(&answer(json!({"Ok": summary})))["data"], json!([summary]));
    let unknown = json!({"Err": Refusal::new(Code::RunUnknown, "not yet")});
    assert_eq!(json(&answer(unknown))["data"], json!([]), "it is about to start");
    let other = json!({"Ok": {"run_id": run, "event_id": ids[1], "status": "Running"}});
    assert_eq!(json(&answer(other))["data"], json!([]), "an earlier event with the same id started it");
    assert_refused(&answer(json!({"Err": Refusal::new(Code::Overloaded, "later, please")})), 503, "overloaded");
}
