//! Which actor keeps a wait: by the event's name, and by a value that the event must have where the wait says one.

use super::message::WaitId;
use crate::expression::{Bindings, Expression, key_at};
use crate::ids::RunId;
use crate::limits::WAITS_ANY_SHARDS;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

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

/// 128 bits, which is enough never to meet another; and where it did, name and expression are looked at again.
fn digest(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    let hash = digest.finalize();
    hex::encode(hash.get(..16).unwrap_or(&hash))
}

/// The key of a wait's row.
pub(super) fn row_key(wait: &WaitId) -> String {
    format!("wait/{wait}")
}
