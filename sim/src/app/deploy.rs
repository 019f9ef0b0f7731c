//! What of the app is deployed: its address, and which of its functions there are (PROTOCOL §1.5).

use super::App;
use super::program::{Before, CancelOn, Flow, Program, Timeouts};
use crate::dice::Dice;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One deployment of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployed {
    /// Counts deployments.
    pub edition: u64,
    /// The newest edition whose address differs from the one before.
    pub address: u64,
    /// Its functions have no schedules any more.
    pub is_retired: bool,
    /// Functions that it lacks.
    pub without: BTreeSet<String>,
    /// Functions that some deployment lacked.
    pub lacked: BTreeSet<String>,
    /// How often the keys of concurrency became others: one, then the other.
    pub rekeyed: usize,
}

impl Deployed {
    /// The next deployment: functions go, come back, have other keys, or all move to another address.
    #[must_use]
    pub fn next(&self, programs: &[Program], dice: &mut Dice) -> Self {
        let mut next = Self { edition: self.edition.saturating_add(1), ..self.clone() };
        match dice.below(4) {
            0 => next.address = next.edition,
            1 => next.without.clear(),
            2 if programs.len() > 1 => {
                let gone = dice.pick(programs).map(|program| program.name.clone());
                next.without = gone.into_iter().collect();
                next.lacked.extend(next.without.iter().cloned());
            }
            2 => {}
            _ => next.rekeyed = next.rekeyed.saturating_add(1),
        }
        next
    }

    /// The same without schedules.
    #[must_use]
    pub fn retired(&self) -> Self {
        Self { edition: self.edition.saturating_add(1), is_retired: true, ..self.clone() }
    }

    /// The key of concurrency.
    #[must_use]
    pub fn key(&self) -> &'static str {
        let [key, other] = KEYS;
        if self.rekeyed.is_multiple_of(2) { key } else { other }
    }

    /// Where the app is served.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://app.test/{}/api/inngest", self.address)
    }
}

/// The address, as [`Deployed::address`] counts, that a call goes to.
#[must_use]
pub fn address_of(url: &str) -> Option<u64> {
    url.strip_prefix("http://app.test/")?.split('/').next()?.parse().ok()
}

/// Options that are not there are left out, as SDKs do it.
fn cancel(on: &CancelOn) -> Value {
    let mut told = json!({"event": on.event});
    if let Some(condition) = on.condition {
        told["if"] = condition.text().into();
    }
    if let Some(seconds) = on.timeout_s {
        told["timeout"] = format!("{seconds}s").into();
    }
    told
}

fn timeouts(timeouts: Timeouts) -> Value {
    let mut told = json!({});
    for (name, seconds) in [("start", timeouts.start_s), ("finish", timeouts.finish_s)] {
        if let Some(seconds) = seconds {
            told[name] = format!("{seconds}s").into();
        }
    }
    told
}

/// The number in the data of events, as flow control sets runs apart by it: the second means the same, and is another key.
const KEYS: [&str; 2] = ["event.data.k", "string(event.data.k)"];

/// Adds a function's flow control to what it registers; those of concurrency by this key.
fn add_flow(function: &mut Value, flow: &Flow, key: &str) {
    let limits = [
        flow.calls.map(|limit| json!({"limit": limit})),
        flow.calls_of_one.map(|limit| json!({"limit": limit, "key": key})),
        flow.calls_of_all.map(|limit| json!({"limit": limit, "key": key, "scope": "env"})),
    ];
    let steps: Vec<Value> = limits.into_iter().flatten().collect();
    let runs: Vec<Value> = flow.runs.map(|limit| json!({"limit": limit})).into_iter().collect();
    if !steps.is_empty() || !runs.is_empty() {
        function["concurrency"] = json!({"step": steps, "fn": runs});
    }
    if let Some((limit, seconds)) = flow.throttle {
        function["throttle"] = json!({"limit": limit, "period": format!("{seconds}s"), "burst": 0});
    }
    let (name, option) = match flow.before {
        None => return,
        Some(Before::Batch(size, seconds)) => {
            ("batchEvents", json!({"maxSize": size, "timeout": format!("{seconds}s")}))
        }
        Some(Before::RateLimit(limit)) => ("rateLimit", json!({"limit": limit, "period": "1h"})),
        Some(Before::Debounce(seconds)) => ("debounce", json!({"period": format!("{seconds}s")})),
        Some(Before::Singleton(cancels)) => {
            ("singleton", json!({"mode": if cancels { "cancel" } else { "skip" }, "key": KEYS.first()}))
        }
    };
    function[name] = option;
}

impl App {
    /// What the app registers.
    #[must_use]
    pub fn registration(&self) -> Vec<u8> {
        let (url, edition) = (self.deployed.url(), self.deployed.edition);
        let function = |program: &Program| {
            let events = program.triggers.iter().map(|name| json!({"event": name}));
            let schedule = program.schedule().filter(|_| !self.deployed.is_retired);
            let id = program.slug();
            let condition = format!("event.data._inngest.fn_slug == '{id}'");
            let deferred = json!({"event": "inngest/deferred.schedule", "expression": condition});
            let triggers: Vec<_> = events
                .chain(schedule.map(|cron| json!({"cron": cron})))
                .chain(program.is_deferred.then_some(deferred))
                .collect();
            let cancel: Vec<_> = program.cancel_on.iter().map(cancel).collect();
            let mut function = json!({"id": id, "name": format!("{} {edition}", program.name), "triggers": triggers,
                   "cancel": cancel, "timeouts": timeouts(program.timeouts),
                   "steps": {"step": {"id": "step", "name": "step", "retries": {"attempts": program.retries},
                             "runtime": {"type": "http", "url": format!("{url}?fnId={id}&stepId=step")}}}});
            add_flow(&mut function, &program.flow, self.deployed.key());
            function
        };
        let there = self.programs.iter().filter(|program| !self.deployed.without.contains(&program.name));
        let functions: Vec<_> = there.map(function).collect();
        json!({"url": url, "deployType": "ping", "framework": "sim", "appName": "app", "functions": functions,
               "sdk": "sim:v0.0.1", "v": "0.1"})
        .to_string()
        .into_bytes()
    }
}
