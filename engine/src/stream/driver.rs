//! A shell for tests: one actor, its rows in memory. Each turn is decided by an actor that has just been made from the rows and
//! by one that was kept hot, and both must decide the same.

use crate::actor::Actor;
use crate::catalog::Catalog;
use crate::error::{Fault, Refusal};
use crate::ids::{Entropy, Millis};
use crate::turn::{Address, Done, Effect, Message, Outcome, Range, Row, Settings, Supplied, Turn};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Houses one actor.
pub(crate) struct Driver<A> {
    pub(crate) rows: BTreeMap<String, Vec<u8>>,
    pub(crate) now: Millis,
    pub(crate) catalog: Catalog,
    pub(crate) settings: Settings,
    /// The ranges that turns needed, since the driver was made.
    pub(crate) ranges_read: usize,
    /// The actor's key.
    pub(crate) key: String,
    hot: Option<A>,
}

impl<A: Actor> Driver<A> {
    pub(crate) fn new(now: Millis, catalog: Catalog) -> Self {
        Self::of("0", now, catalog)
    }

    /// The actor with this key.
    pub(crate) fn of(key: &str, now: Millis, catalog: Catalog) -> Self {
        let (rows, settings, key) = (BTreeMap::new(), Settings::default(), key.to_owned());
        Self { rows, now, catalog, settings, ranges_read: 0, key, hot: None }
    }

    /// One turn, made durable.
    pub(crate) fn turn(&mut self, message: Message) -> Result<Done, Fault> {
        let mut cold = self.load();
        let mut hot = self.hot.take().unwrap_or_else(|| self.load());
        let done = self.decide(&mut cold, message.clone());
        assert_eq!(self.decide(&mut hot, message), done, "a reloaded actor decides otherwise");
        self.hot = Some(hot);
        let done = done?;
        for write in &done.writes {
            match &write.value {
                Some(value) => self.rows.insert(write.key.clone(), value.clone()),
                None => self.rows.remove(&write.key),
            };
        }
        Ok(done)
    }

    pub(crate) fn tell(&mut self, message: &impl Serialize) -> Done {
        self.turn(Message::Tell(serde_json::to_vec(message).unwrap())).unwrap()
    }

    /// Asks, and gives the reply beside what else was decided.
    pub(crate) fn ask(&mut self, question: &impl Serialize) -> (Result<Value, Refusal>, Done) {
        let body = serde_json::to_vec(question).unwrap();
        let done = self.turn(Message::Ask { token: 7, body }).unwrap();
        let replies: Vec<_> = done
            .effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Reply { token: 7, body } => Some(serde_json::from_slice(body).unwrap()),
                _ => None,
            })
            .collect();
        let [reply] = <[_; 1]>::try_from(replies).unwrap();
        (reply, done)
    }

    fn load(&self) -> A {
        let ranges = A::preload(&self.key).into_iter();
        let rows: Vec<_> = ranges.map(|range| (range.clone(), self.read(&range))).collect();
        A::load(&self.key, &rows).unwrap()
    }

    fn decide(&mut self, actor: &mut A, message: Message) -> Result<Done, Fault> {
        let mut supplied = Supplied::default();
        loop {
            let (now, catalog, settings) = (self.now, &self.catalog, &self.settings);
            let turn = Turn { now, entropy: Entropy(1), catalog, settings, supplied: &supplied };
            let ranges = match actor.turn(&turn, message.clone())? {
                Outcome::Done(done) => return Ok(done),
                Outcome::Needs(ranges) => ranges,
            };
            assert!(!ranges.is_empty());
            self.ranges_read += ranges.len();
            for range in ranges {
                assert!(supplied.get(&range).is_none(), "asks twice for {range:?}");
                supplied.0.push((range.clone(), self.read(&range)));
            }
        }
    }

    fn read(&self, range: &Range) -> Vec<Row> {
        if range.start >= range.end {
            return Vec::new();
        }
        let rows = self.rows.range(range.start.clone()..range.end.clone());
        let row = |(key, value): (&String, &Vec<u8>)| Row { key: key.clone(), value: value.clone() };
        let limit = usize::try_from(range.limit).unwrap();
        if range.descending { rows.rev().take(limit).map(row).collect() } else { rows.take(limit).map(row).collect() }
    }
}

/// The messages to other actors.
pub(crate) fn sent(done: &Done) -> Vec<(&Address, Value)> {
    let sent = done.effects.iter().filter_map(|effect| match effect {
        Effect::Send { to, body } => Some((to, serde_json::from_slice(body).unwrap())),
        _ => None,
    });
    sent.collect()
}

/// A catalog of functions `(slug, names of the events that start it)`.
pub(crate) fn catalog(functions: &[(&str, &[&str])]) -> Catalog {
    let function = |(slug, names): &(&str, &[&str])| {
        let triggers: Vec<_> = names.iter().map(|name| json!({"Event": {"name": name, "expression": null}})).collect();
        let function = json!({
            "id": slug, "app": "app", "name": slug, "url": "http://localhost/", "retries": 4, "triggers": triggers, "version": 3
        });
        (crate::ids::FunctionId::from(*slug), serde_json::from_value(function).unwrap())
    };
    Catalog { version: 1, functions: functions.iter().map(function).collect(), ..Catalog::default() }
}
