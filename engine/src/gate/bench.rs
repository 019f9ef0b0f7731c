//! What the tests of the gates of admission share: one gate, the starts that it is shown, and what it sends on.

use super::admission::Tell;
use super::place::{self, Kind};
use super::{Ask, Waiting};
use crate::actor::Actor;
use crate::catalog::{Catalog, Function};
use crate::ids::{EventId, FunctionId, Millis, RunId};
use crate::run::message::Start;
use crate::stream::driver::{self, Driver, sent};
use crate::turn::{ActorKind, Done, Message};
use serde_json::{Value, json, value::to_raw_value};

pub const NOW: u64 = 1_700_000_000_000;

/// A gate of the function `f`, whose runs are told by their number.
pub struct Bench<A> {
    pub gate: Driver<A>,
    pub wake_at: Option<u64>,
    /// Answers to invokers since last time, as `<step>: <error's name>`.
    pub answers: Vec<String>,
}

impl<A: Actor> Bench<A> {
    /// With this flow control, as the catalog keeps it.
    pub fn new(kind: Kind, flow: Value) -> Self {
        let gate = Driver::of(&place::key(kind, &"f".into(), ""), Millis(NOW), catalog(flow));
        Self { gate, wake_at: None, answers: Vec::new() }
    }

    /// What is sent on when this start is shown.
    pub fn show(&mut self, start: Start) -> Vec<String> {
        self.tell(&Tell::Start(Box::new(start)))
    }

    /// The same for the event with this number.
    pub fn come(&mut self, number: u64) -> Vec<String> {
        self.show(start(number))
    }

    pub fn tell(&mut self, tell: &Tell) -> Vec<String> {
        let done = self.gate.tell(tell);
        self.hear(&done)
    }

    /// The gate is woken if it wants to be by then; the time passes in any case.
    pub fn pass_to(&mut self, at: u64) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(wake_at) = self.wake_at.filter(|wake_at| *wake_at <= at) {
            self.gate.now = Millis(self.gate.now.0.max(wake_at));
            told.extend(self.wake());
        }
        self.gate.now = Millis(at);
        told
    }

    pub fn wake(&mut self) -> Vec<String> {
        let done = self.gate.turn(Message::Wake).unwrap();
        self.hear(&done)
    }

    /// How many starts a request is told that wait, and when they go on.
    pub fn waiting(&mut self) -> (usize, Option<u64>) {
        let (answer, done) = self.gate.ask(&Ask::Flow);
        assert!(done.writes.is_empty() && done.wake_at.map(|at| at.0) == self.wake_at, "who asks changes nothing");
        let waiting: Waiting = serde_json::from_value(answer.unwrap()).unwrap();
        (waiting.held, waiting.next_start_at.map(|at| at.0))
    }

    pub fn function(&mut self) -> &mut Function {
        self.gate.catalog.functions.get_mut(&FunctionId::from("f")).unwrap()
    }

    fn hear(&mut self, done: &Done) -> Vec<String> {
        self.wake_at = done.wake_at.map(|at| at.0);
        let mut told = Vec::new();
        for (to, message) in sent(done) {
            if let Some(returned) = message.get("Returned") {
                self.answers.push(format!(
                    "{}: {}",
                    returned["step"].as_str().unwrap(),
                    returned["returned"]["Error"]["name"].as_str().unwrap()
                ));
                continue;
            }
            told.push(in_short(to.kind, &message));
        }
        told
    }
}

/// `1` for a run that begins, `1+2` for that of a batch, `1 skipped` and so on.
fn in_short(to: ActorKind, message: &Value) -> String {
    let number = |run: &Value| RunId::parse(run.as_str().unwrap()).unwrap().0.random();
    if let Some(start) = message.get("Start") {
        let events: Vec<String> = start["event_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| EventId::parse(id.as_str().unwrap()).unwrap().0.random().to_string())
            .collect();
        let skip = start.get("skip").map_or("", |_| " skipped");
        return format!("{}{skip}{}", events.join("+"), if to == ActorKind::Gate { " to the next gate" } else { "" });
    }
    if let Some(displaced) = message.get("Displaced") {
        return format!("displaced by {}", number(&displaced["by"]));
    }
    match message.get("Ran") {
        Some(ran) => format!("listed: {}", number(&ran["run"])),
        None => panic!("{to:?}: {message}"),
    }
}

pub fn catalog(flow: Value) -> Catalog {
    let mut catalog = driver::catalog(&[("f", &["e"])]);
    catalog.functions.get_mut(&FunctionId::from("f")).unwrap().flow = serde_json::from_value(flow).unwrap();
    catalog
}

/// The start of the run that the event with this number would have to itself. An invocation waits for each.
pub fn start(number: u64) -> Start {
    with(number, NOW + number, &json!({}))
}

/// The same with a time of its own and these data.
pub fn with(number: u64, ts: u64, data: &Value) -> Start {
    let mut data = data.clone();
    data["_inngest"] = json!({"correlation_id": format!("{}.s{number}", run(999))});
    let event = json!({"name": "inngest/function.invoked", "ts": ts, "data": data});
    Start {
        event_ids: vec![EventId(ulid::Ulid::from_parts(NOW, u128::from(number)))],
        events: vec![to_raw_value(&event).unwrap()],
        event_name: "inngest/function.invoked".to_owned(),
        received_at: Some(Millis(NOW)),
        ..Start::of(run(number), "f".into(), 3)
    }
}

pub fn run(number: u64) -> RunId {
    RunId(ulid::Ulid::from_parts(NOW, u128::from(number)))
}
