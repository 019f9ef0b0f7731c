//! Whom only time keeps from beginning: values of the throttle's key for which a run waits, by the moment at which one may begin.

use super::limits::{KeyValue, values};
use super::message::Keys;
use super::row::Rate;
use super::throttle;
use crate::catalog::flow::Throttle;
use crate::ids::Millis;
use std::collections::{BTreeMap, BTreeSet};

/// Those that wait to begin, and until when the throttle keeps them.
#[derive(Debug, Default)]
pub struct Starts {
    /// Runs that wait to begin, by the value of each of their keys: which of them is the throttle's may change.
    waiting: BTreeMap<KeyValue, usize>,
    /// The throttle that the moments are by.
    throttle: Option<Throttle>,
    /// The moments of values that somebody waits for, ...
    moments: BTreeMap<String, Millis>,
    /// ... in order.
    order: BTreeSet<(Millis, String)>,
}

impl Starts {
    /// One more waits.
    pub fn add(&mut self, keys: &Keys, rates: &BTreeMap<String, Rate>) {
        for value in values(keys) {
            let count = self.waiting.entry(value.clone()).or_default();
            *count = count.saturating_add(1);
            self.look_at(&value.1, rates);
        }
    }

    /// One fewer waits.
    pub fn remove(&mut self, keys: &Keys, rates: &BTreeMap<String, Rate>) {
        for value in values(keys) {
            if let Some(count) = self.waiting.get_mut(&value) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.waiting.remove(&value);
                }
            }
            self.look_at(&value.1, rates);
        }
    }

    /// The function's throttle is this one.
    pub fn follow(&mut self, throttle: Option<&Throttle>, rates: &BTreeMap<String, Rate>) {
        if self.throttle.as_ref() == throttle {
            return;
        }
        self.throttle = throttle.cloned();
        self.moments.clear();
        self.order.clear();
        rates.keys().for_each(|value| self.look_at(value, rates));
    }

    /// How many wait for this value, or how much it has been used, may be different from before.
    pub fn look_at(&mut self, value: &str, rates: &BTreeMap<String, Rate>) {
        if let Some(before) = self.moments.remove(value) {
            self.order.remove(&(before, value.to_owned()));
        }
        let Some(throttle) = &self.throttle else { return };
        let source = throttle.key.clone().unwrap_or_default();
        if !self.waiting.contains_key(&(source, value.to_owned())) {
            return;
        }
        if let Some(rate) = rates.get(value) {
            let at = throttle::free_at(throttle, rate.even_at_ns);
            self.moments.insert(value.to_owned(), at);
            self.order.insert((at, value.to_owned()));
        }
    }

    /// The values for which a start is due by now.
    pub fn due(&self, now: Millis) -> impl Iterator<Item = &String> {
        self.order.iter().take_while(move |(at, _)| *at <= now).map(|(_, value)| value)
    }

    /// The next moment after now at which one is.
    pub fn next_after(&self, now: Millis) -> Option<Millis> {
        let from = (Millis(now.0.saturating_add(1)), String::new());
        self.order.range(from..).next().map(|(at, _)| *at)
    }
}
