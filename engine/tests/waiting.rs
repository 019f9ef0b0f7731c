//! The protocol of waiting, between runs, waits and the stream, whatever happens to messages: each comes late, some twice, in any
//! order, and every actor is made anew from its rows before every turn.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that goes wrong should panic where it does"
)]

use serde_json::{Value, json};
use std::collections::BTreeMap;
use stepwell_engine::actor::Actor;
use stepwell_engine::catalog::Catalog;
use stepwell_engine::ids::{Entropy, EventId, Millis, RunId};
use stepwell_engine::run::Run;
use stepwell_engine::run::message::Ask as AskRun;
use stepwell_engine::shard::Shards;
use stepwell_engine::stream::Stream;
use stepwell_engine::stream::message::{Ask as AskStream, NewEvent};
use stepwell_engine::turn::{
    ActorKind, Address, AppAnswer, CallOutcome, Done, Effect, Message, Outcome, Range, Row, Settings, Supplied, Turn,
};
use stepwell_engine::waits::Waits;

type Rows = BTreeMap<String, Vec<u8>>;

/// Everything there is; what happens next is thrown by dice.
struct World {
    dice: u64,
    now: u64,
    catalog: Catalog,
    rows: BTreeMap<Address, Rows>,
    wakes: BTreeMap<Address, u64>,
    under_way: Vec<(Address, Message)>,
    settings: Settings,
}

/// What the functions do: how many waits on `t/wake` with their key, one after the other or at once.
#[derive(Clone, Copy)]
enum Program {
    InTurn(usize),
    AtOnce(usize),
}

impl World {
    fn new(seed: u64) -> Self {
        let function = json!({
            "id": "app-f", "app": "app", "name": "f", "url": "http://app/?fnId=app-f&stepId=step", "retries": 0,
            "triggers": [{"Event": {"name": "t/go", "expression": null}}], "version": 1,
            "flow": {"cancel": [{"event": "t/stop", "if": "event.data.k == async.data.k"}]}
        });
        let mut catalog = Catalog::default();
        catalog.functions.insert("app-f".into(), serde_json::from_value(function).unwrap());
        Self {
            dice: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            now: 1_700_000_000_000,
            catalog,
            rows: BTreeMap::new(),
            wakes: BTreeMap::new(),
            under_way: Vec::new(),
            // Events, the runs that they start, and those that they wake are often in different shards.
            settings: Settings { shards: Shards::new(1 + u32::try_from(seed % 3).unwrap()), ..Settings::default() },
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.dice ^= self.dice << 13;
        self.dice ^= self.dice >> 7;
        self.dice ^= self.dice << 17;
        (self.dice % bound as u64) as usize
    }

    fn read(&self, at: &Address, range: &Range) -> Vec<Row> {
        let Some(rows) = self.rows.get(at).filter(|_| range.start < range.end) else { return Vec::new() };
        let found = rows.range(range.start.clone()..range.end.clone());
        let row = |(key, value): (&String, &Vec<u8>)| Row { key: key.clone(), value: value.clone() };
        let limit = range.limit as usize;
        if range.descending { found.rev().take(limit).map(row).collect() } else { found.take(limit).map(row).collect() }
    }

    fn turn_of<A: Actor>(&self, at: &Address, message: &Message) -> Done {
        let held: Vec<_> =
            A::preload(&at.key).into_iter().map(|range| (range.clone(), self.read(at, &range))).collect();
        let mut actor = A::load(&at.key, &held).unwrap();
        let mut supplied = Supplied::default();
        loop {
            let turn = Turn {
                now: Millis(self.now),
                entropy: Entropy(7),
                catalog: &self.catalog,
                settings: &self.settings,
                supplied: &supplied,
            };
            match actor.turn(&turn, message.clone()).unwrap() {
                Outcome::Done(done) => return done,
                Outcome::Needs(ranges) => {
                    supplied.0.extend(ranges.into_iter().map(|range| (range.clone(), self.read(at, &range))));
                }
            }
        }
    }

    fn deliver(&mut self, at: &Address, message: &Message) {
        let done = match at.kind {
            ActorKind::Run => self.turn_of::<Run>(at, message),
            ActorKind::Stream => self.turn_of::<Stream>(at, message),
            ActorKind::Waits => self.turn_of::<Waits>(at, message),
            _ => return,
        };
        let rows = self.rows.entry(at.clone()).or_default();
        for write in done.writes {
            match write.value {
                Some(value) => rows.insert(write.key, value),
                None => rows.remove(&write.key),
            };
        }
        match done.wake_at {
            Some(at_ms) => self.wakes.insert(at.clone(), at_ms.0),
            None => self.wakes.remove(at),
        };
        for effect in done.effects {
            match effect {
                Effect::Send { to, body } => self.under_way.push((to, Message::Tell(body))),
                Effect::Call(call) => self.under_way.push((at.clone(), answer(&call.id, &call.body))),
                _ => {}
            }
        }
    }

    /// One message arrives, perhaps not for the last time; or a timer that is due goes off.
    fn step(&mut self) -> bool {
        self.now += self.below(3) as u64;
        let due: Vec<Address> =
            self.wakes.iter().filter(|(_, at)| **at <= self.now).map(|(at, _)| at.clone()).collect();
        if !due.is_empty() && self.below(3) == 0 {
            let at = due[self.below(due.len())].clone();
            self.deliver(&at, &Message::Wake);
            return true;
        }
        if self.under_way.is_empty() {
            return !due.is_empty();
        }
        let place = self.below(self.under_way.len());
        let comes_again = self.below(4) == 0;
        let (at, message) = if comes_again { self.under_way[place].clone() } else { self.under_way.swap_remove(place) };
        self.deliver(&at, &message);
        true
    }

    fn accept(&mut self, name: &str, data: &Value) -> EventId {
        self.accept_as(name, data, None)
    }

    fn accept_as(&mut self, name: &str, data: &Value, user_id: Option<&str>) -> EventId {
        let id = EventId::new(Millis(self.now), u128::from(self.dice));
        let stream = Address::stream_of(self.settings.shards, id);
        let event = json!({"data": data, "id": id, "name": name, "ts": self.now, "user": {}});
        let event = serde_json::value::to_raw_value(&event).unwrap();
        let (user_id, name) = (user_id.map(str::to_owned), name.to_owned());
        let accepted = NewEvent { id, seeded: false, user_id, name, ts: Millis(self.now), event };
        let body = serde_json::to_vec(&AskStream::Accept(vec![accepted])).unwrap();
        self.deliver(&stream, &Message::Ask { token: 1, body });
        self.now += 1;
        id
    }

    fn journal(&self, run: RunId) -> Vec<Value> {
        let rows = self.rows.get(&Address::run(run)).into_iter().flatten();
        rows.map(|(_, value)| serde_json::from_slice::<Value>(value).unwrap()["entry"].clone()).collect()
    }

    /// How many waits a run has recorded.
    fn waits_of(&self, run: RunId) -> usize {
        let waited = |entry: &Value| {
            let steps = entry["Answered"]["steps"].as_array().cloned().unwrap_or_default();
            steps.iter().filter(|step| step["what"].get("Waited").is_some()).count()
        };
        self.journal(run).iter().map(waited).sum()
    }

    fn rest(&mut self) {
        for _ in 0..20_000 {
            if !self.step() {
                return;
            }
        }
        panic!("no end: {} messages under way", self.under_way.len());
    }

    fn rows_of_waits(&self) -> usize {
        self.rows.iter().filter(|(at, _)| at.kind == ActorKind::Waits).map(|(_, rows)| rows.len()).sum()
    }
}

/// What the app answers: the program is told by the event.
fn answer(id: &str, body: &[u8]) -> Message {
    let call: Value = serde_json::from_slice(body).unwrap();
    let count = call["event"]["data"]["waits"].as_u64().unwrap() as usize;
    let program =
        if call["event"]["data"]["at_once"] == true { Program::AtOnce(count) } else { Program::InTurn(count) };
    let missing = |count: usize| (0..count).filter(|n| call["steps"].get(format!("w{n}")).is_none());
    let ops: Vec<usize> = match program {
        Program::InTurn(count) => missing(count).take(1).collect(),
        Program::AtOnce(count) => missing(count).collect(),
    };
    let op = |n: &usize| {
        json!({"id": format!("w{n}"), "op": "WaitForEvent", "name": "t/wake", "displayName": "w",
               "opts": {"timeout": "1h", "if": "event.data.k == async.data.k"}})
    };
    let (status, body) =
        if ops.is_empty() { (200, call["steps"].clone()) } else { (206, ops.iter().map(op).collect()) };
    let headers =
        vec![("x-inngest-sdk".to_owned(), "x".to_owned()), ("x-inngest-req-version".to_owned(), "2".to_owned())];
    let answer = AppAnswer { status, headers, body: body.to_string().into_bytes() };
    Message::Answered(CallOutcome { id: id.to_owned(), answer: Ok(answer) })
}

const SEEDS: u64 = 300;

#[test]
fn an_event_that_is_accepted_after_a_wait_was_recorded_always_ends_it() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        let runs: Vec<(RunId, usize, bool)> = (0..4)
            .map(|k| {
                let (waits, at_once) = (1 + world.below(3), world.below(2) == 0);
                let id = world.accept("t/go", &json!({"k": k, "waits": waits, "at_once": at_once}));
                (RunId::derived(id, &"app-f".into()), waits, at_once)
            })
            .collect();
        // Each event is sent when the wait it is for has been recorded, and not a moment later.
        let mut sent = [0_usize; 4];
        let mut goes_on = true;
        while goes_on {
            goes_on = world.step();
            for (k, (run, waits, at_once)) in runs.iter().enumerate() {
                let recorded = world.waits_of(*run);
                let due = if *at_once { usize::from(recorded == *waits) } else { recorded };
                if due > sent[k] {
                    sent[k] += 1;
                    world.accept("t/wake", &json!({"k": k, "n": sent[k]}));
                    goes_on = true;
                }
            }
        }
        world.rest();
        for (k, (run, waits, at_once)) in runs.iter().enumerate() {
            let journal = world.journal(*run);
            let end = &journal.last().unwrap()["Answered"]["then"]["Complete"]["output"];
            for n in 0..*waits {
                let data = &end[format!("w{n}")]["data"];
                let number = if *at_once { 1 } else { n + 1 };
                assert_eq!(*data, json!({"k": k, "n": number}), "seed {seed}: {journal:#?}");
            }
        }
        assert_eq!(world.rows_of_waits(), 0, "seed {seed}: nothing is left of runs that are over");
    }
}

#[test]
fn runs_that_are_stopped_leave_no_waits_behind() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        let runs: Vec<RunId> = (0..4)
            .map(|k| {
                let id = world.accept("t/go", &json!({"k": k, "waits": 2, "at_once": true}));
                RunId::derived(id, &"app-f".into())
            })
            .collect();
        for (k, run) in runs.iter().enumerate() {
            for _ in 0..world.below(40) {
                world.step();
            }
            if k % 2 == 0 {
                let body = serde_json::to_vec(&AskRun::Cancel).unwrap();
                world.deliver(&Address::run(*run), &Message::Ask { token: 1, body });
            } else {
                world.accept("t/stop", &json!({"k": k}));
            }
        }
        world.rest();
        for (k, run) in runs.iter().enumerate() {
            let journal = world.journal(*run);
            let is_cancelled = journal.last().is_some_and(|entry| entry.get("Cancelled").is_some());
            // A run that did not exist yet when it was stopped was not stopped; an event stops it all the same.
            assert!(is_cancelled || k % 2 == 0, "seed {seed}: {journal:#?}");
            if !is_cancelled {
                let body = serde_json::to_vec(&AskRun::Cancel).unwrap();
                world.deliver(&Address::run(*run), &Message::Ask { token: 1, body });
            }
        }
        world.rest();
        assert_eq!(world.rows_of_waits(), 0, "seed {seed}");
    }
}

/// `cancelOn` the event that starts the function: each takes the place of the one before it, and what is sent again is no other.
#[test]
fn a_function_that_its_own_event_cancels_goes_on_with_the_last() {
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        // By one shard: there an id of the user's is known again.
        world.settings.shards = Shards::new(1);
        let function = world.catalog.functions.get_mut(&"app-f".into()).unwrap();
        function.flow.cancel[0].event = "t/go".to_owned();
        let data = json!({"k": 1, "waits": 1, "at_once": true});
        let mut runs: Vec<RunId> = Vec::new();
        for id in ["a", "b", "c"] {
            let event = world.accept_as("t/go", &data, Some(id));
            runs.push(RunId::derived(event, &"app-f".into()));
            for _ in 0..world.below(40) {
                world.step();
            }
        }
        world.accept_as("t/go", &data, Some("c"));
        world.rest();
        let ends = |world: &World| -> Vec<bool> {
            let is_cancelled =
                |run: &RunId| world.journal(*run).last().is_some_and(|entry| entry.get("Cancelled").is_some());
            runs.iter().map(is_cancelled).collect()
        };
        assert_eq!(ends(&world), [true, true, false], "seed {seed}");
        world.accept("t/wake", &json!({"k": 1}));
        world.rest();
        let last = world.journal(runs[2]);
        assert!(last.last().unwrap()["Answered"]["then"].get("Complete").is_some(), "seed {seed}: {last:#?}");
        let begun = world.rows.keys().filter(|at| at.kind == ActorKind::Run).count();
        assert_eq!(begun, 3, "seed {seed}");
    }
}
