//! What the engine was asked and what it gave, step by step, in a form that any build of the engine can be held against.
//!
//! A script is a list of calls of the functions in `wit/`, one a line, as JSON (docs/SIMULATION.md has the format). The
//! simulator makes one with the engine that is linked into it; whoever has the same engine in another shape (component
//! files in wasmtime, modules in workerd) makes the same calls and must be given the same.
//!
//! What is given is hashed always; the lines are kept only where somebody wants them.

mod shape;

use crate::home::{ONLY_SEAT, Seat};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use stepwell_engine::catalog::Catalog;
use stepwell_engine::error::Fault;
use stepwell_engine::http::{AskFailure, Progress, Request};
use stepwell_engine::turn::{ActorKind, Address, Message, Outcome, Range, Row, Settings, Turn};

/// The first line of every script.
#[derive(Serialize)]
struct Head<'a> {
    script: &'static str,
    version: u32,
    /// What each component is configured with before all else.
    settings: shape::Settings<'a>,
}

/// Of the format: another one for whatever a driver would have to know.
const VERSION: u32 = 1;

/// The last line of every script.
#[derive(Serialize)]
struct Foot<'a> {
    steps: u64,
    sha256: &'a str,
}

/// One call, but for what it gave.
#[derive(Serialize)]
struct Step<'a, A> {
    r#do: &'static str,
    /// The component that is called; none: every one, in the order event-api, scheduler, executor.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<&'static str>,
    /// The resource that is made or used.
    #[serde(skip_serializing_if = "Option::is_none")]
    on: Option<&'a str>,
    args: A,
}

/// A step that was begun: to be given back when it has ended.
#[must_use]
pub struct Begun(Vec<u8>);

/// The script of one world.
#[derive(Default)]
pub struct Script {
    given: Sha256,
    steps: u64,
    lines: Option<Vec<String>>,
    installed: Option<Arc<Catalog>>,
}

impl Script {
    /// Keeps the lines from here on, which is to be from the beginning.
    pub fn keep(&mut self, settings: &Settings) {
        let head = Head { script: "stepwell", version: VERSION, settings: shape::settings(settings) };
        self.lines = Some(vec![text(&head)]);
    }

    /// The hash of all that was given so far.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        hex::encode(self.given.clone().finalize())
    }

    /// The lines with the closing one; none where they were not kept.
    #[must_use]
    pub fn into_lines(self) -> Vec<String> {
        let foot = text(&Foot { steps: self.steps, sha256: &self.fingerprint() });
        let mut lines = self.lines.unwrap_or_default();
        if !lines.is_empty() {
            lines.push(foot);
        }
        lines
    }

    /// The catalog that what follows decides by.
    pub fn decides_by(&mut self, catalog: &Arc<Catalog>) {
        if self.installed.as_ref().is_some_and(|held| Arc::ptr_eq(held, catalog)) {
            return;
        }
        self.installed = Some(catalog.clone());
        let snapshot = catalog.encode().unwrap_or_default();
        let step = self.begin("install", None, None, &shape::install(catalog.version, &snapshot));
        self.end(step, &shape::INSTALLED);
    }

    /// An actor was made of these rows; it takes the place of an earlier one at its address.
    pub fn loaded(&mut self, seat: Seat, address: &Address, rows: &[(Range, Vec<Row>)]) {
        let (part, on) = (part(address.kind), name(seat, address));
        let step = self.begin("preload", Some(part), None, &(shape::address(address),));
        let ranges: Vec<_> = rows.iter().map(|(range, _)| shape::range(range)).collect();
        self.end(step, &ranges);
        let step = self.begin("make", Some(part), Some(&on), &(shape::address(address), shape::supplied(rows)));
        self.end(step, &());
    }

    /// An actor is asked for a turn.
    pub fn turn(&mut self, seat: Seat, address: &Address, turn: &Turn<'_>, message: &Message) -> Begun {
        let on = name(seat, address);
        self.begin("turn", Some(part(address.kind)), Some(&on), &(shape::turn::input(turn, message),))
    }

    /// It gave this.
    pub fn turned(&mut self, turn: Begun, outcome: &Result<Outcome, Fault>) {
        self.end(turn, &shape::turn::output(outcome));
    }

    /// A request is taken in.
    pub fn open(&mut self, id: u64, turn: (u64, u128), catalog: &Catalog, request: &Request) {
        let (now, entropy) = turn;
        let args = shape::http::exchange(now, entropy, catalog.version, request);
        let step = self.begin("open", Some(EVENT_API), Some(&exchange(id)), &args);
        self.end(step, &());
    }

    /// It is started.
    pub fn start(&mut self, id: u64) -> Begun {
        self.begin("start", Some(EVENT_API), Some(&exchange(id)), &[(); 0])
    }

    /// It goes on with these answers.
    pub fn resume(&mut self, id: u64, now: u64, answers: &[Result<Vec<u8>, AskFailure>]) -> Begun {
        self.begin("resume", Some(EVENT_API), Some(&exchange(id)), &shape::http::resume(now, answers))
    }

    /// It came to this; after a response it is over.
    pub fn proceeded(&mut self, step: Begun, progress: &Progress) {
        self.end(step, &shape::http::progress(progress));
    }

    fn begin<A: Serialize>(&self, r#do: &'static str, part: Option<&'static str>, on: Option<&str>, args: &A) -> Begun {
        let kept = self.lines.is_some();
        Begun(if kept { bytes(&Step { r#do, part, on, args }) } else { Vec::new() })
    }

    fn end<G: Serialize>(&mut self, Begun(mut step): Begun, gives: &G) {
        let gives = bytes(gives);
        self.steps = self.steps.saturating_add(1);
        self.given.update(&gives);
        self.given.update(b"\n");
        if let Some(lines) = &mut self.lines {
            // `{"do":…,"args":[…]` goes on with what it gave.
            step.pop();
            step.extend_from_slice(b",\"gives\":");
            step.extend_from_slice(&gives);
            step.push(b'}');
            lines.push(String::from_utf8(step).unwrap_or_default());
        }
    }
}

const EVENT_API: &str = "event-api";

/// The component that houses actors of this kind.
const fn part(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Catalog | ActorKind::Stream | ActorKind::History => EVENT_API,
        ActorKind::Gate | ActorKind::Waits | ActorKind::Cron => "scheduler",
        ActorKind::Run => "executor",
    }
}

/// Many instances may each have an actor of one address.
fn name(seat: Seat, address: &Address) -> String {
    let kind = shape::kind(address.kind);
    if seat == ONLY_SEAT { format!("{kind}/{}", address.key) } else { format!("{kind}/{}@{seat}", address.key) }
}

fn exchange(id: u64) -> String {
    format!("exchange/{id}")
}

/// Shapes have text for keys, so that JSON cannot fail.
fn bytes(shape: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(shape).unwrap_or_default()
}

fn text(shape: &impl Serialize) -> String {
    String::from_utf8(bytes(shape)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
