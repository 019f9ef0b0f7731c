//! Settings, from the application's variables.

use crate::limits::SHARDS_MAX;
use crate::types::{CatchUp, Settings};
use stepwell_ledger::Policy;

/// The variables that are read; one that a component does not have counts as empty.
pub const VARIABLES: [&str; 15] = [
    "door",
    "kind",
    "signing_key",
    "signing_key_fallback",
    "event_keys",
    "tick_key",
    "store",
    "cron_catch_up",
    "shards",
    "lease_ms",
    "retry_interval_ms",
    "wait_look_back_ms",
    "allow_private_addresses",
    "backlog_limit",
    "calls_per_app",
];

/// Where state is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// Spin's key-value store.
    KeyValue,
    /// Spin's SQLite.
    Sqlite,
}

/// How a component was set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// For the engine.
    pub settings: Settings,
    /// For the ledgers.
    pub policy: Policy,
    /// Where state is.
    pub store: StoreKind,
    /// Requests come from the world rather than from other parts.
    pub is_public: bool,
    /// What a tick from outside must bear; none where anybody may.
    pub tick_key: Option<String>,
}

impl Setup {
    /// Reads the variables, by their names.
    ///
    /// # Errors
    /// What is missing before requests may be served, for people: a server without keys would be open to everybody.
    pub fn read(of: impl Fn(&str) -> String) -> Result<Self, String> {
        let given = |name: &str| Some(of(name)).filter(|value| !value.is_empty());
        let is_cloud = match of("kind").as_str() {
            "dev" => false,
            "cloud" | "" => true,
            other => return Err(format!("the variable kind is {other:?}: dev or cloud")),
        };
        let settings = Settings {
            is_cloud,
            signing_keys: given("signing_key").into_iter().chain(given("signing_key_fallback")).collect(),
            event_keys: of("event_keys")
                .split(',')
                .map(str::trim)
                .filter(|key| !key.is_empty())
                .map(str::to_owned)
                .collect(),
            retry_interval_ms: number(&given, "retry_interval_ms")?,
            wait_look_back_ms: number(&given, "wait_look_back_ms")?,
            cron_catch_up: match of("cron_catch_up").as_str() {
                "none" => CatchUp::None,
                "last" | "" => CatchUp::Last,
                "all" => CatchUp::All,
                other => return Err(format!("the variable cron_catch_up is {other:?}: none, last or all")),
            },
            shards: number(&given, "shards")?
                .map_or(Some(1), |shards| u32::try_from(shards).ok())
                .filter(|shards| (1..=SHARDS_MAX).contains(shards))
                .ok_or_else(|| {
                    format!("the variable shards must be a whole number from 1 to {SHARDS_MAX}, and stay what it was")
                })?,
            private_addresses: switch(&of("allow_private_addresses"))?,
            backlog_max: limit(&given, "backlog_limit")?,
            calls_per_app_max: limit(&given, "calls_per_app")?,
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let is_public = of("door") == "public";
        if is_cloud && settings.signing_keys.is_empty() {
            return Err("set the variable signing_key, or kind to dev for a server without keys".to_owned());
        }
        if is_cloud && is_public && settings.event_keys.is_empty() {
            return Err("set the variable event_keys, or kind to dev for a server without keys".to_owned());
        }
        let store = match of("store").as_str() {
            "key-value" | "" => StoreKind::KeyValue,
            "sqlite" => StoreKind::Sqlite,
            other => return Err(format!("the variable store is {other:?}: key-value or sqlite")),
        };
        // Without a key of its own, a tick of a server with keys bears the signing key.
        let tick_key = given("tick_key").or_else(|| settings.signing_keys.first().cloned().filter(|_| is_cloud));
        Ok(Self { policy: policy(number(&given, "lease_ms")?), settings, store, is_public, tick_key })
    }
}

/// Here nothing lets an alarm go off again: another one is set before the turns that settle it. Nothing is tried again later than
/// after a lease, where that is set.
fn policy(lease_ms: Option<u64>) -> Policy {
    let usual = Policy { guard_ms: Some(crate::limits::CLAIM_MS), ..Policy::default() };
    let Some(lease_ms) = lease_ms else { return usual };
    Policy {
        lease_ms,
        guard_ms: usual.guard_ms.map(|guard_ms| guard_ms.min(lease_ms)),
        renew_ms: (lease_ms / 3).max(1),
        failure_ms: usual.failure_ms.min(lease_ms),
        resend_ms_min: usual.resend_ms_min.min(lease_ms),
        ..usual
    }
}

fn switch(value: &str) -> Result<bool, String> {
    match value {
        "true" => Ok(true),
        "false" | "" => Ok(false),
        other => Err(format!("the variable allow_private_addresses is {other:?}: true or false")),
    }
}

/// 0, as an empty variable, is no limit.
fn limit(given: &impl Fn(&str) -> Option<String>, name: &str) -> Result<Option<u32>, String> {
    let limit = number(given, name)?.filter(|limit| *limit > 0).map(u32::try_from).transpose();
    limit.map_err(|_| format!("the variable {name} is too large"))
}

fn number(given: &impl Fn(&str) -> Option<String>, name: &str) -> Result<Option<u64>, String> {
    let Some(value) = given(name) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| format!("the variable {name} is {value:?}: a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setup(variables: &[(&str, &str)]) -> Result<Setup, String> {
        let variables = variables.to_vec();
        Setup::read(move |name| {
            variables.iter().find(|(held, _)| *held == name).map_or(String::new(), |(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_server_without_keys_is_only_for_development() {
        assert!(setup(&[("kind", "dev")]).is_ok());
        assert!(setup(&[]).unwrap_err().contains("signing_key"));
        assert!(setup(&[("signing_key", "a")]).is_ok());
        let public = setup(&[("signing_key", "a"), ("door", "public")]);
        assert!(public.unwrap_err().contains("event_keys"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (name, value) in [
            ("shards", "0"),
            ("shards", "65"),
            ("lease_ms", "1s"),
            ("cron_catch_up", "some"),
            ("allow_private_addresses", "yes"),
            ("backlog_limit", "5000000000"),
            ("calls_per_app", "5000000000"),
        ] {
            assert!(setup(&[("kind", "dev"), (name, value)]).unwrap_err().contains(name), "{name}");
        }
    }

    #[test]
    fn private_addresses_are_asked_only_where_that_is_wanted() {
        assert!(!setup(&[("kind", "dev")]).unwrap().settings.private_addresses);
        let wanted = setup(&[("kind", "dev"), ("allow_private_addresses", "true")]);
        assert!(wanted.unwrap().settings.private_addresses);
    }

    #[test]
    fn ticks_bear_a_key_where_the_server_has_keys() {
        assert_eq!(setup(&[("kind", "dev")]).unwrap().tick_key, None);
        assert_eq!(setup(&[("signing_key", "a")]).unwrap().tick_key.as_deref(), Some("a"));
        assert_eq!(setup(&[("kind", "dev"), ("tick_key", "b")]).unwrap().tick_key.as_deref(), Some("b"));
    }

    #[test]
    fn a_short_lease_is_renewed_within_it() {
        let policy = setup(&[("kind", "dev"), ("lease_ms", "1500")]).unwrap().policy;
        assert_eq!((policy.lease_ms, policy.renew_ms, policy.resend_ms_min), (1_500, 500, 1_500));
        assert_eq!(policy.guard_ms, Some(1_500));
    }
}
