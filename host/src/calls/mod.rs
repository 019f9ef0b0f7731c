//! Calls to users' apps: one pooled client, redirects, encodings, and every bound that a call carries.

mod answer;
mod client;
mod connection;
mod redirect;
mod starts;

pub use client::Client;

use crate::wit::{Address, AppAnswer, AppCall, CallFailure, CallOutcome};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// Makes calls and says what came of them.
#[derive(Clone)]
pub struct Calls {
    client: Client,
    runtime: Handle,
}

impl Calls {
    /// Calls that are made on `runtime`.
    #[must_use]
    pub fn new(runtime: Handle) -> Self {
        Self { client: Client::default(), runtime }
    }

    /// Begins a call for `from`; `ended` is told the outcome, exactly once.
    pub fn begin(&self, from: Address, call: AppCall, ended: impl FnOnce(Address, CallOutcome) + Send + 'static) {
        let client = self.client.clone();
        self.runtime.spawn(async move {
            let id = call.id.clone();
            let began = Instant::now();
            let answer = perform(&client, call).await;
            let status = answer.as_ref().ok().map(|answer| answer.status);
            tracing::debug!(actor = from.to_text(), call = id, status, took_ms = began.elapsed().as_millis(), "called");
            ended(from, CallOutcome { id, answer });
        });
    }
}

/// Makes one call, within its time.
async fn perform(client: &Client, call: AppCall) -> Result<AppAnswer, CallFailure> {
    let time_max = Duration::from_millis(call.time_ms_max);
    match tokio::time::timeout(time_max, redirect::follow(client, call)).await {
        Ok(answer) => answer,
        Err(_) => Err(CallFailure::TimedOut(format!("the app did not answer within {} s", time_max.as_secs()))),
    }
}

#[cfg(test)]
mod tests;
