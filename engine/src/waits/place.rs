//! Which actor keeps a wait: by the event's name, and by a value that the event must have where the wait says one.

use super::message::WaitId;
use crate::expression::{Bindings, Expression, key_at};
use crate::ids::{RunId, digest};
use crate::limits::WAITS_ANY_SHARDS;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// How an event finds waits on its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Route {
    /// By the value at this path of the event: each value has an actor of its own.
    Value(Vec<String>),
    /// Whatever the event is like: such waits are spread over some shards, all of which hear of it.
    Any(u64),
}

/// Where a wait is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// How events find it.
    pub route: Route,
    /// The key of its actor.
    pub at: String,
}

impl Place {
    /// Where a wait of `run` on events called `name` is kept; `bindings`: the run's own event.
    #[must_use]
    pub fn of(name: &str, run: RunId, expression: Option<&Expression>, bindings: &Bindings<'_>) -> Self {
        let Some(term) = expression.and_then(|expression| expression.term(bindings)) else {
            let shard = run.0.random().checked_rem(WAITS_ANY_SHARDS).and_then(|shard| u64::try_from(shard).ok());
            let route = Route::Any(shard.unwrap_or(0));
            return Self { at: actor_key(name, &route, ""), route };
        };
        let route = Route::Value(term.path);
        Self { at: actor_key(name, &route, &term.key), route }
    }
}

impl Route {
    /// The actor to which this route leads `event`; `None` where the event has no value to go by.
    #[must_use]
    pub fn actor_for(&self, name: &str, event: &RawValue) -> Option<String> {
        let key = match self {
            Self::Value(path) => key_at(event, path)?,
            Self::Any(_) => String::new(),
        };
        Some(actor_key(name, self, &key))
    }
}

/// The key of the actor that keeps the waiter for `signal`.
#[must_use]
pub fn signal_actor_key(signal: &str) -> String {
    digest(&["signal", signal])
}

fn actor_key(name: &str, route: &Route, value: &str) -> String {
    let route = match route {
        Route::Value(path) => serde_json::Value::from(path.as_slice()).to_string(),
        Route::Any(shard) => shard.to_string(),
    };
    digest(&["event", name, &route, value])
}

/// The key of a wait's row.
pub(super) fn row_key(wait: &WaitId) -> String {
    format!("wait/{wait}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::{self, Scope};
    use crate::ids::Millis;
    use std::collections::BTreeSet;

    fn raw(json: &str) -> Box<RawValue> {
        RawValue::from_string(json.to_owned()).unwrap()
    }

    fn place(name: &str, run: u128, condition: Option<&str>, own: &str) -> Place {
        let own = raw(own);
        let bindings = Bindings { event: &own, incoming: None, now: Millis(1) };
        let compiled = condition.map(|source| expression::compiled(source, Scope::Wait).unwrap());
        Place::of(name, RunId(ulid::Ulid::from_parts(1, run)), compiled.as_deref(), &bindings)
    }

    #[test]
    fn a_wait_with_a_value_is_kept_where_events_with_that_value_lead() {
        let condition = Some("event.data.k == async.data.k");
        let place_of = |name, k| place(name, 7, condition, &format!(r#"{{"data":{{"k":{k}}}}}"#));
        let one = place_of("a/b", 1);
        assert_eq!(one.route, Route::Value(vec!["data".to_owned(), "k".to_owned()]));
        let leads = |name, event: &str| one.route.actor_for(name, &raw(event));
        assert_eq!(leads("a/b", r#"{"data":{"k":1}}"#), Some(one.at.clone()));
        assert_ne!(leads("a/b", r#"{"data":{"k":2}}"#), Some(one.at.clone()));
        assert_ne!(leads("a/c", r#"{"data":{"k":1}}"#), Some(one.at.clone()));
        assert_eq!(leads("a/b", r#"{"data":{}}"#), None, "it has no value to go by");
        assert_eq!(place("a/b", 8, condition, r#"{"data":{"k":1}}"#), one, "whoever waits");
        assert_ne!(place_of("a/b", 2).at, one.at);
        assert_ne!(place_of("a/c", 1).at, one.at);
    }

    #[test]
    fn waits_without_a_value_are_spread_by_their_runs() {
        let shards = u64::try_from(WAITS_ANY_SHARDS).unwrap();
        let places: Vec<Place> = (0..32).map(|run| place("a/b", run, None, "{}")).collect();
        for (place, run) in places.iter().zip(0..) {
            assert_eq!(place.route, Route::Any(run % shards));
            assert_eq!(place.route.actor_for("a/b", &raw("{}")), Some(place.at.clone()), "every event leads there");
        }
        let keys: BTreeSet<&str> = places.iter().map(|place| place.at.as_str()).collect();
        assert_eq!(keys.len(), usize::try_from(WAITS_ANY_SHARDS).unwrap());
        assert!(keys.iter().all(|key| key.len() == 32), "128 bits: {keys:?}");
    }

    #[test]
    fn actors_of_other_names_paths_and_signals_are_others() {
        let value = |path: &[&str]| Route::Value(path.iter().map(|part| (*part).to_owned()).collect());
        let routes = [value(&["a", "b"]), value(&["ab"]), value(&["a"]), Route::Any(1)];
        let mut keys: BTreeSet<String> = routes.iter().map(|route| actor_key("n", route, "v")).collect();
        keys.extend(["n", "m"].map(signal_actor_key));
        keys.extend(
            [("n", 1), ("nv", 1), ("n", 11), ("n1", 1)].map(|(name, shard)| actor_key(name, &Route::Any(shard), "")),
        );
        assert_eq!(keys.len(), 10);
    }
}
