//! What a call needs of its function, and what of it there is.

use super::message::Keys;
use super::row::Wait;
use super::{Slots, throttle};
use crate::catalog::Flow;
use crate::catalog::Function;
use crate::catalog::flow::{Concurrency, Limit, Scope, Throttle};
use crate::gate::place;
use crate::gate::shared::LimitName;
use crate::ids::{Millis, RunId};
use std::collections::{BTreeMap, BTreeSet};

/// Something of which there is only so much.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// Anything at all: the function is paused, or its app has too much to do.
    Everything,
    /// Calls under way whose key expression has this value.
    Calls(KeyValue),
    /// Runs that have begun.
    Runs(KeyValue),
    /// Starts of this value of the throttle's key.
    Starts(String),
}

/// A key expression's source and what it comes to; both empty where there is none.
pub type KeyValue = (String, String);

/// How many hold each value of each key.
#[derive(Debug, Default)]
pub struct Usage(BTreeMap<KeyValue, u32>);

impl Usage {
    /// One more with these keys.
    pub fn add(&mut self, keys: &Keys) {
        for value in values(keys) {
            let count = self.0.entry(value).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// One fewer with these keys.
    pub fn remove(&mut self, keys: &Keys) {
        for value in values(keys) {
            if let Some(count) = self.0.get_mut(&value) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.0.remove(&value);
                }
            }
        }
    }

    fn is_full(&self, value: &KeyValue, limit: u32) -> bool {
        self.0.get(value).copied().unwrap_or(0) >= limit
    }
}

/// All that a holder with these keys counts towards, whatever the limits are at the moment.
pub fn values(keys: &Keys) -> impl Iterator<Item = KeyValue> {
    let keyed = keys.iter().map(|(source, value)| (source.clone(), value.clone()));
    keyed.chain(std::iter::once(KeyValue::default()))
}

/// What the key of a limit comes to. Those for which it comes to nothing are counted together.
fn value_of(source: Option<&str>, keys: &Keys) -> KeyValue {
    let source = source.unwrap_or_default();
    (source.to_owned(), keys.get(source).cloned().unwrap_or_default())
}

/// The key expressions that the limits of a function go by.
pub fn sources(function: &Function) -> BTreeSet<&str> {
    let flow = &function.flow;
    let limits = flow.concurrency.steps.iter().chain(&flow.concurrency.runs).filter_map(|limit| limit.key.as_deref());
    let throttle = flow.throttle.as_ref().and_then(|throttle| throttle.key.as_deref());
    limits.chain(throttle).filter(|source| !source.is_empty()).collect()
}

/// The value of the throttle's key, where the function has a throttle.
pub fn start_value(function: &Function, keys: &Keys) -> Option<String> {
    function.flow.throttle.as_ref().map(|throttle| value_of(throttle.key.as_deref(), keys).1)
}

/// The gates that `keys` lead to, of those that functions share, the limits, and how much these are. In an order that all functions keep.
pub fn shared_gates(function: &Function, keys: &Keys) -> Vec<(String, LimitName, u32)> {
    let shared = function.flow.concurrency.steps.iter().filter(|limit| limit.scope != Scope::Fn);
    let registered = shared.map(|limit| {
        let (source, value) = value_of(limit.key.as_deref(), keys);
        let name = LimitName { scope: limit.scope, source };
        (place::shared_key(&name, &value), name, limit.limit)
    });
    let of_app = function.app_calls_max.map(|limit| {
        let name = LimitName { scope: Scope::App, source: function.app.to_string() };
        (place::shared_key(&name, ""), name, limit)
    });
    let mut gates: Vec<_> = registered.chain(of_app).collect();
    gates.sort();
    // Of several limits on the same the lowest counts.
    gates.dedup_by(|(next, ..), (gate, ..)| next == gate);
    gates
}

/// All that a gate of slots goes by, to be compared; none where the function needs no slots.
#[must_use]
pub fn limits_of(function: &Function) -> Option<(Concurrency, Option<Throttle>, bool)> {
    let Flow { concurrency, throttle, .. } = &function.flow;
    is_gated(function).then(|| (concurrency.clone(), throttle.clone(), function.holds_calls()))
}

/// Whether calls of the function need slots at all.
#[must_use]
pub fn is_gated(function: &Function) -> bool {
    let is_limited = !function.flow.concurrency.is_unlimited() || function.app_calls_max.is_some();
    is_limited || function.flow.throttle.is_some() || function.holds_calls()
}

/// Each limit on calls that is the function's own, those with keys first: what they set apart is smaller.
fn own_limits(function: &Function) -> impl Iterator<Item = &Limit> {
    let own = || function.flow.concurrency.steps.iter().filter(|limit| limit.scope == Scope::Fn);
    own().filter(|limit| limit.key.is_some()).chain(own().filter(|limit| limit.key.is_none()))
}

impl Slots {
    /// What the call lacks, if anything, by what its function says at this moment.
    pub(super) fn lacks(&self, function: &Function, run: RunId, wait: &Wait, now: Millis) -> Option<Bucket> {
        if function.holds_calls() || self.not_before.is_some_and(|at| at > now) {
            return Some(Bucket::Everything);
        }
        for limit in own_limits(function) {
            let value = value_of(limit.key.as_deref(), &wait.keys);
            if self.index.calls.is_full(&value, limit.limit) {
                return Some(Bucket::Calls(value));
            }
        }
        if !wait.is_first {
            return None;
        }
        if let Some(limit) = function.flow.concurrency.runs.as_ref().filter(|_| !self.begun.contains_key(&run)) {
            let value = value_of(limit.key.as_deref(), &wait.keys);
            if self.index.runs.is_full(&value, limit.limit) {
                return Some(Bucket::Runs(value));
            }
        }
        let throttle = function.flow.throttle.as_ref()?;
        let value = start_value(function, &wait.keys)?;
        let is_due = self.rates.get(&value).is_none_or(|rate| throttle::free_at(throttle, rate.even_at_ns) <= now);
        (!is_due).then_some(Bucket::Starts(value))
    }
}
