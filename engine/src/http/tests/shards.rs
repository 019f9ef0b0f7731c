//! Several shards: what goes where, and lists over all of them.

use super::{Desk, NOW, asked, assert_refused, get, json, request, responded, told, with};
use crate::actor::Actor;
use crate::error::{Code, Refusal};
use crate::history::History;
use crate::history::message::Tell;
use crate::http::{Exchange, Progress, Question, Request, Response};
use crate::ids::{Entropy, EventId, Millis, RunId};
use crate::shard::Shards;
use crate::stream::Stream;
use crate::stream::driver::{Driver, sent};
use crate::stream::message::{Ask, NewEvent};
use crate::turn::{ActorKind, Address, Done, Effect, Message};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const SHARDS: u32 = 3;

fn desk() -> Desk {
    let mut desk = Desk::dev();
    desk.settings.shards = Shards::new(SHARDS);
    desk
}

fn questions(progress: Progress) -> Vec<Question> {
    match progress {
        Progress::Ask { channels, questions } if channels.is_empty() => questions,
        other => panic!("no questions: {other:?}"),
    }
}

fn events_of(question: &Question) -> Vec<NewEvent> {
    match serde_json::from_slice(&question.body).unwrap() {
        Ask::Accept(events) => events,
        other => panic!("{other:?}"),
    }
}

/// An id of the user's that is in this shard.
fn id_in(shard: u32) -> String {
    let shards = Shards::new(SHARDS);
    let is_there = |id: &String| shards.of_name(id).to_string() == shard.to_string();
    (0..).map(|number| format!("mine-{number}")).find(is_there).unwrap()
}

/// Every stream and history there is.
struct House {
    desk: Desk,
    streams: Vec<Driver<Stream>>,
    histories: Vec<Driver<History>>,
    requests: u128,
}

impl House {
    fn new() -> Self {
        let desk = desk();
        let stream = |_| Driver::new(NOW, desk.catalog.clone());
        let history = |_| Driver::new(NOW, desk.catalog.clone());
        let (streams, histories) = ((0..SHARDS).map(stream).collect(), (0..SHARDS).map(history).collect());
        Self { desk, streams, histories, requests: 0 }
    }

    fn response(&mut self, request: Request) -> Response {
        self.requests += 1;
        let entropy = Entropy(self.requests.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
        let mut exchange = Exchange::new(NOW, entropy, &self.desk.catalog, &self.desk.settings, request);
        let mut progress = exchange.start();
        loop {
            let questions = match progress {
                Progress::Respond(response) => return response,
                other => questions(other),
            };
            let answers = questions.into_iter().map(|question| Ok(self.answer(question))).collect();
            progress = exchange.resume(NOW, answers);
        }
    }

    fn answer(&mut self, Question { to, body }: Question) -> Vec<u8> {
        let shard: usize = to.key.parse().unwrap();
        match to.kind {
            ActorKind::Stream => answer(&mut self.streams[shard], body),
            ActorKind::History => answer(&mut self.histories[shard], body),
            other => panic!("{other:?} is asked"),
        }
    }

    fn send(&mut self, events: &Value) -> Vec<EventId> {
        let response = self.response(request("POST", "/e/key", events.to_string()));
        assert_eq!(response.status, 200);
        serde_json::from_value(json(&response)["ids"].clone()).unwrap()
    }

    /// Every page of a list: the ids in them.
    fn pages(&mut self, target: &str, id: &str) -> Vec<Vec<String>> {
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let body = json(&self.response(get(&format!("{target}{cursor}"))));
            let rows = body["data"].as_array().unwrap();
            pages.push(rows.iter().map(|row| row[id].as_str().unwrap().to_owned()).collect());
            match body["metadata"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return pages,
            }
        }
    }
}

fn answer<A: Actor>(actor: &mut Driver<A>, body: Vec<u8>) -> Vec<u8> {
    let done: Done = actor.turn(Message::Ask { token: 1, body }).unwrap();
    let reply = done.effects.into_iter().find_map(|effect| match effect {
        Effect::Reply { token: 1, body } => Some(body),
        _ => None,
    });
    reply.unwrap()
}

#[test]
fn events_with_an_id_go_where_their_id_says_and_the_others_together() {
    let body = json!([
        {"name": "a"}, {"name": "b", "id": id_in(2)}, {"name": "c"}, {"name": "d", "id": id_in(0)},
        {"name": "e", "id": id_in(2)}
    ]);
    let mut exchange = desk().open(request("POST", "/e/key", body.to_string()));
    let first = questions(exchange.start());
    let shards = Shards::new(SHARDS);
    let names = |question: &Question| events_of(question).into_iter().map(|event| event.name).collect::<String>();
    let told_to: Vec<_> = first.iter().map(|question| (question.to.key.as_str(), names(question))).collect();
    assert_eq!(told_to, [("0", "d".to_owned()), ("2", "be".to_owned())]);
    for event in first.iter().flat_map(events_of) {
        assert_eq!(shards.of_event(event.id), shards.of_name(&event.user_id.unwrap()));
    }
    // What could not be recognised is sent when all else has been taken.
    let answers = vec![told(&json!({"Ok": {"ids": ["D"]}})), told(&json!({"Ok": {"ids": ["B", "E"]}}))];
    let second = asked(exchange.resume(NOW, answers));
    assert_eq!((second.to.kind, names(&second)), (ActorKind::Stream, "ac".to_owned()));
    let response = responded(exchange.resume(NOW, vec![told(&json!({"Ok": {"ids": ["A", "C"]}}))]));
    assert_eq!(json(&response), json!({"ids": ["A", "B", "C", "D", "E"], "status": 200}));
}

#[test]
fn a_refusal_keeps_back_what_has_no_id() {
    let body = json!([{"name": "a"}, {"name": "b", "id": id_in(0)}, {"name": "c", "id": id_in(1)}]);
    let mut exchange = desk().open(request("POST", "/e/key", body.to_string()));
    assert_eq!(questions(exchange.start()).len(), 2);
    let full = Refusal::new(Code::Overloaded, "the server has more work waiting than it may hold; try again shortly");
    let answers = vec![told(&json!({"Ok": {"ids": ["B"]}})), told(&json!({"Err": full}))];
    assert_refused(&responded(exchange.resume(NOW, answers)), 503, "overloaded");
}

#[test]
fn one_stream_takes_a_request_in_its_order_and_whole() {
    let body = json!([{"name": "a"}, {"name": "b", "id": "x"}, {"name": "c"}, {"name": "d", "id": "y"}]);
    let question = asked(Desk::dev().open(request("POST", "/e/key", body.to_string())).start());
    assert_eq!(events_of(&question).iter().map(|event| event.name.as_str()).collect::<String>(), "abcd");
}

#[test]
fn the_same_request_goes_to_the_same_streams_with_the_same_ids() {
    let body = json!([{"name": "a"}, {"name": "b", "id": "x"}, {"name": "c", "id": "y"}]).to_string();
    let ask = |entropy| {
        let seed = "1700000000000,AAAAAAAAAAAAAA==";
        let request = with(request("POST", "/e/key", body.clone()), "x-inngest-event-id-seed", seed);
        let desk = desk();
        let mut exchange = Exchange::new(NOW, Entropy(entropy), &desk.catalog, &desk.settings, request);
        let first = questions(exchange.start());
        let answers = first.iter().map(|question| {
            let ids: Vec<_> = events_of(question).iter().map(|event| event.id).collect();
            told(&json!({"Ok": {"ids": ids}}))
        });
        let answers = answers.collect();
        [first, questions(exchange.resume(NOW, answers))].concat()
    };
    assert_eq!(ask(1), ask(u128::MAX));
}

#[test]
fn duplicates_meet_and_start_their_run_once() {
    let mut house = House::new();
    let mut started = BTreeSet::new();
    for round in 0..8 {
        let id = house.send(&json!([{"name": "a", "id": "same"}, {"name": format!("other-{round}")}]))[0];
        let shard = Shards::new(SHARDS).of_event(id).to_string();
        assert_eq!(shard, Shards::new(SHARDS).of_name("same").to_string());
        let runs = json(&house.response(get(&format!("/v1/events/{id}"))));
        assert_eq!(runs["data"]["id"], "same");
        let rows = &house.streams[shard.parse::<usize>().unwrap()].rows;
        let row: Value = serde_json::from_slice(&rows[&format!("event/{id}")]).unwrap();
        started.insert(row["runs"].to_string());
    }
    assert_eq!(started.len(), 1, "{started:?}");
}

#[test]
fn a_run_and_all_that_it_causes_stay_in_the_shard_of_its_event() {
    let shards = Shards::new(SHARDS);
    let mut house = House::new();
    for round in 0..6 {
        let id = house.send(&json!([{"name": "a", "id": format!("mine-{round}")}]))[0];
        let run = RunId::derived(id, &"app-a".into());
        assert_eq!(shards.of_run(run), shards.of_event(id));
        let history = Address::history_of(shards, run);
        assert_eq!((history.kind, history.key), (ActorKind::History, shards.of_event(id).to_string()));
    }
}

#[test]
fn a_list_of_events_is_the_newest_of_every_shard() {
    let mut house = House::new();
    let mut ids: Vec<EventId> = Vec::new();
    for round in 0..40 {
        ids.extend(house.send(&json!([{"name": format!("n{}", round % 2), "id": format!("mine-{round}")}])));
    }
    let in_use: BTreeSet<_> = ids.iter().map(|id| Shards::new(SHARDS).of_event(*id)).collect();
    assert_eq!(in_use.len(), 3);
    ids.sort();
    let all: Vec<String> = ids.iter().rev().map(ToString::to_string).collect();
    for limit in [1, 2, 7, 40, 100] {
        let pages = house.pages(&format!("/v1/events?limit={limit}"), "internal_id");
        assert!(pages.iter().all(|page| page.len() <= limit));
        assert_eq!(pages.concat(), all, "limit {limit}");
    }
    let odd: usize = house.pages("/v1/events?limit=3&name=n1", "internal_id").iter().map(Vec::len).sum();
    assert_eq!(odd, 20);
}

#[test]
fn a_list_of_runs_is_the_newest_of_every_shard() {
    let shards = Shards::new(SHARDS);
    let mut house = House::new();
    let mut all = Vec::new();
    for number in 0..30_u32 {
        let event = shards.place(
            EventId::new(Millis(u64::from(number / 3)), u128::from(number)),
            shards.of_name(&number.to_string()),
        );
        let run = RunId::derived(event, &"app-a".into());
        let history: usize = Address::history_of(shards, run).key.parse().unwrap();
        house.histories[history].tell(&Tell::Started { run, function: "app-a".into(), event, at: NOW });
        all.push(run);
    }
    all.sort();
    let all: Vec<String> = all.iter().rev().map(ToString::to_string).collect();
    for limit in [1, 4, 30, 50] {
        let pages = house.pages(&format!("/v1/runs?limit={limit}"), "run_id");
        assert!(pages.iter().all(|page| page.len() <= limit));
        assert_eq!(pages.concat(), all, "limit {limit}");
    }
}

#[test]
fn a_bulk_cancellation_is_kept_by_every_history_and_told_once() {
    let shards = Shards::new(SHARDS);
    let mut house = House::new();
    let body = json!({"app_id": "app", "function_id": "a", "started_before": NOW.rfc3339()});
    let made = json(&house.response(request("POST", "/v1/cancellations", body.to_string())));
    let id = made["data"]["id"].as_str().unwrap().to_owned();
    let listed = json(&house.response(get("/v1/cancellations")));
    assert_eq!(listed["data"], json!([made["data"]]));
    // A run in any shard hears of it.
    for number in 0..9_u32 {
        let event = shards.place(EventId::new(Millis(5), u128::from(number)), shards.of_name(&number.to_string()));
        let run = RunId::derived(event, &"app-a".into());
        let history: usize = Address::history_of(shards, run).key.parse().unwrap();
        let done = house.histories[history].tell(&Tell::Started { run, function: "app-a".into(), event, at: NOW });
        let told: BTreeMap<_, _> = sent(&done).into_iter().collect();
        assert_eq!(told[&Address::run(run)]["CancelIf"]["cancellation"], json!(id));
    }
    // Where some shards do not know it, because an earlier request got no further, it is gone all the same.
    house.histories[1].rows.clear();
    house.histories[1] = Driver::new(NOW, house.desk.catalog.clone());
    let forget = || request("DELETE", &format!("/v1/cancellations/{id}"), "");
    assert_eq!(house.response(forget()).status, 200);
    assert_eq!(json(&house.response(get("/v1/cancellations")))["data"], json!([]));
    assert_refused(&house.response(forget()), 404, "cancellation_unknown");
}
