//! How much at once (SERVER §2.1).

use crate::catalog::fields::{self, Faults, Fields};
use crate::limits::CONCURRENCY_LIMITS_PER_FUNCTION_MAX;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The limits of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Concurrency {
    /// On requests under way, the lowest limit first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Limit>,
    /// On runs that have begun and not ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Limit>,
}

/// One limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// So many at once, at least 1.
    pub limit: u32,
    /// What shares the limit.
    pub scope: Scope,
    /// CEL over `event`: each value has the limit to itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// What shares a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// The function's runs.
    #[default]
    Fn,
    /// All functions of the environment with the same value of the key.
    Env,
    /// All functions of the account with the same value of the key.
    Account,
    /// All functions of the app. None registers this: it is how the server keeps to so many calls of an app.
    App,
}

impl Concurrency {
    /// There are no limits.
    #[must_use]
    pub const fn is_unlimited(&self) -> bool {
        self.steps.is_empty() && self.runs.is_none()
    }

    /// Reads any of the forms that SDKs write: a number, a limit, a list of limits, or `{"fn":[…],"step":[…]}`.
    pub(super) fn read(function: &Fields<'_>, faults: &mut Faults) -> Self {
        const NAME: &str = "concurrency";
        let Some(value) = function.get(NAME) else { return Self::default() };
        let path = function.path(NAME);
        let Some(both) = value.as_object().map(|_| value).and_then(|value| Fields::of(value, path.clone(), faults))
        else {
            return Self { steps: step_limits(value, &path, faults), runs: None };
        };
        let (runs, steps) = (both.get("fn"), both.get("step"));
        if runs.is_none() && steps.is_none() {
            return Self { steps: step_limits(value, &path, faults), runs: None };
        }
        Self {
            steps: steps.map_or_else(Vec::new, |value| step_limits(value, &both.path("step"), faults)),
            runs: runs.and_then(|value| run_limit(value, &both.path("fn"), faults)),
        }
    }
}

fn step_limits(value: &Value, path: &str, faults: &mut Faults) -> Vec<Limit> {
    let items = items(value, path);
    if items.len() > CONCURRENCY_LIMITS_PER_FUNCTION_MAX {
        let message = format!("{} limits; at most {CONCURRENCY_LIMITS_PER_FUNCTION_MAX} are possible", items.len());
        faults.add("concurrency_limit_invalid", path, message);
    }
    let items = items.into_iter().take(CONCURRENCY_LIMITS_PER_FUNCTION_MAX);
    let mut limits: Vec<_> = items.filter_map(|(path, item)| read_limit(item, &path, faults)).collect();
    // A limit of 0 means that there is none.
    limits.retain(|limit| limit.limit > 0);
    limits.sort_by_key(|limit| limit.limit);
    limits
}

fn run_limit(value: &Value, path: &str, faults: &mut Faults) -> Option<Limit> {
    let items = items(value, path);
    if items.len() > 1 {
        let message = format!("{} limits on runs; only one is possible", items.len());
        faults.add("concurrency_limit_invalid", path, message);
    }
    let (path, item) = items.into_iter().next()?;
    let before = faults.details.len();
    let limit = read_limit(item, &path, faults)?;
    if limit.scope != Scope::Fn {
        let message = "a limit on runs is the function's own: only `step` limits are shared beyond it";
        faults.add("concurrency_limit_invalid", format!("{path}.scope"), message);
    }
    if limit.limit == 0 && faults.details.len() == before {
        faults.add("concurrency_limit_invalid", path, "a limit on runs must be at least 1");
    }
    Some(limit)
}

fn items<'a>(value: &'a Value, path: &str) -> Vec<(String, &'a Value)> {
    match value {
        Value::Array(items) => fields::items_of(path, items),
        one => vec![(path.to_owned(), one)],
    }
}

fn read_limit(value: &Value, path: &str, faults: &mut Faults) -> Option<Limit> {
    if !value.is_object() {
        let limit = fields::count(value, || path.to_owned(), faults)?;
        return Some(Limit { limit, scope: Scope::Fn, key: None });
    }
    let fields = Fields::of(value, path.to_owned(), faults)?;
    let limit = fields.count("limit", faults).unwrap_or(0);
    let key = fields.expression("key", "expression_invalid", faults);
    let scope = read_scope(&fields, faults);
    if scope != Scope::Fn && fields.text("key", faults).is_none() {
        let message = "a limit that is shared beyond the function needs a key";
        faults.add("concurrency_limit_invalid", fields.path("key"), message);
    }
    Some(Limit { limit, scope, key })
}

fn read_scope(fields: &Fields<'_>, faults: &mut Faults) -> Scope {
    let Some(scope) = fields.text("scope", faults) else { return Scope::Fn };
    match scope.to_ascii_lowercase().as_str() {
        "fn" => Scope::Fn,
        "env" => Scope::Env,
        "account" => Scope::Account,
        _ => {
            faults.add("value_invalid", fields.path("scope"), format!("{scope:?} is none of fn, env and account"));
            Scope::Fn
        }
    }
}
