//! Calls to users' apps: one pooled client, redirects, encodings, and every bound that a call carries.

mod answer;
mod client;
mod connection;
mod fetch;
mod public;
mod redirect;
mod starts;

pub use client::Clients;

use crate::wit::{Address, AppAnswer, AppCall, CallFailure, CallKind, CallOutcome};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Makes calls and says what came of them.
#[derive(Clone)]
pub struct Calls {
    clients: Clients,
    runtime: Handle,
}

impl Calls {
    /// Calls that are made on `runtime`.
    #[must_use]
    pub fn new(runtime: Handle) -> Self {
        Self { clients: Clients::default(), runtime }
    }

    /// Begins a call for `from`; `ended` is told the outcome, exactly once.
    pub fn begin(&self, from: Address, call: AppCall, ended: impl FnOnce(Address, CallOutcome) + Send + 'static) {
        let clients = self.clients.clone();
        self.runtime.spawn(async move {
            let id = call.id.clone();
            let began = Instant::now();
            let answer = perform(&clients, call).await;
            let status = answer.as_ref().ok().map(|answer| answer.status);
            tracing::debug!(actor = from.to_text(), call = id, status, took_ms = began.elapsed().as_millis(), "called");
            ended(from, CallOutcome { id, answer });
        });
    }
}

/// Makes one call, within its time.
async fn perform(clients: &Clients, call: AppCall) -> Result<AppAnswer, CallFailure> {
    let time_max = Duration::from_millis(call.time_ms_max);
    let whom = if call.kind == CallKind::App { "the app" } else { "the server" };
    let making = async {
        match call.kind {
            CallKind::App => redirect::follow(&clients.any, call).await,
            CallKind::Fetch | CallKind::FetchPublic => fetch::fetch(clients, call).await,
        }
    };
    match tokio::time::timeout(time_max, making).await {
        Ok(answer) => answer,
        Err(_) => Err(CallFailure::TimedOut(format!("{whom} did not answer within {} s", time_max.as_secs()))),
    }
}

#[cfg(test)]
mod tests;
